"""The second features table: librosa's and scipy's values, beside an unchanged first one."""

import dataclasses
import json
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import SHARED, needs_shared
from scipy import stats

from music_genre.analysis import importance, predict
from music_genre.build import __main__ as build
from music_genre.build import plan, typed
from music_genre.data import extraction, find, more, splits, table
from music_genre.data.columns import COLUMNS, INPUTS, MORE, MORE_COLUMNS, SAMPLE_RATE
from music_genre.data.features import extract_clip, load_clip, segment_features
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import probabilities
from music_genre.models import inputs, portable, runs
from music_genre.paths import REPORTS, ROOT

SECONDS = 9  # of a tiny clip: three segments


@pytest.fixture
def clips(tmp_path, monkeypatch) -> pd.DataFrame:
    """Write a tiny clip in each of two genres; describe them in this process."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    rows = []
    for seed, genre in enumerate("ab"):
        path = tmp_path / "clips" / genre / f"{genre}.00000.wav"
        path.parent.mkdir(parents=True)
        noise = np.random.default_rng(seed).standard_normal(SECONDS * SAMPLE_RATE)
        soundfile.write(path, 0.1 * noise, SAMPLE_RATE)
        rows.append((path, path.stem, genre))
    return pd.DataFrame(rows, columns=["path", "clip", "genre"])


@pytest.fixture
def tables(clips, tmp_path) -> tuple[Path, Path]:
    """Write both tables of the tiny clips."""
    extraction.write(clips, tmp_path / "t.csv", cache=tmp_path / "kept", more=True)
    return tmp_path / "t.csv", tmp_path / "t.more.csv"


def of_librosa(y: np.ndarray, monkeypatch) -> pd.DataFrame:
    """Return the series of a segment, each by one call of librosa's own function."""
    magnitude = np.abs(librosa.stft(y, pad_mode="reflect"))
    mel = librosa.feature.melspectrogram(y=y, sr=SAMPLE_RATE, pad_mode="reflect")
    chroma = librosa.feature.chroma_stft(y=y, sr=SAMPLE_RATE, pad_mode="reflect")
    # chroma_cens takes audio or a constant-Q transform alone.
    monkeypatch.setattr("librosa.feature.spectral.chroma_cqt", lambda **_: chroma)
    mfcc = librosa.feature.mfcc(y=y, sr=SAMPLE_RATE, pad_mode="reflect")
    several = {
        "contrast": librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE),
        "cens": librosa.feature.chroma_cens(y=y, sr=SAMPLE_RATE),
        "tonnetz": librosa.feature.tonnetz(chroma=chroma, sr=SAMPLE_RATE),
        "delta_mfcc": librosa.feature.delta(mfcc),
    }
    series = {
        "flatness": librosa.feature.spectral_flatness(S=magnitude)[0],
        "flux": librosa.onset.onset_strength(S=librosa.power_to_db(mel), sr=SAMPLE_RATE),
        **{f"{name}{i}": row for name, rows in several.items() for i, row in enumerate(rows, 1)},
    }
    return pd.DataFrame(series).astype(float)


@needs_shared
@pytest.mark.parametrize("clip", ["blues/blues.00001.wav", "metal/metal.00001.wav"])
def test_every_statistic_is_librosas_and_scipys(clip, monkeypatch):
    path = SHARED / "genres_original" / clip
    path = path if path.exists() else sorted(path.parent.glob("*"))[0]
    y = load_clip(path)[66_150 : 66_150 + 66_149]
    ours = pd.Series(segment_features(y, more=True))
    series = of_librosa(y, monkeypatch)
    expected = pd.concat(
        {
            "mean": series.mean(), "std": series.std(ddof=0), "min": series.min(),
            "max": series.max(), "skew": series.apply(stats.skew),
            "kurtosis": series.apply(stats.kurtosis),
        }
    )  # fmt: skip
    expected.index = [f"{name}_{statistic}" for statistic, name in expected.index]
    assert sorted(expected.index) == sorted(MORE)
    # Single precision: the fourth power of a deviation is known to about 1e-4.
    np.testing.assert_allclose(ours[MORE], expected[MORE], rtol=1e-3, atol=1e-4)


@needs_shared
def test_the_first_tables_values_are_the_same_bits_with_more_and_without():
    path = sorted((SHARED / "genres_original" / "jazz").glob("*.wav"))[0]
    plain, both = extract_clip(path), extract_clip(path, more=True)
    assert both.columns.to_list() == [*COLUMNS, *MORE]
    pd.testing.assert_frame_equal(plain, both[COLUMNS], check_exact=True)
    assert np.isfinite(both[MORE].to_numpy()).all()


def numbers(**given: np.ndarray) -> pd.Series:
    rng = np.random.default_rng(0)
    shapes = {"magnitude": 1025, "power": 1025, "mel_db": 128, "mfcc": 20, "chroma": 12}
    drawn = {name: rng.random((rows, 130)) for name, rows in shapes.items()}
    return pd.Series(more.numbers(**(drawn | given)), MORE)


def test_flux_by_hand():
    mel_db = np.zeros((128, 130))
    mel_db[:64, 10:20] = 6  # half of the bands rise by 6 dB and fall again: a rise of 3, once
    found = numbers(mel_db=mel_db)
    share = 1 / 130
    assert found["flux_max"] == pytest.approx(3)
    assert found["flux_min"] == 0
    assert found["flux_mean"] == pytest.approx(3 * share)
    assert found["flux_std"] == pytest.approx(3 * np.sqrt(share * (1 - share)))
    assert found["flux_skew"] == pytest.approx((1 - 2 * share) / np.sqrt(share * (1 - share)))


def test_silence_has_finite_numbers():
    found = pd.Series(segment_features(np.zeros(66_149, np.float32), more=True))
    assert np.isfinite(found[MORE]).all()
    assert (found[[name for name in MORE if name.endswith(("_skew", "_kurtosis"))]] == 0).all()


def test_two_clips_give_two_tables_and_the_first_is_the_one_without(tables, clips, tmp_path):
    first, second = tables
    extraction.write(clips, tmp_path / "plain.csv", cache=tmp_path / "other")
    assert first.read_bytes() == (tmp_path / "plain.csv").read_bytes()
    assert not (tmp_path / "plain.more.csv").exists()
    one, other = pd.read_csv(first), pd.read_csv(second)
    assert other.columns.to_list() == MORE_COLUMNS
    assert other[["filename", "label"]].equals(one[["filename", "label"]])
    expected = pd.concat([extract_clip(path, more=True) for path in clips["path"]])
    assert np.array_equal(other[MORE], expected[MORE])


def test_kept_values_are_completed_and_then_reused(clips, tmp_path, monkeypatch):
    out, kept = tmp_path / "t.csv", tmp_path / "kept"
    extraction.write(clips, out, cache=kept)
    # As if kept on another machine, which rounds otherwise: the first table keeps these bits.
    entries = sorted(kept.rglob("*.json"))
    for entry in entries:
        found = extraction._kept(entry, more=False)
        entry.unlink()
        extraction._keep(entry, found._replace(values=found.values * (1 + 1e-12)))
    extraction.write(clips, out, cache=kept)
    before = {path: path.read_bytes() for path in [out, *entries]}
    extraction.write(clips, out, cache=kept, more=True)
    assert {path: path.read_bytes() for path in before} == before
    second = out.with_suffix(".more.csv").read_bytes()

    def never(path, **_):
        raise AssertionError(path)

    monkeypatch.setattr(extraction, "extract_clip", never)
    extraction.write(clips, out, cache=kept)
    assert out.with_suffix(".more.csv").read_bytes() == second  # it is still of these clips
    extraction.write(clips[:1], out, cache=kept)
    assert not out.with_suffix(".more.csv").exists()  # it was of other clips
    extraction.write(clips, out, cache=kept, more=True)
    assert out.with_suffix(".more.csv").read_bytes() == second


@pytest.mark.slow
def test_a_training_reads_both_tables_and_predicts_a_file_as_its_segments(
    tables, clips, run_here, tmp_path, monkeypatch
):
    first, second = tables
    of_run = {"features": str(first), "more": str(second), "model": "mlp", "epochs": 1,
              "output": str(tmp_path / "run")}  # fmt: skip
    run_here("train", **{**of_run, "more": ""})
    text = run_here("train", **of_run)
    assert "is not repeated" not in text  # it is another training than the one before
    assert "282 more numbers of each segment follow the 58" in text
    scaler = json.loads((tmp_path / "run" / "scaler.json").read_text())
    assert scaler["columns"] == [*INPUTS, *MORE]
    assert (
        json.loads((tmp_path / "run" / "metrics.json").read_text())["more"]["path"] == "t.more.csv"
    )
    assert "is not repeated" in run_here("train", **of_run)
    assert portable.takes_more(tmp_path / "run")
    monkeypatch.setattr(find, "EXTRACTED", tmp_path / "extracted.csv")
    model = portable.load(tmp_path / "run")
    path = clips["path"][0]
    (track,) = predict.judge(path, model)
    _, _, known = runs.load(tmp_path / "run")
    known = known.set_index("filename").loc[[f"{path.stem}.{i}.wav" for i in range(3)]]
    np.testing.assert_allclose(track.each, probabilities(known), atol=2e-5)  # kept to five digits
    assert track.distance == pytest.approx(np.median(model.distances(track.segments)))
    farthest = predict.farthest(track, model)
    assert set(farthest["feature"]) & set(MORE)
    text = run_here("predict", audio=str(path), model=str(tmp_path / "run"),
                    output=str(tmp_path / "out"))  # fmt: skip
    assert "It takes 340 numbers of each segment" in text
    segments, _ = table.load(str(first))
    with pytest.raises(InputError, match="is of a second features table, which MORE=1 extracts"):
        model.probabilities(segments)
    monkeypatch.setattr(portable, "MANUAL", tmp_path)
    monkeypatch.setattr(portable, "REPORTS", tmp_path)
    assert portable.default()[0] == tmp_path / "run"
    with pytest.raises(InputError, match="contrast1_mean of a second features table"):
        importance.of_run(tmp_path / "run", segments)


def test_further_inputs_follow_the_58_and_leave_them_as_they_are(few_rows):
    parts = splits.split(few_rows, "segment", test_size=0.33, seed=3)
    values = np.random.default_rng(0).random((len(few_rows), 2))
    further = pd.DataFrame(values, few_rows.index, ["flux_mean", "flux_max"])
    plain = inputs.prepare(few_rows, parts=parts, scale_on="all")
    both = inputs.prepare(few_rows, parts=parts, scale_on="all", more=further)
    assert both.columns == [*INPUTS, "flux_mean", "flux_max"]
    assert np.array_equal(both.x[:, :58], plain.x)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    assert np.allclose(both.x[:, 58:, 0], scaled, atol=1e-5)


def test_what_does_not_fit_the_first_table_is_refused(tables):
    segments, _ = table.load(str(tables[0]))
    assert table.load_more("", segments) is None
    whole = pd.read_csv(tables[1])
    for change, sentence in [
        (whole[1:], "has no line for segment a.00000.0.wav of the features table"),
        (whole.assign(filename="x" + whole["filename"]), r"a.00000.0.wav \(and 5 more\)"),
        (whole.rename(columns={"flux_mean": "loudness"}), "lacks the column flux_mean"),
        (whole.assign(flux_mean="loud"), "flux_mean is not numeric: segment a.00000.0.wav"),
        (whole.assign(flux_mean=np.nan), "flux_mean is NaN or infinite in segment a.00000.0.wav"),
        (whole.iloc[[0, *range(6)]], "stands more than once"),
    ]:
        change.to_csv(tables[1], index=False)
        with pytest.raises(InputError, match=sentence):
            table.load_more(str(tables[1]), segments)
    whole.sample(frac=1, random_state=1).to_csv(tables[1], index=False)
    found = table.load_more(str(tables[1]), segments)
    assert np.array_equal(found, whole[MORE])
    with pytest.raises(InputError, match="does not exist"):
        table.load_more("gone.csv", segments)


def step_content(step: plan.Step, folder: Path, text: str) -> dict:
    """Return what determines a step where its second table holds this text."""
    (folder / "x.more.csv").write_text(text)
    step = dataclasses.replace(step, given={**step.given, "more": str(folder / "x.more.csv")})
    asked = typed.Options(only="beyond")
    return plan.specs(asked, [step], find.SAMPLE_TABLE, extracted=False)[0]["content"]


def test_with_a_second_table_each_row_beyond_is_trained_on_both(tmp_path):
    plain = plan.steps(typed.Options(only="beyond", more=True))
    assert not any("more" in step.given for step in plain)
    steps = plan.steps(typed.Options(only="beyond", more=True, more_table="data/x.more.csv"))
    trainings = [step for step in steps if step.notebook == "train"]
    assert len(trainings) == len(plain) - 1
    assert {step.given["more"] for step in trainings} == {"data/x.more.csv"}
    assert step_content(trainings[0], tmp_path, "1") != step_content(trainings[0], tmp_path, "2")
    assert REPORTS / "table1/beyond/track/0/mlp-more/train.ipynb" in [s.target for s in trainings]


@pytest.mark.parametrize("value", ["{}", "'{}'  # the second", '"{}"'])
def test_a_row_whose_file_names_a_second_table_is_due_again_where_that_changes(tmp_path, value):
    second, row = tmp_path / "x.more.csv", tmp_path / "row.yaml"
    row.write_text(f"model: mlp\nmore: {value.format(second)}\nepochs: 2\n")
    step = plan._training(tmp_path / "rows/row", row)
    described = []
    for text in "12":
        second.write_text(text)
        asked = typed.Options(only="beyond")
        described += plan.specs(asked, [step], find.SAMPLE_TABLE, extracted=False)
    assert described[0]["content"] != described[1]["content"]


def test_more_is_asked_for_where_there_is_music_or_such_a_table(tables, monkeypatch):
    for name in ("TABLE", "MUSIC", "GTZAN", "SPLITS", "SEEDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FEATURES", str(tables[0]))
    monkeypatch.setenv("MORE", "1")
    asked, features, _ = build.asked_for("beyond")
    assert asked.more_table == str(tables[1])
    plan.check_more(asked, features)
    lines = tables[1].read_text().splitlines(keepends=True)
    tables[1].write_text("".join([lines[0], *lines[2:]]))
    with pytest.raises(
        InputError, match=r"a\.00000\.0\.wav of \S*t\.csv: extract both tables again"
    ):
        plan.check_more(asked, features)
    further = tables[0].with_name("published.csv")
    tables[0].rename(further)  # as the published table where the music lies beside it
    with pytest.raises(
        InputError, match=r"published\.csv: train on .*FEATURES=data/extracted\.csv"
    ):
        plan.check_more(asked, further)
    further.rename(tables[0])
    for text, sentence in [
        ("".join([*lines, lines[2]]), r"segment a\.00000\.1\.wav stands more than once"),
        ("".join(f"{line.split(',')[0]}\n" for line in lines), "lacks the column contrast1_mean"),
    ]:
        tables[1].write_text(text)
        with pytest.raises(InputError, match=sentence):
            plan.check_more(asked, features)
    tables[1].unlink()
    assert build.asked_for("beyond")[0].more_table == ""
    monkeypatch.delenv("FEATURES")
    monkeypatch.setenv("GTZAN", str(tables[0].parent / "clips"))
    assert build.asked_for()[0].more_table == plan.as_given(find.more_table(find.EXTRACTED))
    assert (ROOT / build.asked_for()[0].more_table).parent == find.EXTRACTED.parent
