"""What a notebook may be given; an unknown name or a value out of range is an error."""

import os

import pytest

from music_genre import params
from music_genre.exceptions import InputError
from music_genre.paths import ROOT

PARAMS = ROOT / "params"
GOOD = params.defaults("train")


def test_good_values_come_back():
    run = params.check("train", {**GOOD, "dropout": 0})
    assert vars(run) == GOOD
    assert isinstance(run.dropout, float)  # papermill makes an int of `-p dropout 0`


def test_unknown_name_lists_the_known_ones():
    namespace = {**GOOD, "In": ["", "epochs = 20", "# Parameters\nepoch = 5\nseed = 1\n"]}
    with pytest.raises(InputError, match="unknown parameter epoch .* known are model, "):
        params.check("train", namespace)


def test_names_of_other_cells_are_no_parameters():
    namespace = {**GOOD, "In": ["", "epoch = 5", "import math"], "epoch": 5}
    params.check("train", namespace)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0), ("epochs", 2.5), ("epochs", "ten"), ("epochs", True), ("batch_size", -1),
        ("learning_rate", 0), ("learning_rate", float("nan")), ("learning_rate", "1e-3"),
        ("activation", "sigmoid"), ("dropout", 1), ("test_size", 1), ("test_size", 0),
        ("split", "genre"), ("scale_on", "test"), ("seed", -1), ("seed", 2**32), ("features", 7),
        ("shuffle_columns", 1), ("output", None), ("resume", 1), ("resume", "no"),
        ("model", "lstm"), ("optimizer", "Adam"), ("validation_size", 0.95),
        ("score_after", [20]), ("score_after", 7), ("paper", 91.78),
        ("paper", {"accuracy": 917.8}), ("paper", {"acc": 91}),
    ],
)  # fmt: skip
def test_value_out_of_range_is_named(name, value):
    with pytest.raises(InputError, match=f"^parameter {name} is "):
        params.check("train", {**GOOD, name: value})


@pytest.mark.parametrize("epochs", [40, [], [5, 5], [7, 5], [0], [2.0], [20], [-1]])
def test_epochs_to_split_after_rise_and_end_before_the_last(epochs):
    given = {name: GOOD[name] for name in params.KNOWN["resplit"] if name != "resplit_after"}
    assert params.check("resplit", {**given, "resplit_after": [5, 7]}).resplit_after == [5, 7]
    with pytest.raises(InputError, match="^parameter resplit_after is "):
        params.check("resplit", {**given, "resplit_after": epochs})


def test_run_by_hand_gets_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(params, "MANUAL", tmp_path)
    first, second = params.output_folder(""), params.output_folder("")
    assert first.parent == tmp_path
    assert first != second
    assert str(params.output_folder("here")) == "here"


def test_evaluate_takes_the_newest_finished_run(tmp_path, monkeypatch):
    monkeypatch.setattr(params, "MANUAL", tmp_path)
    monkeypatch.setattr(params, "PUBLISHED", tmp_path / "gtzan")
    with pytest.raises(InputError, match="no finished run"):
        params.run_folder("")
    for row in ("2", "10"):
        (tmp_path / "gtzan" / "rows" / row).mkdir(parents=True)
        (tmp_path / "gtzan" / "rows" / row / "metrics.json").touch()
    assert params.run_folder("").name == "10"  # as long as there is none by hand
    for name in ("2026-01-01", "2026-01-02", "2026-01-03"):
        (tmp_path / name).mkdir()
    (tmp_path / "2026-01-01" / "metrics.json").touch()
    (tmp_path / "2026-01-02" / "metrics.json").touch()
    assert params.run_folder("").name == "2026-01-02"


def test_without_a_folder_named_yours_are_shown_or_else_the_published_ones(monkeypatch, tmp_path):
    own, published = tmp_path / "table1", tmp_path / "gtzan"
    monkeypatch.setattr(params, "REPORTS", tmp_path)
    monkeypatch.setattr(params, "PUBLISHED", published)
    assert params.report_folder("") == own  # without any, which is an error for each notebook
    (published / "rows").mkdir(parents=True)
    (own / "rows" / "1").mkdir(parents=True)  # of a training that runs
    assert params.report_folder("") == published
    assert params.report_folder("", "rows") == published / "rows"
    assert params.report_folder("", "splits") == own / "splits"  # published neither
    (own / "rows" / "1" / "metrics.json").touch()
    assert params.report_folder("") == own
    assert params.report_folder("", "rows") == own / "rows"


def test_a_folder_that_is_named_is_taken_or_an_error(tmp_path):
    assert params.report_folder(str(tmp_path), "rows") == tmp_path
    assert params.run_folder(str(tmp_path)) == tmp_path
    for folder in (params.report_folder, params.run_folder):
        with pytest.raises(InputError, match="gone, which is no folder"):
            folder(str(tmp_path / "gone"))


BOMB = "a: &a [x, x]\n" + "".join(
    f"{y}: &{y} [*{x}, *{x}]\n" for x, y in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epochs: 5\nlearning-rate: 0.1\n", r"unknown parameter learning-rate \(did you mean lear"),
        ("epochs: [5\n", "cannot be read as YAML"),
        ("- 5\n", "holds no parameters"),
        ("", "holds no parameters"),
        ("epochs: 0\n", "parameter epochs is 0 but must be a whole number"),
        ("epochs: 5\nscore_after: [5]\n", "parameter score_after is .* before the last"),
        ("learning_rate: .nan\n", "parameter learning_rate is nan but"),
        ("learning_rate: 2020-01-01\n", "parameter learning_rate is datetime.date"),
        ("seed: 2020-01-01 10:00:00\n", "parameter seed is datetime.datetime"),
        ("paper: {accuracy: 2020-01-01}\n", "parameter paper is .* has accuracy"),
        ("5: 5\n", "gives a value to 5, which is no name"),
        ("on: 5\n", "gives a value to True, which is no name"),
        ("? [1, 2]\n: 5\n", "cannot be read as YAML|gives a value to"),
        ("epochs: 5\nseed: 1\nepochs: 7\n", "epochs stands twice"),
        ("epochs: !!python/object/apply:os.system ['true']\n", "cannot be read as YAML"),
        ("epochs: 5\n---\nepochs: 6\n", "cannot be read as YAML"),
        (BOMB, r"\*a in line 2 is a reference"),
        ("epochs: &x 5\nseed: *x\n", r"\*x in line 2 is a reference"),
        ("paper: " + "[" * 2000 + "]" * 2000, "more than 10 levels"),
        (
            "\n".join(f"{' ' * i}a:" for i in range(2000)),
            "more than 10 levels|more than 100,000 bytes",
        ),
        ("# " + "x" * 100_000 + "\nepochs: 5\n", "more than 100,000 bytes"),
        ("epochs: " + "9" * 5000 + "\n", "cannot be read as YAML"),
        ("\0epochs: 5\n", "cannot be read as YAML"),
    ],
)
def test_bad_file_is_told_in_one_sentence(tmp_path, text, says):
    (tmp_path / "1.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"^1\.yaml:? ?.*({says})") as told:
        params.check_file("train", tmp_path / "1.yaml")
    assert "\n" not in str(told.value)


def test_what_is_no_file_of_parameters_is_told_at_once(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "fifo.yaml")  # to read it would take for ever
    with (tmp_path / "sparse.yaml").open("wb") as file:
        file.truncate(10**10)
    (tmp_path / "latin.yaml").write_bytes("# é\nepochs: 5\n".encode("latin-1"))
    for name in ("folder", "fifo", "sparse", "latin", "gone"):
        with pytest.raises(InputError, match=rf"^{name}\.yaml cannot be read as YAML \("):
            params.check_file("train", tmp_path / f"{name}.yaml")


def test_every_row_that_comes_with_the_project_is_good():
    for path in PARAMS.glob("*/*.yaml"):
        params.check_file("resplit" if path.parent.name == "resplit" else "train", path)


def test_rate_that_yaml_takes_for_text_is_explained():
    with pytest.raises(InputError, match=r"is text to YAML: write 0\.001 or 1\.0e-3"):
        params.check("train", {**GOOD, "learning_rate": "1e-3"})


def test_patience_needs_segments_to_choose_by():
    with pytest.raises(InputError, match="patience is 5 but no segments are set aside"):
        params.check("train", {**GOOD, "patience": 5})
    with pytest.raises(InputError, match="patience and score_after are both given"):
        params.check("train", {**GOOD, "patience": 5, "split": "artist", "score_after": [2]})
    assert params.check("train", {**GOOD, "patience": 5, "validation_size": 0.1}).patience == 5
    assert params.check("train", {**GOOD, "patience": 5, "split": "artist"}).patience == 5
