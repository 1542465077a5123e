"""The plan: what is executed on what, after which others, and what is refused before any work."""

import ast
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from music_genre.build import __main__ as build
from music_genre.build import plan, typed
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
    steps = plan.steps(typed.Options(table="mine", **asked))
    return {str(step.target.relative_to(ROOT / "reports/mine")): step for step in steps}


def test_a_table_alone_trains_its_rows_and_shows_them(params):
    assert list(planned()) == [
        "rows/2/train.ipynb", "rows/9/train.ipynb", "rows/10/train.ipynb",
        "table1.ipynb",
        "rows/2/evaluate.ipynb", "rows/9/evaluate.ipynb", "rows/10/evaluate.ipynb",
        "explanations.ipynb", "explore.ipynb", "features.ipynb", "contradictions.ipynb",
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


def test_model_for_use_is_made_where_tracks_and_artists_are_held_out(params):
    assert "use.ipynb" not in planned(splits=("segment", "track"))
    asked = typed.Options(table="mine", splits=("track", "artist"))
    steps = plan.steps(asked)
    (step,) = (step for step in steps if step.notebook == "use")
    assert step.trains
    *_, described, page = plan.specs(asked, steps, find.SAMPLE_TABLE, extracted=False)
    assert described["given"]["output"] == "reports/mine/use"
    assert described["results"] == ["reports/mine/use/model.json"]
    assert described["threads"] == 1
    assert page["page"]["sections"][-1] == "use"
    assert described["target"] in page["shows"]


def test_seeds_and_recipes_are_trained_where_asked_for(params):
    steps = planned(seeds=(0, 3), recipes=True)
    assert steps["seeds/3/10/train.ipynb"].given["seed"] == 3
    assert steps["recipes/b128/train.ipynb"].file == params / "recipes" / "b128.yaml"
    assert steps["recipes.ipynb"].given["trainings"] == "b128"
    assert steps["claims/long/train.ipynb"].file == params / "claims" / "long.yaml"
    shown = set(steps["contradictions.ipynb"].shows)
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
    for section in [section for section in SECTIONS if not section.shared_of]:
        for notebook in section.per_row or [section.name]:
            assert (ROOT / "notebooks" / f"{notebook}.py").exists()
            assert set(section.given) <= set(plan.parameters(notebook))


def test_split_names_are_those_of_the_registry():
    assert plan.split_names() == list(splits.SPLITS)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a row.yaml", "a row.yaml has a name that cannot be built"),
        ("11.yml", "11.yml would not be read: name it 11.yaml"),
        ("11.YAML", "11.YAML would not be read: name it 11.yaml"),
        ("$(touch pwned).yaml", "has a name that cannot be built"),
        ("11.yaml/", "11.yaml is no file"),
    ],
)
def test_row_that_would_be_misread_is_refused(params, name, sentence):
    path = params / "mine" / name
    path.mkdir() if name.endswith("/") else path.write_text("epochs: 1\n")
    with pytest.raises(InputError, match=".*") as refused:
        planned()
    assert sentence in str(refused.value)


def test_table_that_is_not_there_is_refused_with_the_one_meant(params):
    with pytest.raises(InputError, match=r"params/mien holds no \.yaml \(did you mean mine\?\)"):
        plan.steps(typed.Options(table="mien"))


@pytest.mark.parametrize("table", ["rows", "seeds", "splits", "shuffled"])
def test_table_named_as_a_folder_of_a_report_has_rows_of_its_own_only(params, table):
    (params / "mine").rename(params / table)
    asked = typed.Options(
        table=table, splits=("segment",), seeds=(0, 1), recipes=table != "recipes"
    )
    *_, page = plan.specs(asked, plan.steps(asked), find.SAMPLE_TABLE, extracted=False)
    assert page["page"]["rows"] == ["2", "9", "10"]


def test_row_in_another_encoding_can_be_planned(params):
    (params / "mine" / "10.yaml").write_bytes("epochs: 9 # éé\n".encode("latin-1"))
    assert "rows/10/train.ipynb" in planned()  # what is wrong with it is said before any work


def test_table_whose_path_is_no_utf8_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text("filename,label\n")
    with pytest.raises(InputError, match=r"caf.*\.csv is not UTF-8"):
        build.features_and_music(typed.Options(features=str(path)))


def test_last_row_with_a_second_table_is_refused_where_splits_are_compared(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(plan, "PARAMS", tmp_path)
    row, asked = tmp_path / "mine/1.yaml", typed.Options(table="mine", splits=("track",))
    for text in ("epochs: 1\n", 'epochs: 1\nmore: ""\n', "epochs: 1\nmore: x.more.csv\n"):
        row.write_text(text)
        if "x.more" in text:
            with pytest.raises(InputError, match=r"params/mine/1\.yaml sets more"):
                plan.steps(asked)
            asked = dataclasses.replace(asked, splits=())
        assert plan.steps(asked)


def test_names_that_a_search_and_more_numbers_give_are_kept_from_rows(tmp_path, monkeypatch):
    (tmp_path / "beyond").mkdir()
    monkeypatch.setattr(plan, "PARAMS", tmp_path)
    asked = dataclasses.replace(typed.Options(), only="beyond")
    with pytest.raises(InputError, match=r"params/beyond holds no \.yaml"):
        plan.steps(asked)
    for name in ("tuned", "mlp-more"):
        (tmp_path / f"beyond/{name}.yaml").write_text("model: mlp\n")
        with pytest.raises(InputError, match=rf"params/beyond/{name}\.yaml is named as"):
            plan.steps(asked)
        (tmp_path / f"beyond/{name}.yaml").unlink()
    (tmp_path / "beyond/mine.yaml").write_text('model: "track-lstm"\n')
    splits = [step.given.get("split") for step in plan.steps(asked)[:-1]]
    assert splits == ["track"]  # a model of tracks, quoted or not
    with pytest.raises(InputError, match="a search needs validation tracks"):
        plan.steps(dataclasses.replace(asked, only="tune", splits=("segment",)))


def test_planning_needs_the_standard_library_only():
    """The environment need not be there yet, and nothing takes long to import."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); import music_genre.build.__main__"
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
    assert not modules & {"models/training.py", "report/figures/train.py", "data/fetch.py"}


def test_evaluating_a_run_or_reading_a_table_needs_neither_keras_nor_librosa():
    for notebook in ("contradictions", "evaluate", "features", "table1"):
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


def test_folder_that_may_not_be_searched_is_named(monkeypatch):
    def refused(features, music):
        raise PermissionError(13, "Permission denied", "/lost+found")

    monkeypatch.setattr(find, "features_and_music", refused)
    with pytest.raises(
        InputError, match=r"^/ cannot be searched .*Permission denied: /lost\+found"
    ):
        build.features_and_music(typed.Options(music="/"))


def test_plan_can_be_followed_by_hand(params, monkeypatch):
    """It names the Python that it was written with, whatever characters that has in its path."""
    monkeypatch.setattr(plan.sys, "executable", "/a $(b) #c/python")
    asked = typed.Options(table="mine")
    steps = plan.steps(asked)
    described = plan.specs(asked, steps, find.SAMPLE_TABLE, extracted=False)
    rules = params / "plan.mk"
    text = plan._rules(steps, described, [described[-1]["target"]])
    rules.write_text(text + 'shown:\n\t@echo "$$PYTHON"\n')
    environment = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    done = subprocess.run(
        ["make", "-f", rules, "shown"], env=environment, capture_output=True, text=True
    )
    assert done.stdout == "/a $(b) #c/python\n"


def test_imports_in_a_circle_and_by_dots_are_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "SOURCES", tmp_path / "music_genre")
    files = {
        "__init__.py": "",
        "paths.py": "def later():\n    from music_genre.inner import one\n",
        "inner/__init__.py": "",
        "inner/one.py": "from . import two\nfrom .. import paths\n",
        "inner/two.py": "from .one import x\nfrom .data.deep import y\n",
        "inner/data/__init__.py": "",
        "inner/data/deep.py": "",
    }
    for name, text in files.items():
        (tmp_path / "music_genre" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "music_genre" / name).write_text(text)
    (tmp_path / "notebook.py").write_text("from music_genre.inner.one import x\n")
    found = plan.imported(tmp_path / "notebook.py")
    assert {path.relative_to(tmp_path / "music_genre").as_posix() for path in found} == set(files)


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


def test_a_module_that_is_no_python_is_named(tmp_path):
    (tmp_path / "mine.py").write_text("def (\n")
    with pytest.raises(InputError, match=r"mine\.py cannot be read as Python: invalid syntax"):
        plan.imported(tmp_path / "mine.py")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs: 1\npaper:\n  accuracy: 33.45\n", True),
        ("paper: {precision: 1, accuracy: 33.45}\n", True),
        ("paper:\n  precision: 1\n\n  accuracy: 2\nepochs: 1\n", True),
        ("epochs: 1\n# paper: no accuracy\n", False),
        ("paper:\n  loss_figure: 10 # no accuracy\n", False),
        ("paper: {}\naccuracy: 1\n", False),
    ],
)
def test_section_of_the_paper_is_shown_where_a_row_has_its_accuracy(tmp_path, text, told):
    (tmp_path / "1.yaml").write_text(text)
    shown = plan.shown(typed.Options(table="x"), [tmp_path / "1.yaml"])
    assert ("explanations" in [section.name for section in shown]) == told
