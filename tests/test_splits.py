"""Each split keeps disjoint what it must, on tables arranged to break it."""

import dataclasses
import hashlib

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, needs_shared

from music_genre.data import annotations, splits
from music_genre.data.columns import COLUMNS, FEATURES
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.table import clips
from music_genre.exceptions import InputError

GTZAN_TABLE = SHARED / "whole" / "features_3_sec.csv"


@pytest.fixture(scope="module")
def sample():
    return pd.read_csv(SAMPLE_TABLE)


@pytest.fixture(scope="module")
def gtzan():
    return pd.read_csv(GTZAN_TABLE)[COLUMNS]


@pytest.fixture(autouse=True)
def no_lists(tmp_path, monkeypatch):
    """Keep the lists in the user's data folder out of the tests."""
    monkeypatch.setattr(annotations, "DATA", tmp_path / "data")


def made_up(clips, *, segments=3):
    """Return a table of noise, with segments of all clips by turns: no track is in one piece."""
    names = [f"{clip}.{segment}.wav" for segment in range(segments) for clip in clips]
    noise = np.random.default_rng(0).normal(size=(len(names), len(FEATURES)))
    table = pd.DataFrame(noise, columns=FEATURES).assign(length=66_149.0, filename=names)
    return table.assign(label=[name.split(".")[0] for name in names])[COLUMNS]


def publish(folder, monkeypatch, **contents):
    """Write lists into a folder, and make them the published ones."""
    folder.mkdir(parents=True)
    published = {}
    for name, lines in contents.items():
        text = "".join(f"{line}\n" for line in lines)
        (folder / f"{name}.txt").write_text(text)
        published[f"{name}.txt"] = (f"sha256:{hashlib.sha256(text.encode()).hexdigest()}", [])
    monkeypatch.setattr(annotations, "LISTS", published)


def partition(train, validation, test, *, index=()):
    named = {"train_filtered": train, "valid_filtered": validation, "test_filtered": test}
    entries = {
        name: [f"{clip.split('.')[0]}/{clip}.wav" for clip in listed]
        for name, listed in named.items()
    }
    return {**entries, "GTZANindex": ["## comment", *index]}


def split(table, name, *, test_size=0.33, seed=0, **more):
    return splits.split(table, name, test_size=test_size, seed=seed, **more)


@pytest.mark.parametrize("name", ["segment", "track"])
def test_third_is_held_out_of_each_genre_and_the_seed_decides(sample, name):
    parts = split(sample, name)
    assert set(parts) == {"train", "test"}
    assert parts.shape == (500,)
    test = parts == "test"
    assert abs(test.mean() - 0.33) < 0.04
    assert sample["label"][test].value_counts().between(10, 25).all()
    assert np.array_equal(parts, split(sample, name))
    assert not np.array_equal(parts, split(sample, name, seed=1))


def test_segments_of_a_track_fall_on_both_sides_of_the_papers_split(sample):
    parts = split(sample, "segment")
    leaks = splits.leaks(sample, parts, splits.artists(sample))
    by_hand = set(clips(sample)[parts == "test"]) & set(clips(sample)[parts == "train"])
    assert leaks.loc["train and test", "tracks"] == len(by_hand) > 70


@pytest.mark.parametrize("seed", range(5))
def test_no_track_is_on_both_sides_of_a_split_by_track(seed):
    table = made_up([f"{genre}.{i:05d}" for genre in ("a", "b") for i in range(7)])
    table = table.sample(frac=0.8, random_state=seed)  # tracks of all sizes, index out of order
    parts = split(table, "track", seed=seed)
    assert not set(clips(table)[parts == "test"]) & set(clips(table)[parts == "train"])


TRAIN = [f"{genre}.{i:05d}" for genre in ("a", "b") for i in range(20)]
VALIDATION, TEST = ["a.00020", "b.00020"], ["a.00021", "b.00021"]
FAULTY = ["a.00022"]


def test_split_by_artist_is_the_published_one_whatever_seed_and_size(tmp_path, monkeypatch):
    publish(tmp_path / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST))
    table = made_up([*TRAIN, *VALIDATION, *TEST, *FAULTY])
    parts = split(table, "artist", table_folder=tmp_path)
    members = {part: set(clips(table)[parts == part]) for part in set(parts)}
    expected = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "unused": FAULTY}
    assert members == {part: set(listed) for part, listed in expected.items()}
    assert np.array_equal(
        parts, split(table, "artist", test_size=0.5, seed=9, table_folder=tmp_path)
    )


def test_lists_are_looked_for_in_data_first_and_altered_ones_are_not_taken(tmp_path, monkeypatch):
    table = made_up([*TRAIN, *VALIDATION, *TEST])
    publish(annotations.DATA / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST))
    assert set(split(table, "artist")) == {"train", "validation", "test"}
    (annotations.DATA / "splits" / "test_filtered.txt").write_text("a/a.00000.wav\n")
    with pytest.raises(InputError, match=r"published list test_filtered\.txt.*run `make data`"):
        split(table, "artist", table_folder=tmp_path)


def test_leaks_between_parts_are_counted(tmp_path, monkeypatch):
    index = [
        "a.00000.wav ::: Ann ::: One", "a.00021.wav ::: Ann ::: Two",  # train and test
        "b.00020.wav ::: Bob ::: ", "b.00021.wav ::: Bob ::: Three",  # validation and test
        "a.00001.wav :::  ::: Four", "a.00020.wav :::  ::: Five",  # no artist is none in common
        "b.00001.wav ::: Cy ::: Six", "b.00002.wav ::: Cy ::: Seven",  # both in train
        "b.00003.wav ::: Di ::: Eight", "a.00022.wav ::: Di ::: Nine",  # one of them unused
    ]  # fmt: skip
    publish(tmp_path / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST, index=index))
    table = made_up([*TRAIN, *VALIDATION, *TEST, *FAULTY])
    row = {name: i for i, name in enumerate(table["filename"])}
    features = table.columns.get_indexer(FEATURES)
    for copy, original in [
        ("a.00021.0.wav", "b.00004.1.wav"),  # train and test, across genres
        ("a.00021.1.wav", "b.00004.2.wav"),
        ("a.00022.0.wav", "a.00005.0.wav"),  # unused
        ("a.00006.1.wav", "a.00006.0.wav"),  # both in train
        ("b.00020.0.wav", "b.00007.0.wav"),  # not all features: below
    ]:
        table.iloc[row[copy], features] = table.iloc[row[original], features]
    table.loc[row["b.00020.0.wav"], FEATURES[-1]] += 1
    table.index = table.index[::-1]  # segments go by position
    listed = [clips(table).isin(of) for of in (TRAIN, VALIDATION, TEST)]
    parts = np.select(listed, splits.PARTS, "unused")
    leaks = splits.leaks(table, parts, splits.artists(table, tmp_path))
    assert leaks.to_dict("index") == {
        "train and validation": {"tracks": 0, "artists": 0, "equal segments": 0},
        "train and test": {"tracks": 0, "artists": 1, "equal segments": 2},
        "validation and test": {"tracks": 0, "artists": 1, "equal segments": 0},
    }
    assert splits.sizes(parts) == {"train": 120, "validation": 6, "test": 6, "unused": 3}


def test_shared_artist_breaks_the_split_by_artist(tmp_path, monkeypatch):
    index = ["a.00000.wav ::: Ann ::: One", "a.00021.wav ::: Ann ::: Two"]  # train and test
    publish(tmp_path / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST, index=index))
    table = made_up([*TRAIN, *VALIDATION, *TEST])
    with pytest.raises(
        InputError, match=r"artist must keep artists disjoint, but 1 of them \(Ann\)"
    ):
        split(table, "artist", table_folder=tmp_path)


def test_new_split_is_one_entry_and_is_held_to_what_it_promises(few_rows, monkeypatch):
    def odd_segments(table, *, test_size, seed, table_folder):
        return np.where(np.arange(len(table)) % 2, "test", "train")

    entry = splits.Split(odd_segments, ("tracks",), "odd segments", "#000000")
    monkeypatch.setitem(splits.SPLITS, "odd", entry)
    with pytest.raises(InputError, match="split by odd must keep tracks disjoint, but 12 of them"):
        split(few_rows, "odd")
    monkeypatch.setitem(splits.SPLITS, "odd", dataclasses.replace(entry, disjoint_by=()))
    assert (split(few_rows, "odd") == "test").sum() == 30
    with pytest.raises(InputError, match="by odd has no folds: cross-validate by segment or track"):
        splits.folds(few_rows, "odd", seed=0)


def test_without_the_index_artists_are_not_known(sample):
    parts = split(sample, "track")
    leaks = splits.leaks(sample, parts, splits.artists(sample))
    assert leaks.loc["train and test", ["tracks", "equal segments"]].tolist() == [0, 0]
    assert leaks["artists"].isna().all()


def test_few_listed_clips_that_the_table_lacks_are_named_and_left_out(
    tmp_path, monkeypatch, capsys
):
    publish(tmp_path / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST))
    table = made_up([*TRAIN[1:], *VALIDATION, *TEST])  # 1 of 40: 2.5 %
    parts = split(table, "artist", table_folder=tmp_path)
    assert (parts == "train").sum() == 39 * 3
    assert "train_filtered.txt names clips that the table lacks, left out: a.00000\n" in (
        capsys.readouterr().out
    )


def test_many_listed_clips_that_the_table_lacks_are_an_error(tmp_path, monkeypatch):
    publish(tmp_path / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST))
    table = made_up([*TRAIN[2:], *VALIDATION, *TEST])  # 2 of 40: 5 %
    with pytest.raises(InputError, match=r"lacks 2 of the 40 clips in train_filtered\.txt"):
        split(table, "artist", table_folder=tmp_path)


@needs_shared
def test_published_partition_has_its_sizes_and_keeps_tracks_and_artists_apart(gtzan):
    parts = split(gtzan, "artist", table_folder=SHARED)
    tracks = clips(gtzan).groupby(parts).nunique()
    assert tracks.to_dict() == {"train": 443, "validation": 197, "test": 290, "unused": 70}
    excluded = pd.read_csv(SHARED / "splits" / "excluded_by_kereliuk.csv")["excerpt"]
    assert set(clips(gtzan)[parts == "unused"]) == set(excluded)
    artists = splits.artists(gtzan, SHARED)
    assert clips(gtzan)[artists.isna()].nunique() == 81  # SOURCE.txt
    leaks = splits.leaks(gtzan, parts, artists)
    assert (leaks[["tracks", "artists"]] == 0).all(axis=None)


@needs_shared
def test_published_partition_goes_on_without_the_unreadable_clip(gtzan, capsys):
    readable = gtzan[clips(gtzan) != "jazz.00054"]
    parts = split(readable, "artist", table_folder=SHARED)
    assert clips(readable)[parts == "train"].nunique() == 442
    assert "left out: jazz.00054\n" in capsys.readouterr().out


@needs_shared
def test_exact_duplicates_of_gtzan_are_the_known_fourteen():
    whole_clips = pd.read_csv(SHARED / "features_30_sec.csv")
    pairs = pd.read_csv(SHARED / "splits" / "near_duplicates_30s_features.csv")
    second = whole_clips["filename"].str.removesuffix(".wav").isin(pairs["b"])
    parts = np.where(second, "test", "train")
    leaks = splits.leaks(whole_clips, parts, splits.artists(whole_clips))
    assert leaks.loc["train and test", "equal segments"] == 14


@needs_shared
def test_sample_is_no_table_for_the_published_partition(sample):
    with pytest.raises(InputError, match="needs GTZAN's full table; run `make data`, or name"):
        split(sample, "artist", table_folder=SHARED)


@pytest.mark.parametrize("odd", ["song.wav", "blues.7.wav"])
def test_table_without_track_names_can_only_be_split_by_segment(few_rows, odd):
    few_rows.loc[7, "filename"] = odd
    assert set(split(few_rows, "segment")) == {"train", "test"}
    for name in ("track", "artist"):
        with pytest.raises(InputError, match=f"filename {odd} does not tell .* choose split segm"):
            split(few_rows, name)
    with pytest.raises(InputError, match="choose split segment"):
        splits.folds(few_rows, "track", n=3, seed=0)
    named = few_rows.assign(filename=[f"{i}.wav" for i in few_rows.index])
    parts = split(named, "segment")
    leaks = splits.leaks(named, parts, splits.artists(named))
    assert leaks["tracks"].isna().all()


@pytest.mark.parametrize("name", ["segment", "track"])
def test_every_segment_tests_in_one_of_ten_folds(sample, name):
    folds = splits.folds(sample, name, seed=0)
    assert len(folds) == 10
    assert (np.sum(folds, axis=0) == 1).all()
    for test in folds:
        assert sample["label"][test].value_counts().to_list() == [5] * 10
    shared = [set(clips(sample)[test]) & set(clips(sample)[~test]) for test in folds]
    assert all(shared) if name == "segment" else not any(shared)
    assert np.array_equal(folds, splits.folds(sample, name, seed=0))
    assert not np.array_equal(folds, splits.folds(sample, name, seed=1))


def test_folds_that_cannot_be_are_told(few_rows):
    with pytest.raises(InputError, match="by artist has no folds: cross-validate by segment or tr"):
        splits.folds(few_rows, "artist", seed=0)
    with pytest.raises(InputError, match="no test segment of genre"):
        splits.folds(few_rows, "track", n=10, seed=0)  # four tracks a genre
    with pytest.raises(InputError, match="60 segments cannot be split by segment into 30 folds"):
        splits.folds(few_rows, "segment", n=30, seed=0)


def test_genre_that_cannot_be_on_both_sides(few_rows, tmp_path, monkeypatch):
    one_track = few_rows["label"] != "metal"
    one_track |= clips(few_rows) == "metal.00000"
    with pytest.raises(InputError, match="no (training|test) segment of genre metal"):
        split(few_rows[one_track], "track", test_size=0.25)
    publish(tmp_path / "splits", monkeypatch, **partition(TRAIN, VALIDATION, TEST[:1]))
    with pytest.raises(InputError, match="by artist leaves no test segment of genre b"):
        split(made_up([*TRAIN, *VALIDATION, *TEST]), "artist", table_folder=tmp_path)


def test_test_size_that_leaves_too_few_segments(few_rows):
    with pytest.raises(InputError, match=r"test_size 0\.01 of 60 segments"):
        split(few_rows, "segment", test_size=0.01)


def test_validation_is_set_aside_from_training_as_the_split_draws():
    few_rows = pd.read_csv(SAMPLE_TABLE)
    for name in ("segment", "track"):
        parts = splits.split(few_rows, name, test_size=0.33, seed=3)
        aside = splits.set_aside(few_rows, parts, name, share=0.25, seed=3)
        assert set(aside) == {"train", "validation", "test"}
        assert np.array_equal(aside == "test", parts == "test")
        share = (aside == "validation").sum() / (parts == "train").sum()
        assert share == pytest.approx(0.25, abs=0.05)
        again = splits.set_aside(few_rows, parts, name, share=0.25, seed=3)
        assert np.array_equal(aside, again)
    tracks = clips(few_rows)
    assert not set(tracks[aside == "train"]) & set(tracks[aside == "validation"])


def test_split_with_validation_segments_of_its_own_takes_none_aside(few_rows):
    parts = np.array(["train", "validation", "test"] * 20)
    with pytest.raises(InputError, match="leave validation_size at 0"):
        splits.set_aside(few_rows, parts, "artist", share=0.2, seed=0)
