"""The nearest tracks and how they are judged, on tables whose neighbours are known by hand."""

import dataclasses
import re
import shutil
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import fake_run

from music_genre.analysis import similar
from music_genre.analysis.similar import SCALED, STATE, Measured
from music_genre.data import annotations, splits
from music_genre.data import features as extraction
from music_genre.data.find import SAMPLE_TABLE
from music_genre.data.table import load
from music_genre.exceptions import InputError
from music_genre.report import display


@pytest.fixture(autouse=True)
def no_lists(tmp_path, monkeypatch):
    """Keep the lists in the user's data folder out of the tests."""
    monkeypatch.setattr(annotations, "DATA", tmp_path / "data")


# On a line: a at 0, b at 1, c at 3, d at 7, e at 15; each one's nearest is the one before it.
LINE = pd.DataFrame({"x": [0.0, 1, 3, 7, 15]}, index=pd.Index(list("abcde"), name="track"))
TRACKS = pd.DataFrame(
    {"label": ["jazz", "jazz", "rock", "jazz", "rock"], "artist": ["A", "A", None, "B", None]},
    index=LINE.index,
)


def lists(found):
    return found.groupby("track")["neighbour"].agg("".join).to_dict()


def measured(tracks, vectors, *, other_artists=False):
    artists = tracks["artist"] if other_artists else None
    of = tracks.assign(group=tracks.index)
    return Measured("", "", other_artists, of, {SCALED: similar.nearest(vectors, artists)})


def test_nearest_come_in_order_with_their_distances_and_never_the_track_itself():
    found = similar.nearest(LINE, k=3)
    assert lists(found) == {"a": "bcd", "b": "acd", "c": "bad", "d": "cba", "e": "dcb"}
    assert found[found["track"] == "d"]["distance"].to_list() == [4, 6, 7]
    assert found["rank"].to_list() == [1, 2, 3] * 5


def test_a_list_is_no_longer_than_there_are_others():
    assert lists(similar.nearest(LINE[:2])) == {"a": "b", "b": "a"}
    assert similar.nearest(LINE[:1]).empty


def test_tracks_at_the_same_place_are_neighbours_and_not_taken_for_the_query():
    same = pd.DataFrame({"x": [1.0, 1, 1, 5]}, index=list("abcd"))
    found = similar.nearest(same, k=2)
    assert {track: set(of) for track, of in lists(found).items() if track != "d"} == {
        "a": set("bc"), "b": set("ac"), "c": set("ab"),
    }  # fmt: skip


def test_the_querys_artist_is_left_out_where_known():
    found = similar.nearest(LINE, TRACKS["artist"], k=3)
    assert lists(found) == {"a": "cde", "b": "cde", "c": "bad", "d": "cba", "e": "dcb"}
    assert found["rank"].to_list() == [1, 2, 3] * 5
    one_artist = similar.nearest(LINE, pd.Series("A", index=LINE.index))
    assert one_artist.empty


def test_own_segments_are_never_returned():
    segments, _ = load(str(SAMPLE_TABLE))
    vectors = similar.scaled(segments, similar.scaler(segments))
    found = similar.nearest(vectors)
    assert len(vectors) == 100
    assert not (found["track"] == found["neighbour"]).any()
    assert set(found["neighbour"]) <= set(vectors.index)
    # One of two hundred segments: the mean by hand.
    own = segments["filename"].str.startswith("blues.00000.")
    scaled = similar.scaler(segments).transform(segments[similar.FEATURES])
    assert vectors.loc["blues.00000"].to_numpy() == pytest.approx(scaled[own].mean(axis=0))


def test_precision_by_hand():
    # The two nearest: a: bc, b: ac, c: ba, d: cb, e: dc. jazz are a, b, d.
    found = similar.nearest(LINE)
    at_2 = similar.precision(found, TRACKS["label"], 2)
    assert at_2.to_dict() == {"a": 0.5, "b": 0.5, "c": 0, "d": 0.5, "e": 0.5}
    at_1 = similar.precision(found, TRACKS["label"], 1)
    assert at_1.to_dict() == {"a": 1, "b": 1, "c": 0, "d": 0, "e": 0}
    of_few = similar.precision(found[found["track"] != "a"], TRACKS["label"], 1)
    assert np.isnan(of_few["a"])


@pytest.mark.parametrize("other_artists", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_chance_and_best_are_those_of_all_lists_that_could_be_drawn(other_artists, depth):
    tracks = pd.concat([TRACKS, TRACKS.assign(artist="C").rename(index=str.upper)])
    counted = similar.candidates(tracks, other_artists=other_artists)
    for query, of in tracks.iterrows():
        others = tracks.drop(query)
        if other_artists and of["artist"] is not None:
            others = others[others["artist"] != of["artist"]]
        size = min(depth, len(others))
        drawn = [np.mean([label == of["label"] for label in each])
                 for each in combinations(others["label"], size)]  # fmt: skip
        every, same = counted.loc[query, ["all", "same"]]
        assert same / every == pytest.approx(np.mean(drawn))
        assert min(same, depth) / min(every, depth) == pytest.approx(max(drawn))


def test_scores_sum_up_queries_and_name_what_the_numbers_allow():
    scores = similar.scores([measured(TRACKS, LINE)]).set_index("k")
    # All four others are in each list: 2 of 4 for jazz, 1 of 4 for rock.
    assert scores.loc[10, "precision"] == pytest.approx(100 * (3 * 0.5 + 2 * 0.25) / 5)
    assert scores.loc[10, "chance"] == scores.loc[10, "best"] == scores.loc[10, "precision"]
    assert scores.loc[10, "low"] < scores.loc[10, "precision"] < scores.loc[10, "high"]
    of_genre = similar.by_genre(measured(TRACKS, LINE)).set_index(["genre", "k"])["precision"]
    assert of_genre.to_dict() == {
        ("jazz", 5): 50, ("jazz", 10): 50, ("rock", 5): 25, ("rock", 10): 25,
    }  # fmt: skip


def test_spaces_are_compared_on_the_same_queries():
    n = 12
    names = pd.Index([f"t{i}" for i in range(2 * n)], name="track")
    tracks = pd.DataFrame({"label": ["jazz"] * n + ["rock"] * n, "artist": None}, index=names)
    told = pd.DataFrame({"x": np.arange(2 * n) + 100.0 * (tracks["label"] == "rock")})
    blind = pd.DataFrame({"x": np.random.default_rng(0).random(2 * n)}, index=names)
    both = {STATE: similar.nearest(told), SCALED: similar.nearest(blind)}
    one = Measured("track", "test", False, tracks.assign(group=names), both)
    line = similar.differences([one]).iloc[-1]
    scores = similar.scores([one])
    at_10 = scores[scores["k"] == 10].set_index("space")["precision"]
    assert at_10[STATE] == 100
    assert line["difference"] == pytest.approx(at_10[STATE] - at_10[SCALED])
    assert 0 < line["low"] < line["difference"] < line["high"]
    assert line["favours"] == STATE
    same = dataclasses.replace(one, lists={STATE: both[STATE], SCALED: both[STATE]})
    assert pd.isna(similar.differences([same]).iloc[-1]["favours"])


def test_centre_of_a_star_is_the_hub_of_all_and_its_tips_are_in_no_list():
    # Eight tips at distance 1 from the centre, each farther from the next one: a regular octagon's
    # would be nearer, so each has a dimension of its own.
    star = pd.DataFrame(np.vstack([np.zeros(8), np.eye(8)]), index=["centre", *"abcdefgh"])
    counts = similar.occurrences(similar.nearest(star, k=1), star.index)
    assert counts["centre"] == 8
    assert counts.sum() == 9
    told = similar.hubness(counts)
    assert (told["hub"], told["in lists"]) == ("centre", 8)
    assert told["in no list"] == pytest.approx(100 * 7 / 9)
    # By hand: 8, one 1 and seven 0, of mean 1.
    deviations = np.array([7, 0] + [-1] * 7)
    assert told["skewness"] == pytest.approx((deviations**3).mean() / (deviations**2).mean() ** 1.5)


def test_lists_drawn_at_random_are_as_expected():
    n, random = 60, np.random.default_rng(0)
    expected = similar.at_random(n)
    skewness, never, most, tracks = [], [], [], np.zeros(n)
    for _ in range(400):
        ranks = random.random((n, n))
        np.fill_diagonal(ranks, 2)
        drawn = np.argpartition(ranks, similar.K, axis=1)[:, : similar.K]
        counts = pd.Series(np.bincount(drawn.ravel(), minlength=n))
        told = similar.hubness(counts)
        skewness.append(told["skewness"])
        never.append(told["in no list"])
        most.append(told["in lists"])
        tracks += np.bincount(counts, minlength=n) / 400
    assert np.mean(skewness) == pytest.approx(expected["skewness"], abs=0.05)
    assert np.mean(never) == pytest.approx(expected["in no list"], abs=0.05)
    assert np.median(most) == pytest.approx(expected["most"], abs=1)
    assert tracks == pytest.approx(expected["tracks"], abs=0.5)


def test_duplicates_among_neighbours_are_counted(few_rows):
    copy = few_rows[few_rows["filename"].str.startswith("blues.00000.")].copy()
    copy["filename"] = copy["filename"].str.replace("blues.00000.", "blues.00099.")
    segments = pd.concat([few_rows, copy], ignore_index=True)
    tracks = similar.tracks(segments)
    vectors = similar.scaled(segments, similar.scaler(segments))
    (line,) = similar.hubs([measured(tracks, vectors)], segments).to_dict("records")
    assert (line["neighbours"], line["duplicates"]) == (130, 2)
    found = similar.described(similar.nearest(vectors), tracks, segments)
    first = found[(found["track"] == "blues.00099") & (found["rank"] == 1)].iloc[0]
    assert first["neighbour"] == "blues.00000"
    assert (first["genre"], first["distance"], first["equal segments"]) == ("blues", 0, 5)


def test_query_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"no track aa in the table \(did you mean a\?\)"):
        similar.check_query("aa", "", TRACKS)
    with pytest.raises(InputError, match="both track and audio"):
        similar.check_query("a", "song.wav", TRACKS)


# ---- The notebook.


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Write a report on the sample with a network, split by track, that says the tempo."""
    segments, source = load(str(SAMPLE_TABLE))
    predictions = segments[["filename", "label"]].assign(predicted="blues")
    predictions["part"] = splits.split(segments, "track", test_size=0.33, seed=0)
    run = tmp_path / "splits" / "track" / "lstm"
    fake_run(run, predictions, source=dataclasses.asdict(source), split="track")
    (run / "model.keras").touch()
    network = SimpleNamespace(states=lambda of: of[["tempo", "rms_mean"]].to_numpy("float32"))
    monkeypatch.setattr(similar.portable, "load", lambda folder: network)
    return tmp_path


def read(report):
    return pd.read_csv(report / similar.NEIGHBOURS)


def test_sample_alone_is_compared_by_features_only(run_here, tmp_path, monkeypatch):
    monkeypatch.setattr(similar.runs, "kept", None)  # nothing is written
    text = " ".join(run_here("similar", results="", features=str(SAMPLE_TABLE)).split())
    assert "tracks are compared by their features only" in text
    assert "The query is **blues.00000**" in text
    assert not re.search(r"\bnan\b|\bNone\b|\{[{%]", text)


def test_network_is_measured_on_what_it_was_not_trained_on(run_here, report):
    text = " ".join(run_here("similar", results=str(report), features=str(SAMPLE_TABLE)).split())
    segments, _ = load(str(SAMPLE_TABLE))
    test = splits.split(segments, "track", test_size=0.33, seed=0) == "test"
    held_out = segments["filename"][test].str.extract(r"^(.+)\.\d+\.wav$")[0].unique()
    assert f"Queries and candidates are the {len(held_out)} tracks that test in the split" in text
    assert f"The query is **{held_out[0]}**" in text
    assert not re.search(r"\bnan\b|\bNone\b|\{[{%]", text)
    # By hand: the held-out tracks by tempo and loudness, among themselves.
    names = segments["filename"].str.extract(r"^(.+)\.\d+\.wav$")[0]
    means = segments[["tempo", "rms_mean"]].groupby(names).mean().loc[held_out].to_numpy()
    distances = np.linalg.norm(means[:, np.newaxis] - means, axis=2)
    np.fill_diagonal(distances, np.inf)
    genres = np.array([name.split(".")[0] for name in held_out])
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :10]
    expected = 100 * (genres[nearest] == genres[:, np.newaxis]).mean()
    assert f"nearest by the network's last state, {expected:.1f} % have" in text


def test_neighbours_of_all_tracks_are_among_the_results(run_here, report):
    run_here("similar", results=str(report), features=str(SAMPLE_TABLE))
    assert read(report).groupby("space").size().to_dict() == {STATE: 1000, SCALED: 1000}
    assert (report / "splits/track/lstm" / similar.STATES).exists()
    # What is kept needs no model: a published run has none.
    (report / "splits/track/lstm/model.keras").unlink()
    text = run_here("similar", results=str(report), features=str(SAMPLE_TABLE))
    assert "features only" not in text


def test_network_without_states_or_of_another_table_is_left_out_with_the_reason(
    run_here, report, few_rows, tmp_path
):
    few_rows.to_csv(tmp_path / "few.csv", index=False)
    text = run_here("similar", results=str(report), features=str(tmp_path / "few.csv"))
    assert "was measured on embedded sample" in text
    assert "features only" in text
    (report / "splits/track/lstm/model.keras").unlink()
    shutil.rmtree(report / "similar")
    text = run_here("similar", results=str(report), features=str(SAMPLE_TABLE))
    assert "holds neither model.keras nor the states.csv" in text


@pytest.mark.parametrize("known", [True, False])
def test_own_file_has_neighbours_but_not_the_track_of_its_name(
    run_here, report, monkeypatch, known
):
    segments, _ = load(str(SAMPLE_TABLE))
    own = segments[segments["filename"].str.startswith("rock.00003.")].copy()
    if not known:
        own["filename"] = [f"my <b>song.{i}.wav" for i in range(len(own))]
    monkeypatch.setattr(extraction, "extract_clip", lambda path, label: own.assign(label=label))
    tables = {}
    monkeypatch.setattr(
        display, "table", lambda frame, name, *_, **__: tables.update({name: frame})
    )
    file = "rock.00003.wav" if known else "my <b>song.wav"
    text = run_here("similar", audio=f"~/{file}", results=str(report), features=str(SAMPLE_TABLE))
    assert "The query is the file *" + ("rock" if known else "my &#60;b&#62;song") in text
    assert ("has its name, and is left out" in " ".join(text.split())) == known
    for space in ("state", "features"):
        nearest = tables[f"similar-nearest-{space}"]
        assert len(nearest) == 10
        assert (nearest["neighbour"].iloc[0] == "rock.00003") == (not known)
        assert (nearest["distance"].iloc[0] == pytest.approx(0, abs=1e-4)) == (not known)


def test_file_that_is_no_sound_is_refused(tmp_path):
    (tmp_path / "song.wav").write_text("no sound")
    with pytest.raises(InputError, match=r"song\.wav cannot be read as audio"):
        similar.of_file(tmp_path / "song.wav", None, None)
