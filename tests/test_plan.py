"""The plan: what is executed on what, after which others, and what is refused before any work."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from music_genre.build import plan
from music_genre.data import find, splits
from music_genre.exceptions import InputError
from music_genre.paths import ROOT
from music_genre.report.sections import SECTIONS

SOURCES = ROOT / "src" / "music_genre"
ROW = "epochs: {}\nbatch_size: {}\n# why\nlearning_rate: 0.001\npaper:\n  accuracy: 1\n"


@pytest.fixture
def params(tmp_path, monkeypatch):
    """Give the plan a folder of params of its own, with a table of three rows."""
    monkeypatch.setattr(plan, "PARAMS", tmp_path)
    for name, epochs, batch_size in (("2", 5, 128), ("10", 9, 128), ("9", 3, 220)):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (tmp_path / "mine" / f"{name}.yaml").write_text(ROW.format(epochs, batch_size))
    for folder in ("recipes", "claims"):
        (tmp_path / folder).mkdir()
    (tmp_path / "recipes" / "b128.yaml").write_text(ROW.format(40, 128))
    (tmp_path / "claims" / "long.yaml").write_text(ROW.format(60, 220))
    return tmp_path


def planned(**asked):
    steps = plan.steps(plan.Options(table="mine", **asked))
    return {str(step.target.relative_to(ROOT / "reports/mine")): step for step in steps}


def test_a_table_alone_trains_its_rows_and_shows_them(params):
    assert list(planned()) == [
        "rows/2/train.ipynb", "rows/9/train.ipynb", "rows/10/train.ipynb",
        "explore.ipynb", "features.ipynb",
        "rows/2/evaluate.ipynb", "rows/9/evaluate.ipynb", "rows/10/evaluate.ipynb",
        "explanations.ipynb", "table1.ipynb",
    ]  # fmt: skip


def test_rows_that_the_paper_does_not_report_are_not_explained(params):
    for path in (params / "mine").iterdir():
        path.write_text(path.read_text().split("paper:")[0])
    assert "explanations.ipynb" not in planned()


def test_splits_and_shuffled_columns_take_the_last_row_of_the_table_asked_for(params):
    steps = planned(splits=("segment", "track"))
    last = params / "mine" / "10.yaml"
    for name in ("segment", "track"):
        lstm = steps[f"splits/{name}/lstm/train.ipynb"]
        assert (lstm.file, lstm.given["split"]) == (last, name)
        fits = steps[f"splits/{name}/baselines.ipynb"]
        assert (fits.file, fits.given["split"]) == (None, name)
        assert fits.given["output"] == f"reports/mine/splits/{name}/baselines"
    shuffled = steps["shuffled/train.ipynb"]
    assert (shuffled.file, shuffled.given["shuffle_columns"]) == (last, True)
    assert {
        steps[f"splits/{name}/lstm/train.ipynb"].target for name in ("segment", "track")
    } <= set(steps["leakage.ipynb"].shows)


def test_seeds_and_recipes_are_trained_where_asked_for(params):
    steps = planned(seeds=(0, 3), recipes=True)
    assert steps["seeds/3/10/train.ipynb"].given["seed"] == 3
    assert steps["recipes/b128/train.ipynb"].file == params / "recipes" / "b128.yaml"
    assert steps["recipes.ipynb"].given["trainings"] == "b128"
    assert steps["claims/long/train.ipynb"].file == params / "claims" / "long.yaml"
    shown = set(steps["table1.ipynb"].shows)
    assert {steps[f"{name}/train.ipynb"].target for name in ("recipes/b128", "claims/long")} < shown


def test_trainings_that_differ_in_epochs_alone_follow_the_longest(params):
    steps = planned(seeds=(0, 3), recipes=True, splits=("segment", "track"))
    after = {name: step.after for name, step in steps.items() if step.after}
    chains = {name: str(path.relative_to(ROOT / "reports/mine")) for name, path in after.items()}
    assert chains == {
        "rows/2/train.ipynb": "recipes/b128/train.ipynb",
        "rows/9/train.ipynb": "claims/long/train.ipynb",
        "rows/10/train.ipynb": "recipes/b128/train.ipynb",
        "splits/segment/lstm/train.ipynb": "recipes/b128/train.ipynb",  # the same recipe and split
        "seeds/3/2/train.ipynb": "seeds/3/10/train.ipynb",
    }
    kept = {
        name: step.given["keep_states"]
        for name, step in steps.items()
        if "keep_states" in step.given
    }
    assert kept == {
        "recipes/b128/train.ipynb": [5, 9],
        "claims/long/train.ipynb": [3],
        "seeds/3/10/train.ipynb": [5],
    }


def test_every_section_has_its_notebook_and_known_parameters():
    for section in SECTIONS:
        for notebook in section.per_row or [section.name]:
            assert (ROOT / "notebooks" / f"{notebook}.py").exists()
            assert set(section.given) <= set(plan.parameters(notebook))


def test_split_names_are_those_of_the_registry():
    assert plan.split_names() == list(splits.SPLITS)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"TABLE": "gone"}, "params/gone holds no .yaml"),
        ({"TABLE": "a b"}, "TABLE is 'a b': name a folder under params/"),
        ({"TABLE": "../x"}, "TABLE is '../x': name a folder under params/"),
        ({"TABLE": "gtzan"}, "and not 'gtzan', whose folder holds the published report"),
        ({"SEEDS": "0,1"}, 'SEEDS is "0,1": write whole numbers with spaces between'),
        ({"SEEDS": "-1"}, 'SEEDS is "-1"'),
        ({"SPLITS": "genre"}, 'SPLITS is "genre": name some of segment, track, artist'),
        ({"FEATURES": "gone.csv"}, "FEATURES is gone.csv, which does not exist"),
    ],
)
def test_what_names_nothing_is_refused(given, sentence):
    with pytest.raises(InputError, match=".*") as refused:
        plan.steps(plan.options(given))
    assert sentence in str(refused.value)


def test_table_whose_path_is_no_utf8_is_refused(params):
    asked = plan.Options(table="mine", features=os.fsdecode(b"caf\xe9.csv"))
    with pytest.raises(InputError, match=r"the path caf\\xe9\.csv is no UTF-8"):
        plan.write(asked)


def test_row_whose_name_make_would_misread_is_refused(params):
    (params / "mine" / "a row.yaml").write_text("epochs: 1\n")
    with pytest.raises(InputError, match="a row.yaml has a name that cannot be built"):
        planned()


def test_planning_needs_the_standard_library_only():
    """The environment need not be there yet, and nothing takes long to import."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); import music_genre.build.plan"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_notebook_depends_on_what_it_imports_and_what_that_imports():
    modules = {
        str(path.relative_to(SOURCES)) for path in plan.imported(ROOT / "notebooks/explore.py")
    }
    assert {"__init__.py", "report/figures/explore.py", "report/figures/style.py"} <= modules
    assert {"data/sample/__init__.py", "data/sample/clips.npz", "data/table.py"} <= modules
    assert not modules & {"models/training.py", "report/figures/train.py", "data/sample/build.py"}


def test_evaluating_a_run_or_reading_a_table_needs_neither_keras_nor_librosa():
    for notebook in ("evaluate", "explore", "features", "table1"):
        for path in plan.imported(ROOT / "notebooks" / f"{notebook}.py"):
            if path.suffix == ".py":
                assert not _imported_at_once(path) & {"keras", "jax", "librosa"}, (notebook, path)


def _imported_at_once(path: Path) -> set[str]:
    """Return the packages that a module imports as it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found


def test_folders_import_downwards_only_and_nothing_in_a_circle():
    order = ["data", "metrics", "models", "analysis", "report", "build"]
    for path in SOURCES.rglob("*.py"):
        folder = path.relative_to(SOURCES).parts[0]
        used = {p.relative_to(SOURCES).parts[0] for p in plan.imported(path)} & set(order)
        if folder in order:
            above = order[order.index(folder) + 1 :]
            assert not used & set(above), path
        assert path not in plan.imported(path), path


@pytest.mark.parametrize(
    ("folder", "music", "expected"),
    [
        ("data", "", "data/features_3_sec.csv"),
        ("data/Data", "", "data/Data/features_3_sec.csv"),
        ("data/.Trash", "", "sample"),
        ("a copy/Data", "a copy", "a copy/Data/features_3_sec.csv"),
        ("R&B $(x)", "R&B $(x)/", "R&B $(x)/features_3_sec.csv"),
        ("copy", "copy/genres_original", "copy/features_3_sec.csv"),
        ("copy", "copy/genres_original/", "copy/features_3_sec.csv"),
    ],
)
def test_table_is_found_where_copies_have_it(tmp_path, monkeypatch, folder, music, expected):
    monkeypatch.setattr(find, "DATA", tmp_path / "data")
    monkeypatch.setattr(find, "EXTRACTED", tmp_path / "data" / "extracted.csv")
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "features_3_sec.csv").touch()
    table, clips = find.features_and_music(
        "", music and str(tmp_path / music) + "/" * music.endswith("/")
    )
    assert table == (find.SAMPLE_TABLE if expected == "sample" else tmp_path / expected)
    assert clips is None


def test_a_stray_clip_beside_the_published_table_is_no_music(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "DATA", tmp_path)
    (tmp_path / "features_3_sec.csv").touch()
    (tmp_path / "x.wav").touch()
    assert find.features_and_music() == (tmp_path / "features_3_sec.csv", None)
    (tmp_path / "genres" / "rock").mkdir(parents=True)
    (tmp_path / "genres" / "rock" / "x.wav").touch()
    assert find.features_and_music() == (tmp_path / "features_3_sec.csv", tmp_path)
    with pytest.raises(InputError, match="holds neither clips in a folder per genre nor"):
        find.features_and_music("", str(tmp_path / "gone"))


def test_make_expands_nothing_of_what_was_typed(tmp_path):
    typed = '$(shell touch pwned)`touch pwned`$$(touch pwned)";touch pwned;"'
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for name in ("TABLE", "FEATURES", "GTZAN", "SEEDS", "SPLITS", "CLIPS"):
        for given in ([f"{name}={typed}"], []):
            more = {} if given else {name: typed}
            for target in ("report", "help", "clean"):
                subprocess.run(
                    ["make", "-f", ROOT / "Makefile", f"PYTHON={sys.executable}", target, *given],
                    cwd=tmp_path, env=environment | more, capture_output=True,
                )  # fmt: skip
            assert not (tmp_path / "pwned").exists(), (name, given)


def test_a_module_that_is_no_python_is_named(tmp_path):
    (tmp_path / "mine.py").write_text("def (\n")
    with pytest.raises(InputError, match=r"mine\.py cannot be read as Python: invalid syntax"):
        plan.imported(tmp_path / "mine.py")


def test_row_whose_file_is_no_yaml_leaves_its_reason(tmp_path, monkeypatch):
    from music_genre.build import execute

    monkeypatch.setattr(execute, "ROOT", tmp_path)
    (tmp_path / "1.yaml").write_text("epochs: [\n")
    step = {"file": "1.yaml", "given": {"output": "run"}, "target": "run/train.ipynb"}
    execute.record_failure(step, "it cannot be read")
    assert "it cannot be read" in (tmp_path / "run" / "failed.json").read_text()
