"""A collection of one's own: that it is one, who plays in it, and what is wrong with it."""

import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from music_genre.analysis import collection
from music_genre.build import plan, typed
from music_genre.data import artists, extraction, find, gtzan, table
from music_genre.data.columns import FEATURES
from music_genre.exceptions import InputError
from music_genre.models import crossvalidation
from music_genre.paths import ROOT
from music_genre.provenance import write_json

GENRES = {"classical": "R&B", "metal": "演歌", "blues": "trip hop"}
TRACKS = 9


@pytest.fixture(scope="module")
def renamed():
    """Return real segments as a collection: three genres, nine tracks each."""
    rows = pd.read_csv(find.SAMPLE_TABLE)
    parts = rows["filename"].str.extract(r"^(\w+)\.(\d+)\.(\d+)\.wav$")
    rows = rows[parts[0].isin(GENRES) & (parts[1].astype(int) < TRACKS)].copy()
    rows["label"] = rows["label"].map(GENRES)
    name = [f"song {int(one)}" for one in parts.loc[rows.index, 1]]
    rows["filename"] = rows["label"] + "." + name + "." + parts.loc[rows.index, 2] + ".wav"
    return rows.sort_values("filename", ignore_index=True)


def source_of(rows):
    return table.Source("t.csv", False, 0, len(rows), 0, "", fingerprint=table.fingerprint(rows))


def sound(path, *, artist="", seconds=3.2, pitch=440, **form):
    path.parent.mkdir(parents=True, exist_ok=True)
    y = 0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * 22_050)) / 22_050)
    with soundfile.SoundFile(path, "w", 22_050, 1, **form) as file:
        if artist:
            file.artist = artist
        file.write(y)


# ---- Whether it is one.


def test_gtzan_is_told_from_other_music_by_folder_and_by_table(tmp_path, renamed):
    for genre, name in (("blues", "blues.00000"), ("hip-hop", "hip-hop.00099")):
        sound(tmp_path / "copy of it" / genre / f"{name}.wav")
    assert find.collection_of_clips(tmp_path / "copy of it") == ""
    sound(tmp_path / "copy of it" / "polka" / "1.wav")
    assert find.collection_of_clips(tmp_path / "copy of it") == "copy of it"
    sound(tmp_path / "Mine" / "genres" / "rock" / "rock.00100.wav")  # GTZAN's end with 00099
    sound(tmp_path / "Mine" / "genres" / "jazz" / "a.wav")
    assert find.collection_of_clips(tmp_path / "Mine" / "genres") == "Mine"
    assert not gtzan.is_gtzan(gtzan.find_clips(tmp_path / "Mine"))

    renamed.to_csv(tmp_path / "rare grooves.csv", index=False)
    for path, name in (
        (find.SAMPLE_TABLE, ""),
        (shutil.copy(find.SAMPLE_TABLE, tmp_path / "features_3_sec.csv"), ""),
        (tmp_path / "rare grooves.csv", "rare grooves"),
        (shutil.copy(tmp_path / "rare grooves.csv", tmp_path / "Mine/features_3_sec.csv"), "Mine"),
    ):
        assert find.collection(path) == table.load(str(path))[1].collection == name
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe no table")
    assert find.collection(tmp_path / "odd.csv") == ""


def test_an_extraction_notes_name_artists_and_copies(tmp_path):
    music = tmp_path / "My & 音楽"
    sound(music / "polka" / "Band" / "Album" / "1.wav", seconds=6.2)
    sound(music / "waltz" / "2.wav", artist="Other", seconds=6.2, pitch=700)
    shutil.copy(music / "waltz" / "2.wav", music / "polka" / "3.wav")
    extraction.describe_folder(music, tmp_path / "out.csv")
    segments, source = table.load(str(tmp_path / "out.csv"))
    assert source.collection == "My & 音楽"
    assert source.label.startswith("My & 音楽: 3 clips, 6 segments")
    known, by = artists.of_table(segments, tmp_path / "out.csv")
    assert known.tolist() == ["other", "other", "band", "band", "other", "other"]
    assert by == {"tag": 2, "folder": 1}
    twins = collection.duplicates(segments, tmp_path / "out.csv")
    assert twins.iloc[0].to_list() == [
        "polka.3", "polka", "waltz.2", "waltz", "the same file", 0.0,
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_artist_is_read_from_tags_in_every_format(tmp_path, suffix):
    sound(tmp_path / "g" / "Folder" / f"x.{suffix}", artist="Nina  Simone feat. Somebody")
    found = artists.of_files(gtzan.list_files(tmp_path))
    assert [*found.values()] == [{"artist": "nina simone", "by": "tag"}]


def test_nobody_is_no_artist(tmp_path):
    sound(tmp_path / "g" / "Various Artists" / "x" / "1.wav", artist="Unknown Artist")
    sound(tmp_path / "g" / "2.wav")
    sound(tmp_path / "h" / "Band" / "3.wav", artist="VA")
    assert artists.of_files(gtzan.list_files(tmp_path)) == {
        "h.Band/3": {"artist": "band", "by": "folder"}
    }


# ---- What is planned and refused.


def test_report_on_a_collection_has_its_own_table_and_nothing_of_the_paper():
    asked = typed.of_collection(typed.options({}, splits=[]), "Mine", {})
    assert asked.table == "collection"
    names = [step.target.relative_to(ROOT / "reports/collection") for step in plan.steps(asked)]
    assert [str(name) for name in names] == [
        "rows/lstm/train.ipynb", "collection.ipynb", "explore.ipynb", "features.ipynb",
        "rows/lstm/evaluate.ipynb", "errors.ipynb",
    ]  # fmt: skip
    given = {"TABLE": "table1"}
    asked = typed.of_collection(typed.options(given, splits=[]), "Mine", given)
    assert asked.table == "table1"
    assert not {"table1", "contradictions"} & {step.notebook for step in plan.steps(asked)}


@pytest.mark.parametrize("given", [{"RECIPES": "1"}, {"SPLITS": "segment track"}])
def test_what_is_about_the_paper_is_refused(given):
    asked = typed.options(given, splits=["segment", "track"])
    (option,) = given
    with pytest.raises(InputError, match=rf"^{option} .* but Mine is not GTZAN: leave {option}"):
        typed.of_collection(asked, "Mine", given)


# ---- What it is found to be.


@pytest.fixture(scope="module")
def measured(renamed, tmp_path_factory):
    """Return a collection with planted faults, and what is found of it.

    Song 1 of R&B is in 演歌 too; song 2 of 演歌 is labelled R&B; song 3 of trip hop is there a
    second time, slightly changed.
    """
    copied = renamed[renamed["filename"].str.startswith("R&B.song 1.")].assign(label="演歌")
    copied["filename"] = copied["filename"].str.replace("R&B.song 1", "演歌.copy")
    rows = renamed.copy()
    wrong = rows["filename"].str.startswith("演歌.song 2.")
    rows.loc[wrong, "label"] = "R&B"
    rows.loc[wrong, "filename"] = rows["filename"].str.replace("演歌.song 2", "R&B.wrong")
    again = rows[rows["filename"].str.startswith("trip hop.song 3.")].copy()
    again["filename"] = again["filename"].str.replace("song 3", "again")
    again[FEATURES] += 0.03 * rows[FEATURES].std()
    rows = pd.concat([rows, copied, again]).sort_values("filename", ignore_index=True)
    folder = tmp_path_factory.mktemp("measured")
    twins = collection.duplicates(rows, folder / "no.csv")
    who = collection.clips(rows).map(lambda clip: f"band {clip[-1]}" if "song" in clip else None)
    together = collection.groups(rows, who, twins)
    folds = {split: collection.folds(rows, together[split]) for split in together}
    held_out = {
        split: crossvalidation.held_out(
            folder / f"{split}.csv", rows, tests, source=source_of(rows)
        )
        for split, tests in folds.items()
    }
    return rows, twins, together, folds, held_out


def test_planted_duplicates_are_found_and_no_others(measured):
    _, twins, *_ = measured
    assert twins[["clip", "other", "why"]].to_numpy().tolist() == [
        ["R&B.song 1", "演歌.copy", "5 equal segments"],
        ["trip hop.again", "trip hop.song 3", "alike"],
    ]


def test_planted_wrong_labels_are_found_and_no_others(measured):
    *_, held_out = measured
    suspects = collection.mislabelled(held_out["track"]).set_index("track")
    assert set(suspects.index) == {"演歌.copy", "R&B.wrong"}
    assert suspects.loc["R&B.wrong", ["label", "predicted"]].to_list() == ["R&B", "演歌"]
    assert (suspects["confidence"] >= collection.ODDS * suspects["of the label"]).all()


def test_every_track_tests_once_and_what_belongs_together_is_held_out_together(measured):
    rows, twins, together, folds, held_out = measured
    for split, tests in folds.items():
        known = together[split].notna().to_numpy()
        assert (np.sum(tests, axis=0) == known).all()
        for test in tests:
            assert not set(together[split][test]) & set(together[split][known & ~test])
        per_model = held_out[split].groupby("model")["filename"]
        assert (per_model.nunique() == known.sum()).all()
        assert (per_model.size() == known.sum()).all()
    number = together["track"].groupby(collection.clips(rows)).first()
    assert (number[twins["clip"]].to_numpy() == number[twins["other"]].to_numpy()).all()
    assert number.nunique() == len(number) - len(twins)
    assert together["artist"].isna().sum() == 15  # the three tracks whose artist is not known


def test_scores_are_shares_of_tracks_and_segments(measured):
    rows, _, together, _, held_out = measured
    scores = collection.scores(held_out, together.set_index(rows["filename"]))
    assert len(scores) == 6
    for line in scores.itertuples(index=False):
        of = held_out[line.split][held_out[line.split]["model"] == line.model]
        right = of["label"] == of["predicted"]
        assert line[5] == pytest.approx(100 * right.mean())
        assert line.low <= line.accuracy <= line.high
        assert line.accuracy * line.tracks / 100 == pytest.approx(
            round(line.accuracy * line.tracks / 100)
        )
    by_track = scores[scores["split"] == "track"]
    assert (by_track["tracks"] == 29).all()
    assert (by_track["guessing"] == 100 * 10 / 29).all()
    drop = collection.drop(held_out, "extra trees", together.set_index(rows["filename"])["artist"])
    assert drop["tracks"] == 26
    assert drop["low"] <= drop["difference"] <= drop["high"]


def test_genre_of_one_track_is_left_out_and_one_genre_cannot_be_measured(renamed):
    track = collection.clips(renamed)
    alone = renamed[(renamed["label"] != "演歌") | (track == "演歌.song 1")].reset_index(drop=True)
    folds = collection.folds(alone, collection.clips(alone))
    tested = np.sum(folds, axis=0)
    assert (tested == (alone["label"] != "演歌")).all()
    one = renamed[renamed["label"] != "trip hop"].reset_index(drop=True)
    one = one[(one["label"] == "R&B") | (collection.clips(one) == "演歌.song 1")]
    assert collection.folds(one, collection.clips(one)) == []


def test_two_genres_of_two_tracks_suffice_whatever_they_are_called(renamed, tmp_path):
    few = renamed[collection.clips(renamed).str.endswith(("song 1", "song 2"))]
    few = few[few["label"] != "trip hop"].reset_index(drop=True)
    few["label"] = few["label"].map({"R&B": "label", "演歌": "model"})
    tests = collection.folds(few, collection.clips(few))
    assert len(tests) == 2
    held_out = crossvalidation.held_out(tmp_path / "x.csv", few, tests, source=source_of(few))
    assert set(held_out["predicted"]) <= {"label", "model"}
    assert collection.by_track(held_out[held_out["model"] == "RBF-SVM"]).shape == (4, 2)
    assert list(collection.mislabelled(held_out)) == [
        "track", "label", "predicted", "confidence", "of the label",
    ]  # fmt: skip


def test_silence_that_two_tracks_share_makes_no_duplicates(renamed):
    rows = renamed.copy()
    silent = rows["filename"].str.contains(r"song [12]\.0\.wav")
    rows.loc[silent, FEATURES] = 0.0
    assert collection.duplicates(rows, ROOT / "no.csv").empty


# ---- What the notebook says where there is little to say.


def test_genres_of_one_track_each_cannot_be_measured(renamed, tmp_path, run_here):
    renamed[collection.clips(renamed).str.endswith("song 1")].to_csv(
        tmp_path / "m.csv", index=False
    )
    text = run_here("collection", features=str(tmp_path / "m.csv"), results=str(tmp_path))
    assert "fewer than two genres have two tracks or more" in text
    assert "R&amp;B has 1 track;" in text.replace("&#38;", "&amp;")
    assert "mislabelled" not in text


def test_genre_of_one_track_and_a_network_that_failed_are_told(renamed, tmp_path, run_here):
    track = collection.clips(renamed)
    rows = renamed[(renamed["label"] != "trip hop") | (track == "trip hop.song 1")]
    rows.to_csv(tmp_path / "m.csv", index=False)
    write_json(tmp_path / "rows" / "lstm" / "failed.json", {"error": "too few, add clips"})
    text = run_here("collection", features=str(tmp_path / "m.csv"), results=str(tmp_path))
    assert "**m** has 3 genres" in text
    assert "trip hop has 1 track" in text
    assert "A genre of one track cannot be both trained on and tested" in text
    assert "The network of row lstm could not be trained: too few, add clips" in text
    assert "No artist is known" in text
