"""A model to predict with: what is loaded is what was saved, and holds no code."""

import json
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from conftest import SOURCE, fake_run, note_checksums
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer

from music_genre import provenance
from music_genre.data.columns import FEATURES, INPUTS
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import by_genre
from music_genre.models import inputs, networks, portable, use

CARD = {"source": SOURCE, "provenance": {"created": "2026-01-01"}}
NAME = "logistic regression, C 0.1"


@pytest.fixture(scope="module")
def sample():
    return pd.read_csv(portable.provenance.ROOT / "src/music_genre/data/sample/features.csv")


@pytest.fixture(scope="module")
def trained(sample):
    return use.train(
        NAME, sample, CARD, {"temperature": 1.5, "threshold": 0.4, "limit": 1.3}, seed=0
    )


@pytest.fixture(scope="module")
def saved_once(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    portable.save(folder, trained, readme="# A card\n")
    return folder


@pytest.fixture
def saved(saved_once, tmp_path):
    return shutil.copytree(saved_once, tmp_path / "use")


def test_what_is_loaded_predicts_the_same_bits(trained, saved, sample, tmp_path):
    loaded = portable.load(saved)
    for method in ("probabilities", "distances", "states", "outside"):
        one, other = (getattr(model, method)(sample) for model in (trained, loaded))
        assert np.array_equal(one, other), method
    assert loaded.deviations(sample).equals(trained.deviations(sample))
    for name in ("name", "genres", "columns", "temperature", "threshold", "limit", "card"):
        assert getattr(loaded, name) == getattr(trained, name), name
    portable.save(tmp_path / "again", loaded, readme="# A card\n")
    for path in saved.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_network_with_a_hidden_layer_is_saved_too(saved, sample, tmp_path, monkeypatch):
    monkeypatch.setitem(use.CANDIDATES, "x", use.Dense(4, 0.1, 0.1, 0.1, epochs=1, networks=2))
    model = use.train("x", sample, CARD, {}, seed=0)
    portable.save(tmp_path, model)
    loaded = portable.load(tmp_path)
    assert np.array_equal(loaded.probabilities(sample), model.probabilities(sample))
    assert loaded.states(sample).shape == (500, 8)  # of both networks


@pytest.mark.parametrize("genres", [10, 2])
def test_logistic_regression_predicts_as_scikit_learn_does(sample, genres):
    some = sample[sample["label"].isin(sample["label"].unique()[:genres])]
    theirs = make_pipeline(PowerTransformer(), LogisticRegression(C=0.1, max_iter=5000))
    expected = theirs.fit(some[FEATURES], some["label"]).predict_proba(some[FEATURES])
    ours = use.fit(NAME, some, seed=0)
    assert ours.genres == list(theirs.classes_)
    assert ours.probabilities(some) == pytest.approx(expected, abs=1e-4)


def test_track_by_hand():
    # Mean logarithms: of 0.8 and 0.5, log sqrt(0.4); of 0.2 and 0.5, log sqrt(0.1): 2 to 1.
    # A temperature of 2 makes that the square root of 2 to 1.
    segments = np.array([[0.8, 0.2], [0.5, 0.5]])
    of_track = portable.Portable("", ["a", "b"], [], None, None, None).of_track
    assert of_track(segments) == pytest.approx([2 / 3, 1 / 3])
    warm = portable.Portable("", ["a", "b"], [], None, None, None, temperature=2.0)
    assert warm.of_track(segments) == pytest.approx(np.array([2**0.5, 1]) / (1 + 2**0.5))


def test_logits_are_the_states_where_no_layer_is_hidden(trained, sample):
    logits = trained.deviations(sample).to_numpy() @ trained.network.get_weights()[0]
    logits += trained.network.get_weights()[1]
    states = trained.states(sample)
    assert states == pytest.approx(logits - logits.mean(axis=1, keepdims=True), abs=1e-3)


def test_distance_is_that_of_mahalanobis_and_far_sounds_are_outside(trained, sample):
    apart = trained.deviations(sample).to_numpy()
    inverse = trained.whitening @ trained.whitening.T
    expected = np.sqrt(np.einsum("ni,ij,nj->n", apart, inverse, apart) / len(FEATURES))
    assert trained.distances(sample) == pytest.approx(expected)
    assert trained.distances(sample).mean() == pytest.approx(1, abs=0.15)
    silence = sample[:3].assign(**dict.fromkeys(FEATURES, 0.0))
    assert trained.outside(silence) is True
    assert trained.outside(sample[:5]) is False


def test_numbers_beyond_all_sound_give_probabilities_all_the_same(trained, sample):
    for value in (1e18, -1e18):
        probabilities = trained.probabilities(sample[:2].assign(**dict.fromkeys(FEATURES, value)))
        assert np.isfinite(probabilities).all()


def test_column_that_is_missing_is_named(trained, sample):
    with pytest.raises(InputError, match="lack the column tempo"):
        trained.probabilities(sample.drop(columns="tempo"))


# ---- The files.


def test_files_hold_arrays_of_numbers_and_no_code(saved):
    assert {path.name for path in saved.iterdir()} == {"model.json", "weights.npz", "README.md"}
    with zipfile.ZipFile(saved / "weights.npz") as file:
        assert all(name.endswith(".npy") for name in file.namelist())
    with np.load(saved / "weights.npz", allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays} == {"f"}
    content = json.loads((saved / "model.json").read_text())
    assert content["layers"] == [{"units": 10, "activation": "softmax"}]


def rewrite(folder, **changes):
    """Change model.json, and let its checksums be those of the files."""
    content = {**provenance.read_json(folder / "model.json"), **changes}
    content["checksums"] = provenance.checksums(folder)
    provenance.write_json(folder / "model.json", content)


class _Evil:
    def __reduce__(self):
        return (print, ("unpickled",))


def with_weights(folder, *arrays):
    np.savez(folder / "weights.npz", *arrays)
    rewrite(folder)


DAMAGES = {
    "cut off": (lambda f: (f / "model.json").write_text("{"), "model.json cannot be read"),
    "a list": (lambda f: (f / "model.json").write_text("[]"), "model.json cannot be read"),
    "later": (lambda f: rewrite(f, format=2), "has the format 2, and this version reads 1"),
    "no format": (lambda f: (f / "model.json").write_text("{}"), "has the format None"),
    "a bit": (lambda f: (f / "weights.npz").write_bytes(b"x"), "is not as it was written"),
    "missing": (lambda f: (f / "weights.npz").unlink(), "weights.npz is missing"),
    "no arrays": (
        lambda f: ((f / "weights.npz").write_bytes(b"x"), rewrite(f)), "is not as written"
    ),
    "another shape": (lambda f: with_weights(f, np.zeros((3, 2)), np.zeros(2)), "not as written"),
    "too few": (lambda f: with_weights(f, np.zeros((57, 10))), "not as written"),
    "pickled": (
        lambda f: with_weights(f, np.array([_Evil()], dtype=object), np.zeros(10)),
        "not as written",
    ),
    "code": (
        lambda f: rewrite(f, layers=[{"units": 10, "activation": "os.system"}]),
        "activation is none of",
    ),
    "columns": (
        lambda f: rewrite(f, columns=["loudness", *FEATURES[1:]]), "takes the input loudness"
    ),
    "fewer columns": (lambda f: rewrite(f, columns=FEATURES[1:]), "not as written"),
    "genres": (lambda f: rewrite(f, genres=["a"]), "do not fit together"),
    "powers": (lambda f: rewrite(f, lambdas=[1.0]), "not a power for each input"),
    "scale": (lambda f: rewrite(f, scale=[0.0] * 57), "no number above 0"),
    "temperature": (lambda f: rewrite(f, temperature=0), "0 is no number from 0.001 to 1000"),
    "no threshold": (lambda f: rewrite(f, threshold=2), "2 is no number from 0 to 1"),
    "text": (lambda f: rewrite(f, threshold="0.5"), "'0.5' is no number from 0 to 1"),
    "a list of limits": (lambda f: rewrite(f, limit=[1]), r"\[1\] is no number from 0 to"),
    "no powers": (lambda f: rewrite(f, lambdas=[None] * 57), "some are none"),
    "a column twice": (lambda f: rewrite(f, columns=[FEATURES[0]] * 57), "columns are not names"),
    "one genre": (lambda f: rewrite(f, genres=["rock"] * 10), "genres are not names"),
    "two lines": (lambda f: rewrite(f, genres=["a\nb", *"cdefghijk"]), "genres are not names"),
    "letters": (lambda f: rewrite(f, genres="abcdefghij"), "no list of texts"),
    "no softmax": (
        lambda f: rewrite(f, layers=[{"units": 10, "activation": "linear"}]), "is no softmax"
    ),
    "no layer": (lambda f: rewrite(f, layers=[]), "is no softmax"),
    "a giant": (
        lambda f: rewrite(f, layers=[{"units": 10**12, "activation": "softmax"}]),
        "weights do not fit its layers",
    ),
    "complex": (
        lambda f: with_weights(f, np.ones((57, 10), complex), np.zeros(10)), "holds no numbers"
    ),
    "card": (lambda f: rewrite(f, card={"held out": 5}), "not as written"),
    "card of a split": (
        lambda f: rewrite(f, card={"held out": [{"x": 1}]}),
        "not as written",
    ),
    "broken": (
        lambda f: with_weights(f, np.full((57, 10), np.nan), np.zeros(10)), "training broke down"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_or_foreign_files_are_told_in_a_sentence(saved, kind, capsys):
    damage, sentence = DAMAGES[kind]
    damage(saved)
    with pytest.raises(InputError, match=sentence):
        portable.load(saved)
    assert "unpickled" not in capsys.readouterr().out


def test_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"holds no model.*model\.json.*metrics\.json"):
        portable.load(tmp_path)


# ---- Finished runs.


@pytest.fixture(scope="module")
def run_once(sample, tmp_path_factory):
    """Write a run with an untrained network, split by track, and return what it should predict."""
    folder = tmp_path_factory.mktemp("run") / "a-run"
    parts = np.where(sample["filename"].str.contains(r"0000[0-3]\."), "test", "train")
    data = inputs.prepare(sample, parts=parts, scale_on="all")
    network = networks.build(
        (58, 1), 10, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=0
    )
    expected = network.predict(data.x[:30], verbose=0)
    # As sure as it is wrong: of each genre's four test tracks, two are said to be another one.
    wrong = sample["filename"].str.contains(r"0000[01]\.")
    guess = np.where(wrong, (data.y + 1) % 10, data.y)
    told = by_genre(data.genres, np.eye(10)[guess] * 0.98 + 0.002)
    predictions = sample[["filename", "label"]].assign(
        part=parts, predicted=np.array(data.genres)[guess], **told
    )
    fake_run(folder, predictions, split="track")
    network.save(folder / "model.keras")
    scaler = {
        "columns": data.columns, "mean": data.scaler.mean_.tolist(),
        "scale": data.scaler.scale_.tolist(), "genres": data.genres,
    }  # fmt: skip
    provenance.write_json(folder / "scaler.json", scaler)
    note_checksums(folder)
    return folder, expected


@pytest.fixture
def run(run_once, tmp_path):
    return shutil.copytree(run_once[0], tmp_path / "a-run"), run_once[1]


def set_parameter(folder, **parameters):
    content = provenance.read_json(folder / "metrics.json")
    content["parameters"] |= parameters
    provenance.write_json(folder / "metrics.json", content)


def test_run_predicts_as_its_network_did(run, sample):
    folder, expected = run
    model = portable.load(folder)
    assert (model.columns, len(model.genres)) == (INPUTS, 10)
    assert model.probabilities(sample[:30]) == pytest.approx(expected, abs=1e-6)
    assert model.states(sample[:3]).shape == (3, 64)
    assert model.outside(sample[:3]) is None
    assert model.card["trained on"] == {"segments": 300, "tracks": 60}
    (held_out,) = model.card["held out"]
    assert (held_out["tracks"], held_out["accuracy"]) == (40, 50)


def test_run_is_calibrated_by_the_tracks_it_held_out_and_only_by_these(run):
    folder, _ = run
    # Half of the tracks are right: the likeliest genre's probability should be a half, which its
    # other nine share the rest of: (0.982 / 0.002) ** (1 / T) = 9.
    temperature = portable.load(folder).temperature
    assert temperature == pytest.approx(np.log(0.982 / 0.002) / np.log(9), rel=1e-3)
    assert portable.load(folder).threshold is None  # never three of four
    set_parameter(folder, split="segment")
    assert portable.load(folder).temperature == 1


def test_damaged_run_is_told(run):
    folder, _ = run
    (folder / "model.keras").write_bytes(b"x")
    with pytest.raises(InputError, match=r"model\.keras is not as it was written"):
        portable.load(folder)
    note_checksums(folder)
    with pytest.raises(InputError, match=r"model\.keras, saved by Keras 3, cannot be loaded by"):
        portable.load(folder)


# ---- Which one is taken if none is named.


def test_newest_model_of_ones_own_else_the_published_one(run, saved, tmp_path, monkeypatch):
    monkeypatch.setattr(portable, "REPORTS", tmp_path)
    monkeypatch.setattr(portable, "MANUAL", tmp_path / "manual")
    monkeypatch.setattr(portable, "PUBLISHED_MODEL", tmp_path / "gtzan" / "use")
    with pytest.raises(InputError, match="there is no model"):
        portable.default()
    shutil.copytree(saved, tmp_path / "gtzan" / "use")
    assert portable.default()[0] == tmp_path / "gtzan" / "use"

    mine = tmp_path / "manual" / "one"
    shutil.copytree(run[0], mine)
    assert not portable.takes_more(mine)
    set_parameter(mine, model="track-lstm")  # which reads no file
    assert portable.default()[0] == tmp_path / "gtzan" / "use"
    set_parameter(mine, model="paper")
    content = provenance.read_json(mine / "metrics.json")
    provenance.write_json(
        mine / "metrics.json", {**content, "source": {**SOURCE, "is_sample": True}}
    )
    assert portable.default()[0] == tmp_path / "gtzan" / "use"
    provenance.write_json(mine / "metrics.json", content)
    assert portable.default()[0] == mine

    report = tmp_path / "table1" / "use"
    shutil.copytree(saved, report)
    card = {**CARD, "provenance": {"created": "2027-01-01"}}
    provenance.write_json(
        report / "model.json", {**provenance.read_json(saved / "model.json"), "card": card}
    )
    folder, why = portable.default()
    assert folder == report
    assert why.startswith("the newest model of yours")
