"""Genres and clips may have any name: it stays text, and is shown as it is written."""

import ast
import os
import re
import unicodedata
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import fake_run
from hostile import NAMES
from matplotlib.figure import Figure
from nbconvert.filters import markdown2html

from music_genre import names
from music_genre.analysis import errors
from music_genre.data import extraction, find, gtzan, table
from music_genre.exceptions import InputError
from music_genre.metrics import classification, predictions
from music_genre.models import inputs, runs
from music_genre.paths import ROOT
from music_genre.report import display, markdown, publish
from music_genre.report.figures import errors as of_errors
from music_genre.report.figures import evaluate as of_evaluate
from music_genre.report.figures import explore as of_explore
from music_genre.report.figures import features as of_features

GENRES = sorted(map(names.normal, NAMES))


def written(folder, labels, *, name="t.csv"):
    """Write a table with two segments of each label."""
    rows = pd.read_csv(find.SAMPLE_TABLE).iloc[: 2 * len(labels)]
    rows["label"] = [label for label in labels for _ in range(2)]
    rows.to_csv(folder / name, index=False)
    return folder / name


# ---- As text.


def test_names_are_one_that_differ_in_spaces_or_encoding_only():
    cafe = "caf\u00e9"
    ways = [
        "rock",
        " rock",
        "rock\u00a0",
        "rock\n",
        cafe,
        unicodedata.normalize("NFD", cafe),
        "演歌",
    ]
    assert list(dict.fromkeys(map(names.normal, ways))) == ["rock", cafe, "演歌"]
    assert list(names.merged(ways)) == [cafe, "rock"]
    assert names.merged(["rock", "Rock", "演歌"]) == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_be_written_and_does_not_change_any_more(name):
    normal = names.normal(name)
    assert normal.encode()
    assert normal == names.normal(normal)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in normal)


def test_what_no_one_sees_is_written_out():
    assert names.readable(os.fsdecode(b"caf\xe9.wav")) == r"caf\xe9.wav"
    assert names.readable("gpj.\u202eexe\x1b[2J") == r"gpj.\u202eexe\x1b[2J"
    for whole in ("演歌", "می\u200cخواهم", "🎷", "two\nlines", "a b"):
        assert names.readable(whole) == whole
    assert "\x1b" not in str(InputError("x\x1b]0;title\x07"))


# ---- In tables.


def test_labels_are_read_as_they_are_written(tmp_path):
    segments, source = table.load(str(written(tmp_path, NAMES)))
    assert sorted(segments["label"].unique()) == GENRES
    assert source.genres == len(NAMES)
    assert source.merged == {}


def test_labels_that_become_one_are_named(tmp_path, monkeypatch):
    ways = ["rock", "rock ", "jazz", "cafe\u0301", "caf\u00e9"]
    segments, source = table.load(str(written(tmp_path, ways)))
    assert set(segments["label"]) == {"rock", "jazz", "caf\u00e9"}
    shown = []
    monkeypatch.setattr(display, "display", lambda output: shown.append(output.data))
    display.banner(source)
    items = BeautifulSoup(markdown2html("\n\n".join(shown)), "html.parser").select("li")
    assert [item.get_text() for item in items] == [
        r"Counted as one genre, café: segments labelled 'cafe\u0301' and 'caf\xe9'.",
        "Counted as one genre, rock: segments labelled 'rock' and 'rock '.",
    ]


def test_same_label_in_either_encoding_is_the_same_table(tmp_path):
    one = table.load(str(written(tmp_path, ["caf\u00e9", "rock"])))[1]
    other = table.load(str(written(tmp_path, ["cafe\u0301", "rock "], name="o.csv")))[1]
    assert table.same_content(one, other)


def test_labels_of_spaces_are_empty(tmp_path):
    with pytest.raises(InputError, match="label of segment .* is empty"):
        table.load(str(written(tmp_path, ["rock", " \u00a0"])))


@pytest.fixture
def predicted():
    """Return the predictions of two tested segments of each genre, the second one wrong."""
    n = len(GENRES)
    shares = np.eye(n)[[j for i in range(n) for j in (i, (i + 1) % n)]]
    shares[::2] *= 2  # by its mean, each track's genre is right
    frame = pd.DataFrame({"filename": [f"{g}.{i}.wav" for g in GENRES for i in range(2)]})
    frame = frame.assign(part="test", label=np.repeat(GENRES, 2))
    frame["predicted"] = np.array(GENRES, dtype=object)[shares.argmax(axis=1)]
    return frame.assign(**predictions.by_genre(GENRES, shares))


def test_predictions_are_read_back_as_they_were(tmp_path, predicted):
    fake_run(tmp_path / "run", predicted)
    _, _, read = runs.load(tmp_path / "run")
    pd.testing.assert_frame_equal(read, predicted.astype(read.dtypes), check_exact=True)
    assert (read[predicted.columns[:4]] == predicted[predicted.columns[:4]]).all(axis=None)
    publish._pack(
        tmp_path / "run" / "predictions.csv", tmp_path / "predictions.csv.gz", tested=False
    )
    pd.testing.assert_frame_equal(predictions.read(tmp_path / "predictions.csv.gz"), read)


def test_scores_and_tracks_are_those_of_the_names(tmp_path, predicted):
    fake_run(tmp_path / "run", predicted)
    _, _, read = runs.load(tmp_path / "run")
    by_track = errors.by_track(read).set_index("track")
    assert (by_track["predicted"] == by_track["label"]).all()
    assert (by_track["correct"] == 50).all()
    assert classification.per_genre(read["label"], read["predicted"])["genre"].to_list() == GENRES
    assert np.trace(classification.confusion(read["label"], read["predicted"])) == len(GENRES)


def test_predictions_of_earlier_versions_are_read(tmp_path):
    published = ROOT / "reports" / "gtzan" / "rows" / "1"
    _, _, read = runs.load(published)
    raw = pd.read_csv(published / "predictions.csv.gz")
    assert read.columns[4] == "probability of blues"
    assert read.iloc[:, 4:].to_numpy().tolist() == raw.iloc[:, 4:].to_numpy().tolist()
    assert read["predicted"].to_list() == raw["predicted"].to_list()


def test_kept_predictions_are_read_back_as_they_were(tmp_path):
    results = pd.DataFrame({"a model": GENRES, "another": GENRES[::-1], "score": 0.5})
    for _ in range(2):
        read = runs.kept(tmp_path / "kept.csv", {"seed": 0}, lambda: results)
        assert read.to_dict("list") == results.to_dict("list")


def test_codes_of_genres_are_those_of_the_names(tmp_path):
    segments, _ = table.load(str(written(tmp_path, NAMES)))
    parts = np.array(["train", "test"] * len(NAMES))
    data = inputs.prepare(segments, parts=parts, scale_on="all")
    assert data.genres == GENRES
    assert [data.genres[code] for code in data.y] == segments["label"].to_list()


# ---- In folders.


@pytest.fixture
def described(monkeypatch):
    """Let clips have made-up features, but for those whose name holds "broken"."""

    def describe(paths, folder, **how):
        bad = {
            path: InputError(f"{path.name} is silent.") for path in paths if "broken" in path.name
        }
        return dict.fromkeys(paths, extraction.Described(np.zeros((1, 57)), "")) | bad, {}

    monkeypatch.setattr(extraction, "_describe", describe)


def test_folders_and_clips_of_any_name_are_described(tmp_path, described, capsys):
    music = tmp_path / "music"
    of_folders = [name for name in NAMES if "/" not in name and len(name) < 100]
    of_folders = list({name.casefold(): name for name in of_folders}.values())  # as macOS does
    for name in of_folders:
        (music / name).mkdir(parents=True)
        for clip in (f"{name}.wav", "a.wav", f"broken {name}.wav"):
            (music / name / clip).touch()
    extraction.write(gtzan.find_clips(music), tmp_path / "t.csv", cache=tmp_path / "cache")
    segments, source = table.load(str(tmp_path / "t.csv"))
    assert set(segments["label"]) == set(map(names.normal, of_folders))
    assert len(segments) == 2 * len(of_folders)
    assert len(source.left_out) == len(of_folders)
    assert "\x1b" not in capsys.readouterr().err


def test_names_that_are_no_utf8_are_described_and_checked(tmp_path, described):
    music = tmp_path / "music"
    for genre in (b"caf\xe9", b"rock"):
        folder = music / os.fsdecode(genre)
        try:
            folder.mkdir(parents=True)
        except OSError:
            pytest.skip("this file system takes no name that is no UTF-8")
        for clip in (b"\xff.wav", b"a.wav", b"broken \xff.wav", b"cover\xff.jpg"):
            (folder / os.fsdecode(clip)).touch()
    extraction.write(gtzan.find_clips(music), tmp_path / "t.csv", cache=tmp_path / "cache")
    segments, source = table.load(str(tmp_path / "t.csv"))
    assert set(segments["label"]) == {r"caf\xe9", "rock"}
    assert r"caf\xe9.\xff.0.wav" in set(segments["filename"])
    assert r"broken \xff.wav is silent." in [problem["reason"] for problem in source.left_out]
    assert names.readable(gtzan.report(music)).encode()


def test_folders_that_become_one_genre_are_named(tmp_path):
    for number, genre in enumerate(["rock", "rock ", "jazz"]):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / f"{number}.wav").touch()
    assert gtzan.find_clips(tmp_path)["genre"].to_list() == ["jazz", "rock", "rock"]
    assert "one genre, rock: the folders 'rock', 'rock '" in gtzan.report(tmp_path)


def test_folder_named_of_spaces_is_named(tmp_path):
    for genre in ("rock", " "):
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "a.wav").touch()
    assert gtzan.find_clips(tmp_path)["genre"].to_list() == ["rock"]
    assert "in no genre: 1" in gtzan.report(tmp_path)


# ---- In sentences.


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "place",
    [
        "{{ name }}",
        "- {{ name }}",
        "So {{ name }}.",
        "*{{ name }}*",
        "It is\n{{ name }}, so.",
        "In {{ name | code }}.",
    ],
)
def test_sentence_shows_a_name_as_it_is_written(monkeypatch, name, place):
    shown = []
    monkeypatch.setattr(display, "display", lambda output: shown.append(output.data))
    display.say(place, name=name)
    soup = BeautifulSoup(markdown2html(shown[0]), "html.parser")
    expected = names.readable(name).replace("\n", " ")
    assert expected in soup.get_text()
    allowed = {"p", "ul", "li", "em", "code", "span"}
    assert {tag.name for tag in soup.find_all(True)} <= allowed
    assert len(soup.select("em, code, li")) <= 1


def test_numbers_and_ordinary_names_stay_as_they_are():
    for value in (3, -3.5, "-2.00", "features_3_sec.csv", "blues.00000.3.wav", "1-D CNN", "R'n'B"):
        assert markdown.escape(value) == str(value)


def test_no_sentence_is_built_from_values():
    """What Jinja is given as a template it runs: it must be a text in the code, and only that."""
    files = [*(ROOT / "notebooks").glob("*.py"), *(ROOT / "src").rglob("*.py")]
    calls = [
        node
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "say"
    ]
    assert len(calls) > 20
    for call in calls:
        assert isinstance(call.args[0], ast.Constant), ast.unparse(call)
        spans = re.findall("`([^`]*)`", call.args[0].value)
        assert not any("{{" in span for span in spans), "use the filter `code`"


# ---- In figures.


def texts(fig):
    fig.canvas.draw()
    legends = [ax.get_legend() for ax in fig.axes if ax.get_legend()]
    shown = [text for legend in legends for text in legend.get_texts()]
    for ax in fig.axes:
        shown += [*ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts]
    return {text.get_text() for text in shown}


def of_counts(genres):
    return of_explore.genre_shares(pd.Series(1, index=genres))


def of_components(genres):
    points = np.random.default_rng(0).normal(size=(2 * len(genres), 2))
    return of_features.planes({"PCA": points, "LDA": points}, pd.Series(np.repeat(genres, 2)))


def of_spread(genres):
    columns = pd.DataFrame({"a": np.arange(2.0 * len(genres))})
    return of_features.spread(columns, pd.Series(np.repeat(genres, 2)))


def of_confusion(genres):
    return of_evaluate.confusion(classification.confusion(genres, genres))


def of_scores(genres):
    return of_evaluate.per_genre(classification.per_genre(genres, genres))


def of_tracks(genres):
    frame = pd.DataFrame({"label": genres, "predicted": genres, "correct": 100.0})
    return of_errors.tracks({"split": errors.track_shares(frame)})


@pytest.mark.parametrize(
    "draw", [of_counts, of_components, of_spread, of_confusion, of_scores, of_tracks]
)
@pytest.mark.parametrize("first", range(0, len(GENRES), 24))
def test_figure_has_every_genre_as_it_is_written(draw, first):
    genres = [name for name in GENRES[first : first + 24] if len(name) < 100]
    fig = draw(genres)
    assert set(genres) <= texts(fig)
    assert all(not text.get_parse_math() for text in fig.findobj(match=is_text))


def is_text(artist):
    return hasattr(artist, "get_parse_math")


@pytest.mark.parametrize("figure", ["scaling", "deviation"])
def test_axis_of_powers_is_written_out(figure):
    if figure == "scaling":
        frame = pd.DataFrame({"a": [1.0, 1e6], "b": [0.0, -1e3]})
        fig = of_features.scaling(frame, frame)
    else:
        apart = pd.DataFrame({"column": ["a", "b"], "largest": [1e-9, 1e-2]})
        fig = of_features.deviation(apart)
    assert not any("$" in text or "mathdefault" in text for text in texts(fig))


def titled(title):
    fig = Figure(figsize=(3, 2))
    fig.subplots().set_title(title)
    return fig


@pytest.mark.parametrize("name", map(names.normal, NAMES))
def test_names_in_figures_are_text_that_the_readers_fonts_show(name):
    """So no font of the machine that made the figure needs to have the characters."""
    drawn = ElementTree.fromstring(display.svg(titled(name)))
    written = [tag.text for tag in drawn.iter("{http://www.w3.org/2000/svg}text")]
    lines = [line for line in name.split("\n") if line.strip()]
    assert [text for text in written if text in lines] == lines
