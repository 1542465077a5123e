"""What notebooks say of one run follows from its numbers, and is whole whatever these are."""

from types import SimpleNamespace

import jupytext
import pandas as pd
import pytest
from conftest import fake_run

from music_genre import provenance
from music_genre.models import networks, runs
from music_genre.paths import ROOT, display_path
from music_genre.report import display


@pytest.fixture
def said(monkeypatch):
    """Return a function that runs the sentences of a notebook's cell on values and returns them."""

    def run(notebook, marker, **values):
        shown = []
        monkeypatch.setattr(display, "display", lambda output: shown.append(output.data))
        cells = jupytext.read(ROOT / "notebooks" / f"{notebook}.py").cells
        (source,) = (cell.source for cell in cells if marker in cell.source)
        values |= {"display": display, "display_path": display_path}
        exec(source[source.index("display.say(") :], values)
        text = " ".join(" ".join(shown).split())
        for flaw in ("nan", "None", "<NA>", "{", " .", " ,"):
            assert flaw not in text
        return text

    return run


def split_text(said, sizes, leaks, patience=0):
    splits = SimpleNamespace(sizes=lambda parts: sizes)
    leaks = pd.DataFrame(leaks).T.astype("Int64")
    return said(
        "train", "splits.sizes(", splits=splits, parts=None, leaks=leaks, named_by="Sturm's",
        given=SimpleNamespace(patience=patience),
    )  # fmt: skip


SIZES = {"train": 120, "validation": 0, "test": 60, "unused": 0}


def test_split_is_told_with_what_its_parts_share(said):
    shared = {"train and test": {"tracks": 12, "artists": 3, "equal segments": 0}}
    text = split_text(said, SIZES, shared)
    assert "120 segments" in text
    assert "train and test: 12 tracks, 3 artists, 0 equal segments." in text
    assert "Sturm" in text
    assert "validation" not in text


def test_split_without_known_artists_says_so(said):
    shared = {"train and test": {"tracks": 12, "artists": None, "equal segments": 0}}
    text = split_text(said, SIZES, shared)
    assert "an unknown number of artists" in text
    assert "Sturm" not in text


def test_split_of_four_parts_tells_all(said):
    sizes = {"train": 1200, "validation": 30, "test": 60, "unused": 7}
    pairs = ["train and validation", "train and test", "validation and test"]
    none = {"tracks": 0, "artists": 0, "equal segments": 0}
    text = split_text(said, sizes, dict.fromkeys(pairs, none))
    assert all(number in text for number in ("1,200", " 30 ", " 7 "))
    assert text.count("Shared by") == 3


@pytest.mark.parametrize("as_printed", [True, False])
def test_layers_are_compared_with_the_papers(said, as_printed):
    layers = networks.PAPER_LAYERS if as_printed else networks.PAPER_LAYERS.assign(parameters=1)
    text = said("train", "networks.PAPER_LAYERS", layers=layers, networks=networks)
    assert ("Every layer" in text) == as_printed
    assert ("511,370" in text) != as_printed


PREDICTIONS = pd.DataFrame(
    {
        "filename": [f"{genre}.00000.{i}.wav" for genre in ("blues", "metal") for i in range(4)],
        "part": ["train", "train", "test", "test"] * 2,
        "label": ["blues"] * 4 + ["metal"] * 4,
        "predicted": ["blues", "blues", "metal", "blues", "metal", "metal", "metal", "metal"],
    }
)


def result_text(said, folder, *, again=False):
    result = runs.load(folder)[0]
    return said(
        "train", "{% if again %}", result=result,
        given=SimpleNamespace(
            **{"optimizer": "adam", "mixup": 0.0, "patience": 0, **result["parameters"]}
        ),
        finished=result if again else None, folder=folder,
    )  # fmt: skip


def test_result_of_a_training_is_told(said, tmp_path):
    fake_run(tmp_path, PREDICTIONS, history={"epoch": [1, 2], "test_accuracy": [0.5, 0.75]})
    text = result_text(said, tmp_path)
    assert text.startswith("2 of 120 epochs, batch size 220, adam with learning rate 0.001, tanh,")
    assert "75.00 % on 4 test segments and 100.00 % on 4 training segments" in text
    assert "2 s." in text
    assert not any(word in text for word in ("before", "earlier", "broken", "shuffled"))
    assert "(2026-01-01, commit abc)" in result_text(said, tmp_path, again=True)


def test_epoch_that_validation_segments_chose_is_told(said, tmp_path):
    shared = {"train and test": {"tracks": 0, "artists": 0, "equal segments": 0}}
    sizes = {**SIZES, "validation": 40}
    assert "which has no say in this training." in split_text(said, sizes, shared)
    assert "which chose the epoch." in split_text(said, sizes, shared, patience=2)
    fake_run(tmp_path, PREDICTIONS, patience=2, mixup=0.4)
    content = provenance.read_json(tmp_path / "metrics.json")
    provenance.write_json(tmp_path / "metrics.json", {**content, "epoch_chosen": 1})
    text = result_text(said, tmp_path)
    assert "mixup 0.4, patience 2." in text
    assert "The weights are those after epoch 1." in text


@pytest.mark.parametrize(
    ("kept", "says"),
    [([True, True], "All epochs come from"), ([True, False], "up to epoch 1 comes from")],
)
def test_epochs_of_an_earlier_training_are_told(said, tmp_path, kept, says):
    fake_run(
        tmp_path, PREDICTIONS, shuffle_columns=True,
        history={"epoch": [1, 2], "test_accuracy": [0.5, 0.5], "kept": kept},
    )  # fmt: skip
    text = result_text(said, tmp_path)
    assert says in text
    assert "shuffled columns" in text


def test_broken_training_is_told(said, tmp_path):
    fake_run(tmp_path, PREDICTIONS, diverged=True)
    result = runs.load(tmp_path)[0]
    assert "in epoch 1." in said("train", "{% if diverged %}", result=result)


def test_genres_confused_are_told_with_their_share(said):
    pairs = pd.DataFrame(
        [("metal", "rock", 1020, 0.343), ("jazz", "blues", 75, 0.2)],
        columns=["label", "predicted", "segments", "share"],
    )
    marker = "{% for pair in pairs %}"
    text = said("evaluate", marker, pairs=pairs)
    assert text.endswith("34 % of the metal segments were classified as rock.")
    assert "correctly" in said("evaluate", marker, pairs=pairs[:0])


def test_genres_are_counted(said):
    unequal = pd.Series({"blues": 1000, "jazz": 998, "rock": 999})
    assert "998 (jazz) and 1,000 (blues)" in said("explore", "fewest=", counts=unequal)
    equal = pd.Series({"blues": 50, "jazz": 50})
    assert "50 segments each" in said("explore", "fewest=", counts=equal)
