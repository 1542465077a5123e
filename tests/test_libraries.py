"""The libraries' settings are ours, and their caches optional."""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from music_genre import libraries

OURS = ("KERAS_BACKEND", "KERAS_HOME", "MUSIC_GENRE_CACHE", "NUMBA_CACHE_DIR",
        "JAX_COMPILATION_CACHE_DIR")  # fmt: skip


def python(program, tmp_path, **variables):
    """Run a program as a user with a home folder of their own, who has set nothing else."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    environment = {**kept, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, env={**environment, **variables},
    )  # fmt: skip


@pytest.fixture
def of_the_user(tmp_path):
    """Write a user's own settings of Keras."""

    def write(**settings):
        (tmp_path / ".keras").mkdir()
        (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))

    return write


STATE = "print(keras.backend.backend(), keras.config.floatx(), keras.config.epsilon())"


@pytest.mark.parametrize(
    "settings",
    [{"floatx": "float16", "backend": "torch", "epsilon": 0.1}, {"floatx": "float99"}],
    ids=["valid", "not valid"],
)
def test_settings_of_keras_in_the_users_home_change_nothing(tmp_path, of_the_user, settings):
    of_the_user(**settings)
    done = python(f"import music_genre, keras; {STATE}", tmp_path)
    assert done.stdout.split() == ["jax", "float32", "1e-07"], done.stderr


def test_keras_that_was_imported_before_is_set_right(tmp_path, of_the_user):
    of_the_user(floatx="float16", backend="jax", epsilon=0.1)
    program = (
        "import keras; keras.layers.Dense(1); import music_genre;"
        f"{STATE}; print(keras.layers.Dense(1).dtype_policy.name)"
    )
    done = python(program, tmp_path)
    assert done.stdout.split() == ["jax", "float32", "1e-07", "float32"], done.stderr
    assert done.stderr.count("note: Keras was imported before music_genre.") == 1


def test_keras_whose_import_failed_before_is_imported_with_our_back_end(tmp_path):
    program = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "try: import keras\n"
        "except ImportError: print('failed')\n"
        "import music_genre, keras\n"
        f"{STATE}; keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])"
    )
    done = python(program, tmp_path)
    assert done.stdout.split() == ["failed", "jax", "float32", "1e-07"], done.stderr
    assert done.returncode == 0, done.stderr


def test_without_a_place_for_caches_all_works_with_one_line(tmp_path):
    (tmp_path / "file").write_text("no folder")
    program = (
        "import music_genre, os; from music_genre.data import features; import numpy as np;"
        "print(os.environ['NUMBA_CACHE_DIR']);"
        "import librosa.util"  # Numba looks for a place to cache when it is imported
    )
    done = python(program, tmp_path, MUSIC_GENRE_CACHE=str(tmp_path / "file"))
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("note: file cannot be used (Not a directory): what is compiled")
    assert not Path(done.stdout.strip()).exists()  # it is removed at the end


@pytest.fixture
def cache(tmp_path):
    """Return a cache with an entry of each library; Numba's is not noted."""
    contents = {"jax/jit_f-1-cache": zlib.compress(b"code"), "numba/a/f.nbi": b"index",
                "keras/keras.json": b"{}"}  # fmt: skip
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    libraries.note(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["jax/jit_f-1-cache", "keras/keras.json"])
@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: content[:-1], lambda content: b"\x01" + content[1:]],
    ids=["emptied", "cut", "flipped"],
)
def test_damaged_entry_is_thrown_away_and_the_others_stay(cache, capsys, name, damage):
    (cache / name).write_bytes(damage((cache / name).read_bytes()))
    libraries.drop_damaged(cache)
    assert not (cache / name).exists()
    assert len([path for path in cache.glob("*/**/*") if path.is_file()]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    libraries.drop_damaged(cache)
    assert capsys.readouterr().err == ""


def test_what_numba_writes_anew_stays(cache, capsys):
    # A process may be using it: an index that vanishes leaves a mixture that crashes.
    (cache / "checksums.json").write_text(json.dumps({"numba/a/f.nbi": "of before"}))
    (cache / "numba" / "a" / "f.nbi").write_bytes(b"index of more")
    libraries.drop_damaged(cache)
    assert (cache / "numba" / "a" / "f.nbi").exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("noted", [b"", b"\xff", b"[]", b"[" * 100_000, b"null"], ids=len)
def test_damaged_note_costs_nothing(cache, noted):
    (cache / "checksums.json").write_bytes(noted)
    libraries.drop_damaged(cache)
    libraries.note(cache)
    assert len(json.loads((cache / "checksums.json").read_text())) == 2


def test_entry_that_jax_was_killed_in_is_not_noted_but_thrown_away(cache):
    (cache / "jax" / "jit_g-2-cache").write_bytes(zlib.compress(b"code" * 99)[:-9])
    libraries.note(cache)
    assert [path.name for path in (cache / "jax").iterdir()] == ["jit_f-1-cache"]


def test_note_that_cannot_be_written_is_left(cache):
    (cache / "keras" / "new").write_bytes(b"new")
    (cache / "checksums.json").unlink()
    (cache / "checksums.json").mkdir()
    libraries.note(cache)
