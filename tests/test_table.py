"""The table is found in the stated order, and bad input is told in one sentence."""

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED, needs_shared

from music_genre.data import find, table
from music_genre.data.columns import COLUMNS
from music_genre.exceptions import InputError


def written(tmp_path, rows):
    path = tmp_path / "mine.csv"
    rows.to_csv(path, index=False)
    return str(path)


def test_named_table_comes_before_published_before_extracted_before_sample(
    tmp_path, monkeypatch, few_rows
):
    monkeypatch.setattr(find, "DATA", tmp_path)
    monkeypatch.setattr(find, "EXTRACTED", tmp_path / "extracted.csv")
    assert find.features_table() == find.SAMPLE_TABLE
    few_rows.to_csv(tmp_path / "extracted.csv", index=False)
    assert find.features_table() == find.SAMPLE_TABLE  # it is of other music
    (tmp_path / "genres" / "rock").mkdir(parents=True)
    (tmp_path / "genres" / "rock" / "x.wav").touch()
    assert find.features_table() == tmp_path / "extracted.csv"
    published = tmp_path / "Data" / "features_3_sec.csv"  # as Kaggle's archive has it
    published.parent.mkdir()
    few_rows.to_csv(published, index=False)
    assert find.features_table() == published
    assert str(find.features_table("named.csv")) == "named.csv"


def test_source_says_what_the_table_is(tmp_path, few_rows):
    path = written(tmp_path, few_rows)
    rows, source = table.load(path)
    assert list(rows) == COLUMNS
    assert (source.clips, source.segments, source.genres) == (12, 60, 3)
    assert source.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert source.label == f"mine.csv: 12 clips, 60 segments, sha256 {source.sha256[:12]}"
    assert not source.is_sample


def test_table_that_lacks_some_of_the_published_segments_says_so():
    source = table.Source("data/features_3_sec.csv", False, 1000, 9268, 10, "a" * 64)
    assert source.in_words == "9,268 of the published 9,990 segments"
    assert replace(source, segments=9990).in_words == "9,990 segments"
    assert replace(source, path="extracted.csv").in_words == "9,268 segments"
    assert replace(source, clips=930).in_words == "9,268 segments"


def test_sample_is_ten_genres_of_ten_clips_of_five_segments():
    rows, source = table.load(str(find.SAMPLE_TABLE))
    assert source.is_sample
    assert (source.clips, source.segments, source.genres) == (100, 500, 10)
    assert (rows.groupby("label").size() == 50).all()


@needs_shared
def test_published_table_loads():
    segments, source = table.load(str(SHARED / "whole" / "features_3_sec.csv"))
    assert segments.shape == (table.PUBLISHED, 60)
    assert (source.clips, source.ignored_columns) == (1000, [])
    assert source.in_words == "9,990 segments"


def test_extra_columns_are_named_and_left_out(tmp_path, few_rows):
    segments, source = table.load(written(tmp_path, few_rows.assign(more=1, source="x")))
    assert list(segments) == COLUMNS
    assert source.ignored_columns == ["more", "source"]


@pytest.mark.parametrize(
    ("filename", "label", "length", "track"),
    [
        ("blues.00000.3.wav", "blues", 66_149, "blues.00000"),
        ("rock.A/01.10.wav", "rock", 66_149, "rock.A/01"),
        ("blues.00000.wav", "blues", 661_794, "blues.00000"),
        ("blues.00000.wav", "blues", 66_149, "blues.00000"),
        ("hiphop.00012.wav", "hip-hop", 661_794, "hiphop.00012"),
        ("song.01.wav", "rock", 66_149, "song"),
        ("song.wav", "rock", 661_794, "song"),
        ("rock.3.wav", "rock", 661_794, "rock.3"),
        ("Vol. 2.wav", "rock", 661_794, "Vol. 2"),
        ("rock.3.wav", "rock", 66_149, None),
        ("song.wav", "rock", 66_149, None),
    ],
)
def test_a_row_tells_its_track_or_nothing(filename, label, length, track):
    row = pd.DataFrame({"filename": [filename], "label": [label], "length": [length]})
    told = table.tracks(row).iloc[0]
    assert told == track if track else pd.isna(told)


def test_a_table_of_one_row_per_track_has_so_many_clips(tmp_path, few_rows):
    names = few_rows["label"] + "." + (few_rows.index % 20).astype(str).str.zfill(5) + ".wav"
    _, source = table.load(written(tmp_path, few_rows.assign(filename=names, length=661_794)))
    assert "mine.csv: 60 clips, 60 segments" in source.label


def test_where_tracks_are_not_told_none_are_counted(tmp_path, few_rows):
    names = [f"song {i}.wav" for i in few_rows.index]
    _, source = table.load(written(tmp_path, few_rows.assign(filename=names)))
    assert source.label.startswith("mine.csv: 60 segments, ")


@needs_shared
def test_the_published_table_of_whole_tracks_has_a_thousand():
    rows = pd.read_csv(SHARED / "features_30_sec.csv")
    assert len(rows) == table.tracks(rows).nunique()


def test_missing_file_is_named():
    with pytest.raises(InputError, match=r"^nowhere\.csv does not exist: "):
        table.load("nowhere.csv")


@pytest.mark.parametrize("typed", ["mine.csv", "~/mine.csv"])
def test_home_is_where_a_user_says_it_is(tmp_path, monkeypatch, few_rows, typed):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    written(tmp_path, few_rows)
    assert table.load(typed)[1].segments == 60


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\xff\xfe\x00", b'a,b\n1,2\n4,5,6\n7,"']
)
def test_file_that_is_no_table(tmp_path, content):
    path = tmp_path / "picture.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^picture\.csv cannot be read as a CSV table .*\.$"):
        table.load(str(path))


def a_folder(path):
    path.mkdir()


def a_sparse_file(path):
    with path.open("wb") as file:
        file.truncate(10 * 2**30)


def cut_off_while_copied(path):
    with path.open("wb") as file:
        file.write(find.SAMPLE_TABLE.read_bytes())
        file.truncate(10 * 2**30)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (a_folder, "is a folder and no table"),
        (os.mkfifo, "is a pipe or a device and no file"),
        (a_sparse_file, "some were never written"),
        (cut_off_while_copied, "some were never written"),
        (lambda path: path.symlink_to("gone.csv"), "does not exist"),
        (lambda path: path.write_text("a,b", encoding="utf-16"), "bytes of zero"),
    ],
    ids=["folder", "pipe", "sparse", "cut off", "broken link", "UTF-16"],
)
def test_what_can_be_no_table_is_told_at_once(tmp_path, make, sentence):
    make(tmp_path / "t.csv")
    for read in (table.load, find.features_and_music):
        with pytest.raises(InputError, match=rf"^t\.csv .*{sentence}"):
            read(str(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("separator", "decimal", "called"),
    [(";", ",", "semicolons"), (";", ".", "semicolons"), ("\t", ",", "tabs"), ("|", ".", "bars")],
)
def test_other_separators_are_named(tmp_path, few_rows, separator, decimal, called):
    few_rows.to_csv(tmp_path / "t.csv", index=False, sep=separator, decimal=decimal,
                    encoding="utf-8-sig")  # fmt: skip
    with pytest.raises(InputError, match=f"separates its columns by {called}"):
        table.load(str(tmp_path / "t.csv"))


def test_decimal_commas_are_named(tmp_path, few_rows):
    few_rows.to_csv(tmp_path / "t.csv", index=False, decimal=",")
    with pytest.raises(InputError, match="is not numeric: .* write a number, with a decimal point"):
        table.load(str(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("blank", "sentence"),
    [([60], "row 61 is blank"), ([60, 61], "2 of rows 61 to 62 are blank"),
     ([30], "row 31 is blank")],
)  # fmt: skip
def test_blank_rows_are_numbered(tmp_path, few_rows, blank, sentence):
    lines = few_rows.to_csv(index=False).splitlines()
    for row in blank:
        lines.insert(row + 1, "," * 59)
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=sentence):
        table.load(str(tmp_path / "t.csv"))


def test_a_segment_without_a_name_is_told_by_its_row(tmp_path, few_rows):
    few_rows.loc[6, "filename"] = ""
    with pytest.raises(InputError, match="the filename of row 7 is empty"):
        table.load(written(tmp_path, few_rows))


@pytest.mark.parametrize("value", [1e300, -1e300, 1e19])
def test_a_number_beyond_any_sound_is_named(tmp_path, few_rows, value):
    few_rows.loc[4, "tempo"] = value
    with pytest.raises(InputError, match=r"tempo is -?1e\+\d+ in segment blues\.00000\.4\.wav"):
        table.load(written(tmp_path, few_rows))


def test_missing_columns_are_named(tmp_path, few_rows):
    path = written(tmp_path, few_rows.drop(columns=["tempo", "label"]))
    with pytest.raises(InputError, match="lacks the columns tempo, label: "):
        table.load(path)


def test_text_in_a_number_column_is_named(tmp_path, few_rows):
    rows = few_rows.astype({"tempo": object})
    rows.loc[7, "tempo"] = "fast"
    with pytest.raises(
        InputError, match=r"column tempo is not numeric: segment blues\.00001\.2\.wav"
    ):
        table.load(written(tmp_path, rows))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_named_by_segment(tmp_path, few_rows, value):
    few_rows.loc[[3, 4], "rms_var"] = value
    message = r"rms_var is NaN or infinite in segment blues\.00000\.3\.wav \(and 1 more\)"
    with pytest.raises(InputError, match=message):
        table.load(written(tmp_path, few_rows))


@pytest.mark.parametrize("label", [np.nan, "", "  "])
def test_empty_label(tmp_path, few_rows, label):
    few_rows.loc[3, "label"] = label
    with pytest.raises(InputError, match=r"label of segment blues\.00000\.3\.wav is empty"):
        table.load(written(tmp_path, few_rows))


def test_genre_of_one_segment(tmp_path, few_rows):
    few_rows.loc[3, "label"] = "polka"
    with pytest.raises(InputError, match="only one segment of genre polka"):
        table.load(written(tmp_path, few_rows))


def test_single_genre_and_no_segments(tmp_path, few_rows):
    with pytest.raises(InputError, match="only the genre blues"):
        table.load(written(tmp_path, few_rows[few_rows["label"] == "blues"]))
    with pytest.raises(InputError, match="holds no segments"):
        table.load(written(tmp_path, few_rows.head(0)))


def test_segment_that_stands_twice(tmp_path, few_rows):
    few_rows.loc[1, "filename"] = few_rows.loc[0, "filename"]
    with pytest.raises(InputError, match=r"blues\.00000\.0\.wav stands more than once"):
        table.load(written(tmp_path, few_rows))


def test_clips_left_out_of_an_extraction_are_told(tmp_path, few_rows):
    path = written(tmp_path, few_rows)
    problem = {"clip": "jazz.00054", "path": "jazz.00054.wav", "reason": "jazz.00054.wav cannot"}
    beside = Path(path).with_suffix(".problems.json")
    beside.write_text(json.dumps({"clips": 12, "segments": 60, "problems": [problem]}))
    _, source = table.load(path)
    assert source.left_out == [problem]
    assert "12 clips (1 left out), 60 segments" in source.label
    beside.write_text(json.dumps({"clips": 12, "segments": 61, "problems": [problem]}))
    _, source = table.load(path)  # written for another table
    assert source.left_out == []


def test_deviation_is_in_standard_deviations_of_the_column(few_rows):
    other = few_rows[10:].copy()
    other["tempo"] += 0.5 * few_rows["tempo"].std()
    apart = table.deviation(few_rows, other).set_index("column")
    assert apart.loc["tempo", "largest"] == pytest.approx(0.5)
    assert apart.loc["rms_var", "largest"] == 0
    assert (apart["segments"] == 50).all()


def test_comparison_needs_another_table_of_the_same_clips(tmp_path, monkeypatch, few_rows):
    monkeypatch.setattr(find, "EXTRACTED", tmp_path / "gone.csv")
    path = written(tmp_path, few_rows)
    rows, source = table.load(path)
    assert table.comparison(rows, source) is None
    assert table.comparison(rows, source, path) is None  # the same table
    few_rows.assign(tempo=1.0).to_csv(tmp_path / "other.csv", index=False)
    apart, other = table.comparison(rows, source, str(tmp_path / "other.csv"))
    assert len(apart) == 57
    assert other.path == "other.csv"


def test_a_table_is_known_by_its_content_whatever_its_file(few_rows, tmp_path):
    def source(frame, **how):
        frame.to_csv(tmp_path / "t.csv", index=False, **how)
        return table.load(str(tmp_path / "t.csv"))[1]

    one = source(few_rows)
    shuffled = few_rows.sample(frac=1, random_state=0).assign(more="x")
    other = source(shuffled, float_format="%.6g", lineterminator="\r\n")
    assert other.sha256 != one.sha256
    assert table.same_content(one, other)
    moved = few_rows.copy()
    moved.loc[3, "tempo"] += 0.1 * few_rows["tempo"].std()
    assert not table.same_content(one, source(moved))
    named = few_rows.copy()
    named.loc[3, "label"] = few_rows["label"].iloc[-1]
    assert not table.same_content(one, source(named))
