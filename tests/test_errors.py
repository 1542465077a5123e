"""Errors by track, fault and input, on predictions made up and worked out by hand."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, needs_shared

from music_genre import provenance
from music_genre.analysis import errors
from music_genre.data import annotations
from music_genre.data.columns import COLUMNS, FEATURES, INPUTS
from music_genre.data.table import Source, clips
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.models import lstm
from music_genre.report.figures import errors as figures

NAMES = ["filename", "part", "label", "predicted", "blues", "jazz", "rock"]


@pytest.fixture(autouse=True)
def no_lists(tmp_path, monkeypatch):
    """Keep the lists in the user's data folder out of the tests."""
    monkeypatch.setattr(annotations, "DATA", tmp_path / "data")


def predicted(*lines):
    """Make up predictions: filename, part, predicted (of probability 1)."""
    return pd.DataFrame(
        [
            (name, part, name.split(".")[0], genre, *(float(genre == g) for g in NAMES[4:]))
            for name, part, genre in lines
        ],
        columns=NAMES,
    )


PREDICTIONS = predicted(
    ("blues.00000.0.wav", "test", "jazz"),
    ("blues.00000.1.wav", "test", "jazz"),
    ("blues.00000.2.wav", "test", "rock"),
    ("blues.00000.3.wav", "test", "blues"),
    ("blues.00000.4.wav", "train", "rock"),
    ("blues.00001.0.wav", "test", "jazz"),
    ("blues.00002.0.wav", "test", "blues"),
    ("jazz.00000.0.wav", "test", "jazz"),
    ("jazz.00000.1.wav", "test", "rock"),
    ("jazz.00000.2.wav", "test", "blues"),
    ("rock.00000.0.wav", "test", "rock"),
    ("rock.00001.0.wav", "train", "blues"),
)


def test_tracks_are_summed_up_over_their_tested_segments():
    tracks = errors.by_track(PREDICTIONS).set_index("clip")
    assert list(tracks.index) == [
        "blues.00000", "blues.00001", "blues.00002", "jazz.00000", "rock.00000",
    ]  # fmt: skip
    assert tracks["label"].to_list() == ["blues"] * 3 + ["jazz", "rock"]
    assert tracks["segments"].to_list() == [4, 1, 1, 3, 1]
    assert tracks["right"].to_list() == pytest.approx([25, 0, 100, 100 / 3, 100])
    assert tracks["taken for"].fillna("").to_list() == ["jazz", "jazz", "", "blues", ""]


def test_a_tracks_genre_comes_from_mean_probabilities_not_from_a_vote():
    sure = predicted(
        ("blues.00000.0.wav", "test", "jazz"),
        ("blues.00000.1.wav", "test", "jazz"),
        ("blues.00000.2.wav", "test", "blues"),
    )
    sure.loc[:1, ["blues", "jazz", "rock"]] = [0.4, 0.6, 0.0]  # mean: blues 0.6, jazz 0.4
    (track,) = errors.by_track(sure).to_dict("records")
    assert (track["predicted"], track["taken for"]) == ("blues", "jazz")


def test_model_that_is_always_right_or_broken_is_summed_up_too():
    right = predicted(("blues.00000.0.wav", "test", "blues"), ("jazz.00000.0.wav", "test", "jazz"))
    assert errors.by_track(right)["taken for"].isna().all()
    assert errors.tracks_of_confusion(right).empty
    broken = right.assign(predicted="blues", blues=np.nan, jazz=np.nan, rock=np.nan)
    assert errors.by_track(broken)["predicted"].to_list() == ["blues", "blues"]


def test_tracks_of_a_confusion_are_those_that_cause_half_of_it():
    # jazz for rock and for blues: 1 of 3 each; blues for jazz: 3 of 6, two of them of one track.
    confused = errors.tracks_of_confusion(PREDICTIONS, pairs=1)
    assert confused.to_dict("records") == [
        {
            "label": "blues", "predicted": "jazz", "segments": 3, "tracks": 2, "of": 3,
            "cause half": 1, "which": "blues.00000 (2 of 4)",
        }
    ]  # fmt: skip
    even = predicted(*((f"blues.0000{i}.0.wav", "test", "rock") for i in range(5)), 
                     ("rock.00000.0.wav", "test", "rock"))  # fmt: skip
    (line,) = errors.tracks_of_confusion(even).to_dict("records")
    assert (line["tracks"], line["of"], line["cause half"]) == (5, 5, 3)
    assert line["which"] == "blues.00000 (1 of 1), blues.00001 (1 of 1), blues.00002 (1 of 1)"


def test_pairs_are_ordered_as_the_sentence_orders_them():
    tested = PREDICTIONS[PREDICTIONS["part"] == "test"]
    sentence = classification.most_confused(tested["label"], tested["predicted"])
    confused = errors.tracks_of_confusion(PREDICTIONS)
    places = [
        sentence.index(f"of {a} taken for {b} ({n} segments)")
        for a, b, n in confused[["label", "predicted", "segments"]].itertuples(index=False)
    ]
    assert len(places) == 3
    assert places == sorted(places)


@pytest.fixture
def table():
    """Return a table of 10 tracks of two segments; rock.00001 repeats blues.00003."""
    names = [f"{g}.0000{i}.{s}.wav" for g in ("blues", "rock") for i in range(5) for s in (0, 1)]
    values = np.random.default_rng(0).normal(size=(len(names), len(INPUTS)))
    made_up = pd.DataFrame(values, columns=INPUTS)
    made_up.insert(0, "filename", names)
    made_up["label"] = made_up["filename"].str.split(".").str[0]
    rows = {name: i for i, name in enumerate(names)}
    for copy, original in (
        ("rock.00001.0.wav", "blues.00003.0.wav"),
        ("rock.00001.1.wav", "blues.00003.1.wav"),
        ("rock.00004.1.wav", "rock.00004.0.wav"),  # of the same track: no duplicate
        ("blues.00002.0.wav", "rock.00002.1.wav"),  # not all features: below
    ):
        made_up.loc[rows[copy], FEATURES] = made_up.loc[rows[original], FEATURES]
    made_up.loc[rows["rock.00001.1.wav"], FEATURES] += 1e-6  # rounded
    made_up.loc[rows["blues.00002.0.wav"], FEATURES[-1]] += 0.01
    return made_up[COLUMNS]


def test_duplicates_are_tracks_with_equal_segments(table):
    found = errors.duplicates(table)
    assert found.to_dict("records") == [{"a": "blues.00003", "b": "rock.00001", "segments": 2}]
    backwards = errors.duplicates(table[::-1])
    pd.testing.assert_frame_equal(found, backwards)


def test_table_without_duplicates_has_none(table):
    alone = table[~table["filename"].str.startswith("rock.00001")]
    assert errors.duplicates(alone).empty


@pytest.fixture
def predictions(table):
    """Return predictions in which only blues.00003 and the first of rock.00001 are tested right."""
    right = table["filename"].str.match(r"blues\.00003|rock\.00001\.0")
    other = np.where(table["label"] == "blues", "rock", "blues")
    # rock.00001.1 was trained on: blues.00003.1 equals it.
    part = np.where(table["filename"] == "rock.00001.1.wav", "train", "test")
    lines = zip(table["filename"], part, np.where(right, table["label"], other), strict=True)
    return predicted(*lines)


def test_faults_are_compared_with_the_tracks_without(table, predictions):
    measured = errors.faults(predictions, table).set_index("fault")
    assert list(measured.index) == [
        "duplicate of another track", "an equal segment was trained on",
        "no equal segment was trained on",
    ]  # fmt: skip
    assert measured["tracks"].to_list() == [2, 1, 2]
    assert measured["segments"].to_list() == [3, 1, 2]
    assert measured["with"].to_list() == [100, 100, 100]
    assert measured["without"].to_list() == [0, 0, 0]
    assert measured["difference"].to_list() == [100, 100, 100]
    whole = measured.loc["duplicate of another track"]
    # Every draw of tracks has the same accuracy.
    assert (whole["with low"], whole["with high"]) == (100, 100)
    assert (whole["difference low"], whole["difference high"]) == (100, 100)
    one = measured.loc["an equal segment was trained on"]
    assert one[["with low", "difference low"]].isna().all()  # one track: no interval
    assert (one["without low"], one["without high"]) == (0, 0)
    shown = errors.fault_table(measured.reset_index())
    assert shown["with"].to_list() == ["100.0 (100.0 to 100.0)", "100.0", "100.0 (100.0 to 100.0)"]


def test_fault_that_no_tested_track_has_is_shown_without_accuracy(table, predictions):
    tested = predictions.assign(
        part=predictions["part"].where(~predictions["filename"].str.contains("3.|k.00001"), "train")
    )
    measured = errors.faults(tested, table)
    assert measured["segments"].to_list()[0] == 0
    assert measured["with"].isna().all()
    assert errors.fault_table(measured)["difference"].to_list() == ["–"] * 3


def test_left_out_tracks_are_those_in_no_list_of_the_partition(
    table, predictions, tmp_path, monkeypatch
):
    folder = tmp_path / "splits"
    folder.mkdir()
    for name, listed in {
        "train_filtered.txt": ["blues.00000", "rock.00000"],
        "valid_filtered.txt": ["blues.00001"],
        "test_filtered.txt": ["blues.00002", "rock.00001", "rock.00002", "rock.00003"],
    }.items():
        text = "".join(f"{clip.split('.')[0]}/{clip}.wav\n" for clip in listed)
        (folder / name).write_text(text)
        known = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        monkeypatch.setitem(annotations.LISTS, name, (known, []))
    measured = errors.faults(predictions, table, table_folder=tmp_path).set_index("fault")
    # Left out are blues.00003 and .00004 and rock.00004; of the first, both segments are right.
    line = measured.loc["left out by the published partition"]
    assert (line["tracks"], line["segments"]) == (3, 6)
    assert line["with"] == pytest.approx(100 * 2 / 6)
    assert line["without"] == pytest.approx(100 * 1 / 13)
    assert "left out by the published partition" in errors.fault_table(
        measured.reset_index()
    )["fault"].to_list()  # fmt: skip
    foreign = table.assign(filename="x" + table["filename"])  # the lists are not about this one
    assert len(errors.faults(predictions, foreign, table_folder=tmp_path)) == 3


@needs_shared
def test_duplicates_of_gtzan_are_the_known_fourteen_and_a_partial_one():
    table = pd.read_csv(SHARED / "features_3_sec.csv")
    known = pd.read_csv(SHARED / "splits" / "near_duplicates_30s_features.csv")
    exact = known[known["distance"] == 0]
    assert len(exact) == 14  # README.md of the data
    found = errors.duplicates(table)
    pairs = set(zip(found["a"], found["b"], strict=True))
    # Segments of 3 s also show a repetition that is not exact over 30 s.
    assert pairs - set(zip(exact["a"], exact["b"], strict=True)) == {
        ("reggae.00073", "reggae.00074")
    }
    assert len(pairs) == 15
    repeats = pd.read_csv(SHARED / "splits" / "removed_by_foleis.csv")["excerpt"]
    assert "reggae.00074" in set(repeats)


@needs_shared
def test_left_out_of_gtzan_are_the_listed_seventy():
    table = pd.read_csv(SHARED / "features_3_sec.csv")
    table = table.groupby(clips(table)).head(1).reset_index(drop=True)
    tested = table[["filename", "label"]].assign(part="test", predicted=table["label"])
    measured = errors.faults(tested, table, table_folder=SHARED).set_index("fault")
    assert measured.loc["left out by the published partition", "tracks"] == 70


def scaler(**given):
    columns = given.pop("columns", INPUTS)
    return {
        "columns": columns, "mean": [1.0] * 58, "scale": [2.0] * 58,
        "genres": ["blues", "jazz", "rock"],
    }  # fmt: skip


def test_tested_inputs_are_scaled_in_the_order_of_the_scaler(table, predictions):
    x, y = errors.tested_inputs(predictions[::-1], table, scaler(columns=INPUTS[::-1]))
    assert x.shape == (19, 58, 1)
    assert x.dtype == np.float32
    last = table.iloc[-1]
    assert x[0, :, 0] == pytest.approx([(last[name] - 1) / 2 for name in INPUTS[::-1]], rel=1e-6)
    assert list(y) == [2] * 9 + [0] * 10


def test_table_that_lacks_a_tested_segment_is_told(table, predictions):
    with pytest.raises(InputError, match=r"lacks the tested segment blues\.00000\.0\.wav: name"):
        errors.tested_inputs(predictions, table[1:], scaler())


# Rows of two kinds, half and half: a and its copy b tell them apart, c is noise, d is constant.
SIGNS = np.tile([1.0, -1.0], 500)
X = np.stack([SIGNS, SIGNS, np.random.default_rng(0).normal(size=1000), np.ones(1000)], axis=1)
X = X[:, :, np.newaxis]
KINDS = (SIGNS > 0).astype(int)


def by_both(x):
    """Tell class 1 where a + b > 0, and where they contradict each other in favour of a."""
    one = 2 * x[:, 0, 0] + x[:, 1, 0] > 0
    return np.stack([~one, one], axis=1).astype(float)


def measure(**given):
    frame = errors.importance(by_both, X, KINDS, ["a", "b", "c", "d"], **given)
    return frame.set_index("input")


def test_importance_is_the_accuracy_lost():
    alone = measure(groups={name: [name] for name in "bcda"}, repeats=20)
    # A shuffled column of two equally frequent signs is right in half of the rows.
    assert alone.loc["a", "drop"] == pytest.approx(50, abs=1)
    assert alone.index[0] == "a"
    assert (alone.loc[["b", "c", "d"], ["drop", "SD"]] == 0).all(axis=None)
    # Hypergeometric: the share right after a random permutation has SD 1 / (2 sqrt(n - 1)).
    assert alone.loc["a", "SD"] == pytest.approx(100 / (2 * np.sqrt(999)), rel=0.4)


def test_columns_of_a_group_are_shuffled_together():
    # Shuffled together, a and b still agree in every row; apart, in half of them.
    def where_they_agree(x):
        agree = x[:, 0, 0] == x[:, 1, 0]
        return np.stack([~agree, agree], axis=1).astype(float)

    ones = np.ones(1000, dtype=int)
    names = ["a", "b", "c", "d"]
    groups = {"both": ["a", "b"], "a": ["a"]}
    lost = errors.importance(where_they_agree, X, ones, names, groups=groups)
    lost = lost.set_index("input")
    assert lost.loc["both", "drop"] == 0
    assert lost.loc["a", "drop"] == pytest.approx(50, abs=5)
    assert lost["columns"].to_dict() == {"both": 2, "a": 1}


def test_importance_follows_from_its_seed_and_may_take_fewer_rows():
    groups = {"a": ["a"]}
    drops = [measure(groups=groups, rows=99, seed=seed)["drop"]["a"] for seed in (0, 0, 1)]
    assert drops[0] == drops[1]
    assert drops[0] != drops[2]
    seen = []

    def watch(x):
        seen.append(len(x))
        return by_both(x)

    once = errors.importance(watch, X, KINDS, list("abcd"), groups=groups, rows=99, repeats=1)
    assert seen == [99, 99]
    assert once["SD"].isna().all()


def test_group_with_a_column_that_the_model_lacks_is_told():
    with pytest.raises(InputError, match="names the column tempo, which the model does not take"):
        measure(groups={"tempo": ["tempo"]})


def test_default_groups_hold_every_input_with_its_descriptor():
    apart = {name: them for name, them in errors.GROUPS.items() if name != "all MFCCs"}
    assert sorted(sum(apart.values(), [])) == sorted(INPUTS)
    assert len(apart) == 1 + 8 + 1 + 20  # length, eight descriptors, tempo, MFCC 1 to 20
    assert apart["rms"] == ["rms_mean", "rms_var"]
    assert apart["mfcc2"] == ["mfcc2_mean", "mfcc2_var"]
    assert len(errors.GROUPS["all MFCCs"]) == 40


def test_figures_hold_what_was_measured():
    (ax,) = figures.importance(measure(groups={"a": ["a"], "c": ["c"]}).reset_index()).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "c"]
    assert ax.patches[0].get_width() == pytest.approx(50, abs=3)
    (ax,) = figures.tracks(errors.by_track(PREDICTIONS)).axes
    right, wrong, means = (points.get_offsets() for points in ax.collections)
    # The genres of jazz.00000 are equally probable, so it is taken for the first, blues.
    assert sorted(right[:, 0]) == pytest.approx([100, 100])
    assert sorted(wrong[:, 0]) == pytest.approx([0, 25, 100 / 3])
    assert means[:, 0].tolist() == pytest.approx([125 / 3, 100 / 3, 100])


SOURCE = {"path": "t.csv", "is_sample": False, "clips": 5, "segments": 12, "genres": 3,
          "sha256": "a" * 64}  # fmt: skip


def test_errors_on_tracks_in_words_by_hand():
    # 10 tested segments of 5 tracks: 3 of 4, 1 of 1, and 2 of 3 wrong.
    said = errors.describe_tracks(errors.by_track(PREDICTIONS))
    assert said == (
        "5 tracks were tested. By the mean of its segments' probabilities 40.0% of them are told "
        "right; every segment is right in 2 tracks, none in 1. Half of the 6 wrong segments belong "
        "to 1 tracks (20%)."
    )


def leaves(folder, predictions, *, sha256="a" * 64, **given):
    provenance.write_json(
        folder / "metrics.json",
        {"parameters": {"epochs": 50, "shuffle_columns": False, "split": "segment", **given},
         "source": {**SOURCE, "sha256": sha256}},
    )  # fmt: skip
    (folder / "history.csv").write_text("epoch\n1\n")
    provenance.write_csv(folder / "predictions.csv", predictions)


def test_trainings_looked_at_are_the_last_row_and_the_one_by_track(tmp_path):
    source = Source(**SOURCE, ignored_columns=[])
    with pytest.raises(InputError, match="holds no finished row"):
        errors.find(tmp_path, source)
    for name in ("9", "10"):
        leaves(tmp_path / "rows" / name, PREDICTIONS)
    assert errors.find(tmp_path, source) == {"segment": tmp_path / "rows/10"}
    leaves(tmp_path / "splits/track/lstm", PREDICTIONS, split="track", sha256="b" * 64)
    with pytest.raises(InputError, match="lstm was measured on .*name that table"):
        errors.find(tmp_path, source)
    leaves(tmp_path / "splits/track/lstm", PREDICTIONS, split="track")
    assert list(errors.find(tmp_path, source)) == ["segment", "track"]


def test_order_is_worth_the_difference_between_equal_recipes(tmp_path):
    source = Source(**SOURCE, ignored_columns=[])
    assert errors.order(tmp_path, source).empty
    better = PREDICTIONS.assign(predicted=PREDICTIONS["label"])
    leaves(tmp_path / "shuffled", PREDICTIONS, shuffle_columns=True)
    leaves(tmp_path / "rows/4", PREDICTIONS, epochs=40)
    assert errors.order(tmp_path, source).empty
    leaves(tmp_path / "rows/5", better)
    line = errors.order(tmp_path, source).iloc[0]
    assert (line["row"], line["in order"], line["shuffled"]) == ("5", 100, 40)
    assert line["difference"] == pytest.approx(60)
    assert 0 < line["low"] < 60 < line["high"] <= 100
    said = errors.describe_order(errors.order(tmp_path, source))
    assert "**the table's order is better than the one drawn**" in said
    assert errors.describe_order(pd.DataFrame()).startswith("Not measured")


def test_faults_are_told_apart_in_words_only_where_the_interval_excludes_zero():
    line = {"fault": "twin", "difference": -20.0, "difference low": -30.0, "difference high": -5.0}
    apart, alike = pd.DataFrame([line]), pd.DataFrame([{**line, "difference high": 5.0}])
    said = errors.describe_faults({"segment": apart, "track": alike})
    assert "excludes zero: *twin*: -20.0 points (95 % interval -30.0 to -5.0)." in said
    assert "by track, no kind of fault can be told from the rest." in said


def test_importance_in_words_names_what_costs_most_and_what_nothing():
    drops = pd.DataFrame(
        {"input": list("abcde"), "drop": [1.0, 9.0, 0.1, 4.0, 3.0], "SD": [0.1, 1.0, 0.2, 0.5, 0.2]}
    )
    assert errors.describe_importance(drops) == (
        "Shuffling *b* costs 9.0 points of accuracy, the most; next come *d* 4.0; *e* 3.0; *a* "
        "1.0. Of 5 inputs and groups 1 cost too little to be told from nothing: c."
    )


def test_importance_is_measured_with_the_runs_model_and_kept(tmp_path, table, predictions):
    with pytest.raises(InputError, match=r"neither model\.keras nor importance\.csv"):
        errors.importance_of(tmp_path, table)
    leaves(tmp_path, predictions)
    model = lstm.lstm(58, 3, activation="tanh", dropout=0.0, learning_rate=1e-3, seed=0)
    model.save(tmp_path / "model.keras")
    genres = sorted(set(table["label"]) | {"jazz", "rock"})
    scaler = {"columns": INPUTS, "mean": [0.0] * 58, "scale": [1.0] * 58, "genres": genres}
    provenance.write_json(tmp_path / "scaler.json", scaler)
    drops = errors.importance_of(tmp_path, table, repeats=2)
    assert set(drops["input"]) == set(errors.GROUPS)
    (tmp_path / "model.keras").unlink()
    assert errors.importance_of(tmp_path, table).equals(drops)
