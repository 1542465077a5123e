"""The notebooks: pairs, parameters, and runs by hand from any folder."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from music_genre import params
from music_genre.data.find import SAMPLE_TABLE
from music_genre.paths import MANUAL, ROOT
from music_genre.report import display

NOTEBOOKS = list(params.KNOWN)


def papermill(*arguments, cwd):
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def read(name):
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def test_there_is_no_other_notebook():
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "notebooks/*.py", "notebooks/*.ipynb"],
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = {f"notebooks/{name}{suffix}" for name in NOTEBOOKS for suffix in (".py", ".ipynb")}
    assert set(listed.stdout.split()) == pairs


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_one_parameters_cell_declares_what_is_known_each_with_type_and_comment(name):
    cells = [cell for cell in read(name).cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    lines = cells[0].source.splitlines()
    declared = [re.fullmatch(r"(\w+): \w+ = [^#]+  # .+", line) for line in lines]
    assert all(declared)
    assert [match[1] for match in declared] == list(params.KNOWN[name])


def test_help_of_papermill_is_the_manual(tmp_path):
    done = papermill("--help-notebook", ROOT / "notebooks" / "train.ipynb", cwd=tmp_path)
    assert done.returncode == 0
    for name in params.KNOWN["train"]:
        assert re.search(rf"^ +{name}: \w+ \(default ", done.stdout, re.MULTILINE), name
    assert "passes over the training segments" in done.stdout


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_defaults_are_in_range(name):
    cell = next(c for c in read(name).cells if "parameters" in c.metadata.get("tags", []))
    namespace = {}
    exec(cell.source, namespace)
    params.check(name, namespace)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """Run the train notebook as a user would, from the notebooks' folder, without `output`."""
    folder = tmp_path_factory.mktemp("by hand")
    before = set((ROOT / "reports").rglob("*"))
    done = papermill(
        "train.ipynb", folder / "out.ipynb", "-p", "epochs", 1, "-p", "batch_size", 256,
        "-p", "resume", "False", "-r", "features", SAMPLE_TABLE,
        "--stdout-file", "-", cwd=ROOT / "notebooks",
    )  # fmt: skip
    new = set((ROOT / "reports").rglob("*")) - before
    yield done, folder / "out.ipynb", {path for path in new if path.is_file()}
    made = re.search(
        r"results are in <code>reports/manual/([^<]+)</code>", (folder / "out.ipynb").read_text()
    )
    shutil.rmtree(MANUAL / made[1])


def test_run_by_hand_from_the_notebooks_folder_writes_only_under_manual(by_hand):
    done, _, new = by_hand
    assert done.returncode == 0, done.stderr
    runs = {path.parent for path in new}
    assert len(runs) == 1
    assert runs.pop().parent == MANUAL
    assert {path.name for path in new} >= {"metrics.json", "history.csv", "model.keras"}


def test_training_leaves_no_progress_bar_in_the_notebook(by_hand):
    _, out, _ = by_hand
    nbformat.validate(nbformat.read(out, as_version=4))
    assert not re.search(r"\d%\||█|\\u2588", out.read_text())


def test_figures_carry_alternative_text_and_their_data(by_hand):
    _, out, _ = by_hand
    outputs = [o for c in nbformat.read(out, as_version=4).cells for o in c.get("outputs", [])]
    shown = [o for o in outputs if display.KIND in o.get("metadata", {})]
    assert len(shown) >= 2
    for one in shown:
        assert "text/csv" in one.data
        if "<img" in one.data["text/html"]:
            assert len(one.metadata[display.KIND]["alt"]) > 20


def test_evaluate_by_hand_takes_the_newest_run(by_hand, tmp_path):
    done = papermill("notebooks/evaluate.ipynb", tmp_path / "out.ipynb", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    made = next(path.parent for path in by_hand[2] if path.name == "metrics.json")
    assert (
        f"<code>reports/manual/{made.name}</code>: 1 of 1 epochs"
        in (tmp_path / "out.ipynb").read_text()
    )


def test_finished_training_is_shown_and_not_repeated(by_hand, tmp_path):
    made = next(path.parent for path in by_hand[2] if path.name == "metrics.json")
    before = (made / "metrics.json").stat().st_mtime_ns
    done = papermill(
        "notebooks/train.ipynb", tmp_path / "out.ipynb", "-p", "epochs", 1, "-p", "batch_size", 256,
        "-r", "features", SAMPLE_TABLE, "-r", "output", made, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "is not repeated" in (tmp_path / "out.ipynb").read_text()
    assert (made / "metrics.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            ["-p", "epoch", "5"],
            "InputError: unknown parameter epoch (did you mean epochs?) for the",
        ),
        (["-p", "epochs", "0"], "InputError: parameter epochs is 0 but must be a whole number"),
        (["-r", "features", "gone.csv"], "InputError: gone.csv does not exist: "),
    ],
)
def test_bad_parameter_ends_the_run_with_one_sentence(tmp_path, given, sentence):
    done = papermill("notebooks/train.ipynb", tmp_path / "out.ipynb", *given, cwd=ROOT)
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1].startswith(sentence)


def test_no_environment_variable_is_needed(tmp_path):
    program = "import music_genre, keras; print(keras.backend.backend())"
    variables = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=variables, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip().splitlines()[-1] == "jax"
