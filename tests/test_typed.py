"""What is typed as variables of make: checked before any work, and told with what was meant."""

import os
import shutil
import subprocess
import sys

import pytest

from music_genre.build import typed
from music_genre.exceptions import InputError
from music_genre.paths import ROOT

SPLITS = ["segment", "track", "artist"]
ENTRIES = ["TABLE", "FEATURES", "MUSIC", "GTZAN", "SEEDS", "RECIPES", "SPLITS", "MORE", "STRICT",
           "CLIPS", "TAKE", "CHECK", "LAB", "NPROC", "PYTHON", "KERAS_BACKEND", "AUDIO", "MODEL",
           "TABEL"]  # fmt: skip
HOSTILE = [
    "$(shell touch pwned)`touch pwned`$$(touch pwned)\";touch pwned;\"';touch pwned;'",
    "x -- $(shell touch pwned)\n\ttouch pwned\n#",
    "a;touch pwned|touch pwned&touch pwned&",
]


def options(**given):
    return typed.options(given, splits=SPLITS)


def test_what_is_left_out_has_its_default():
    assert options() == typed.Options()
    assert options(TABLE="", FEATURES="", SEEDS="", RECIPES="", STRICT="") == typed.Options()


def test_what_is_given_is_read(tmp_path):
    (tmp_path / "t.csv").touch()
    asked = options(
        FEATURES=str(tmp_path / "t.csv"), SEEDS="2 0 1", RECIPES="1", SPLITS="track segment",
        STRICT="yes",
    )  # fmt: skip
    assert asked == typed.Options(
        features=str(tmp_path / "t.csv"), seeds=(0, 1, 2), recipes=True,
        splits=("segment", "track"), strict=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["RECIPES", "MORE", "STRICT"])
def test_flags_are_on_or_off(name):
    for value in ("0", "no", "false", "NO"):
        assert not getattr(options(**{name: value}), name.lower())
    for value in ("1", "yes", "True"):
        assert getattr(options(**{name: value}), name.lower())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"TABLE": "a b"}, "TABLE is 'a b': name a folder under params/"),
        ({"TABLE": "../x"}, "TABLE is '../x': name a folder under params/"),
        ({"TABLE": ".x"}, "TABLE is '.x': name a folder under params/"),
        ({"TABLE": "."}, "TABLE is '.': name a folder"),
        ({"TABLE": "mine/"}, "TABLE is 'mine/': name a folder"),
        ({"TABLE": "gtzan"}, "reports/gtzan holds the published report"),
        ({"TABLE": "GTZAN"}, "reports/gtzan holds the published report"),
        ({"TABLE": "gtzan/"}, "TABLE is 'gtzan/'"),
        ({"TABLE": "manual"}, "reports/manual holds trainings by hand"),
        ({"SEEDS": "0,1"}, 'SEEDS is "0,1" (did you mean 0 1?): write whole numbers'),
        ({"SEEDS": "-1"}, 'SEEDS is "-1"'),
        ({"SEEDS": "1.5"}, 'SEEDS is "1.5"'),
        ({"SEEDS": "9" * 5000}, "write whole numbers of at most 9 digits"),
        ({"SEEDS": "²"}, 'SEEDS is "²"'),
        ({"SPLITS": "genre"}, 'SPLITS is "genre": name some of segment, track, artist'),
        ({"SPLITS": "segment,track"}, 'SPLITS is "segment,track"'),
        ({"SPLITS": "artists"}, 'SPLITS is "artists" (did you mean artist?)'),
        ({"FEATURES": "READM.md"}, "FEATURES is READM.md, which does not exist (did you mean READ"),
        ({"FEATURES": "src"}, "FEATURES is src, which is not a features table"),
        ({"FEATURES": "/dev/null"}, "FEATURES is /dev/null, which is not a features table"),
        ({"FEATURES": "gone/x.csv"}, "FEATURES is gone/x.csv, which does not exist: name"),
        ({"FEATURES": "~/gone.csv"}, "/gone.csv, which does not exist"),
        ({"FEATURES": "~nobody-has-this-name/x"}, "~nobody-has-this-name/x, which does not exist"),
        ({"FEATURES": "x" * 300}, "which does not exist"),
        ({"FEATURES": "\udcff.csv"}, "FEATURES is '\\udcff.csv', a name that is not UTF-8"),
        ({"GTZAN": "README.md"}, "GTZAN is README.md, which is not a folder of music"),
        ({"GTZAN": "gone"}, "GTZAN is gone, which does not exist"),
        ({"GTZAN": "/"}, "GTZAN is /, which holds this project: name the folder of music"),
        ({"GTZAN": ".."}, "GTZAN is .., which holds this project"),
        ({"GTZAN": "src", "FEATURES": "README.md"}, "FEATURES and GTZAN are both given"),
        ({"MUSIC": "src", "FEATURES": "README.md"}, "FEATURES and MUSIC are both given"),
        ({"MUSIC": "src", "GTZAN": "src"}, "MUSIC and GTZAN are both given"),
        ({"MUSIC": "gone"}, "MUSIC is gone, which does not exist"),
        ({"MUSIC": ".."}, "MUSIC is .., which holds this project"),
        ({"RECIPES": "maybe"}, 'RECIPES is "maybe": write 1 for yes, or leave it out'),
        ({"STRICT": "ja"}, 'STRICT is "ja"'),
        ({"CHECK": "2"}, 'CHECK is "2"'),
        ({"NPROC": "abc"}, 'NPROC is "abc": write a number of threads'),
        ({"NPROC": "0"}, 'NPROC is "0"'),
        ({"NPROC": "-1"}, 'NPROC is "-1"'),
        ({"KERAS_BACKEND": "tensorflwo"}, "(did you mean tensorflow?): name one of jax"),
    ],
)
def test_what_names_nothing_is_refused(monkeypatch, given, sentence):
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError, match=".*") as refused:
        options(**given)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "AUDIO is missing: name a sound file or a folder of them, as in make predict AUDIO="),
        ({"AUDIO": "READM.md"}, "AUDIO is READM.md, which does not exist (did you mean README.md"),
        ({"AUDIO": "x" * 300}, "which does not exist: name a sound file or a folder of them."),
        (
            {"AUDIO": "caf\udce9.mp3"},
            "AUDIO is 'caf\\udce9.mp3', a name that is not UTF-8",
        ),
        ({"AUDIO": ".."}, "AUDIO is .., which holds this project"),
        (
            {"AUDIO": "src", "MODEL": "README.md"},
            "MODEL is README.md, which is not the folder",
        ),
        ({"AUDIO": "src", "MODEL": "gone"}, "MODEL is gone, which does not exist: name the folder"),
    ],
)
def test_nothing_to_predict_from_is_refused(monkeypatch, given, sentence):
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError, match=".*") as refused:
        typed.prediction(given)
    assert sentence in str(refused.value)


def test_sound_of_any_name_is_taken_as_it_was_typed(tmp_path):
    for name in (*HOSTILE, "with space 'q' \"d\"", "two\nlines", "\u6f14\u6b4c", "<b>x<b>"):
        path = tmp_path / name.replace("/", "_")
        path.touch()
        assert typed.prediction({"AUDIO": str(path)}) == typed.Prediction(str(path))


def test_home_folder_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "my music").mkdir()
    for name in ("MUSIC", "GTZAN"):
        asked = options(**{name: "~/my music/"})
        assert (asked.music, asked.music_by) == (str(tmp_path / "my music"), name)


def test_published_report_by_another_name_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(typed, "REPORTS", tmp_path)
    (tmp_path / "gtzan").mkdir()
    (tmp_path / "other").symlink_to("gtzan")
    with pytest.raises(InputError, match="reports/gtzan holds the published report"):
        typed.report_folder({"TABLE": "other"})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a checkout in a folder whose own name is hostile."""
    folder = tmp_path_factory.mktemp("clone") / "a $(touch pwned) `touch pwned`"
    for name in ("src", "notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", folder)
    return folder


TARGETS = ["help", "report", "predict", "restore", "publish", "data", "pairs", "style", "lab",
           "bench-features", "bench-train", "sample", "clean"]  # fmt: skip


def make(checkout, python, targets, *, typed_after, **given):
    """Run make with variables typed after it, or before it."""
    environment = {k: v for k, v in os.environ.items() if k not in (*ENTRIES, "MAKEFLAGS")}
    after = [f"{name}={text}" for name, text in given.items()] if typed_after else []
    return subprocess.run(
        ["make", "-k", *targets, f"PYTHON={python}", *after],
        cwd=checkout, env=environment | ({} if typed_after else given),
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("name", ENTRIES)
def test_neither_make_nor_a_shell_expands_what_was_typed(checkout, name):
    python = checkout / "python"
    python.write_text("#!/bin/sh\nexit 0\n")  # whatever make has it do, it has done
    python.chmod(0o755)
    for text in HOSTILE:
        for after in (True, False):
            given = {"CLIPS": "x", name: text}
            done = make(checkout, python, TARGETS, typed_after=after, **given)
            assert done.returncode == 0 or name == "PYTHON", done.stderr
            assert "make report" in done.stdout
    assert not list(checkout.parent.rglob("pwned"))


@pytest.mark.parametrize(
    "name", ["TABLE", "FEATURES", "MUSIC", "GTZAN", "SEEDS", "SPLITS", "TABEL", "AUDIO", "MODEL"]
)
def test_what_was_typed_is_refused_as_it_was_typed(checkout, name):
    target = "predict" if name in ("AUDIO", "MODEL") else "report"
    other = {"AUDIO": "src"} if name == "MODEL" else {}
    for text in HOSTILE:
        given = {**other, name: text}
        done = make(checkout, sys.executable, [target], typed_after=True, **given)
        assert done.returncode
        assert f"error: {'make knows no variable ' if name == 'TABEL' else ''}{name}" in done.stderr
    assert not list(checkout.parent.rglob("pwned"))


def test_published_report_cannot_be_cleaned_away(checkout):
    (checkout / "reports" / "gtzan").mkdir(parents=True, exist_ok=True)
    (checkout / "reports" / "mine").mkdir(exist_ok=True)
    for table in ("gtzan", "gtzan/", "./gtzan", "mine/../gtzan", "GTZAN", "", ".", "..", "/"):
        make(checkout, sys.executable, ["clean"], typed_after=True, TABLE=table)
        assert (checkout / "reports" / "gtzan").exists(), table
    assert make(checkout, sys.executable, ["clean"], typed_after=True, TABLE="mine").returncode == 0
    assert not (checkout / "reports" / "mine").exists()
