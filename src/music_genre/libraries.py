"""Settings and caches of the libraries: ours, whatever a user's own files say. Standard library.

`.cache` holds what JAX and Numba compiled, and Keras' settings. Nothing is lost without it: where
it cannot be written, a folder that is removed at the end takes its place. What JAX and Keras keep
is noted when a process ends. What is not as it was noted is thrown away when the next one begins,
and the library makes it again. (Numba's files are left alone: it writes its indexes anew while
other processes read them, and an index that vanishes then leaves a mixture that crashes.)
(The package's ``__init__`` calls this module, so it imports nothing of the package.)
"""

import atexit
import hashlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_FOLDERS = {
    "jax": "JAX_COMPILATION_CACHE_DIR",
    "numba": "NUMBA_CACHE_DIR",
    "keras": "KERAS_HOME",
}
_NOTED = ("jax", "keras")
_INHERITED = "MUSIC_GENRE_CACHE"  # tells a process's children which folder it uses
_NEEDED = 64 * 2**20  # bytes: more than all that is compiled takes


def prepare() -> None:
    """Set what the libraries read when they are imported; what the user has set mostly stays.

    Only Keras' folder is ours in any case: a `keras.json` in the user's may hold another type of
    float, or other constants, which would change every training or break it.
    """
    cache = _cache()
    for name, variable in _FOLDERS.items():
        if name == "keras":
            os.environ[variable] = str(cache / name)
        else:
            os.environ.setdefault(variable, str(cache / name))
    # JAX trains this model fastest on a CPU. It keeps what it compiled: the training step, and the
    # many small functions that initialize a model, which it finds too quick to be kept.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    # A disk that fills up on the way would be reported for each of these functions.
    warnings.filterwarnings("ignore", message="Error writing persistent compilation cache entry")
    _set_up_keras()
    drop_damaged(cache)
    atexit.register(note, cache)


def _cache() -> Path:
    """Return `.cache` if it can be written, else a temporary folder."""
    wanted = Path(os.environ.get(_INHERITED) or _CACHE)
    try:
        for name in _FOLDERS:
            (wanted / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=wanted / name):
                pass
        if shutil.disk_usage(wanted).free < _NEEDED:
            raise OSError("the disk is full")
    except OSError as error:
        print(
            f"note: {wanted.name} cannot be used ({error.strerror or error}): what is "
            "compiled is not kept, and costs a minute again next time.",
            file=sys.stderr,
        )
        wanted = Path(tempfile.mkdtemp(prefix="music-genre-"))
        atexit.register(shutil.rmtree, wanted, ignore_errors=True)
    os.environ[_INHERITED] = str(wanted)
    return wanted


def _set_up_keras() -> None:
    """Choose the back end, and undo the user's settings where Keras was imported before."""
    keras = sys.modules.get("keras")
    if keras is None:
        # What is left of an import that failed, for want of the back end that it chose.
        for name in [name for name in sys.modules if name.startswith("keras.")]:
            del sys.modules[name]
        os.environ.setdefault("KERAS_BACKEND", "jax")
        return
    os.environ["KERAS_BACKEND"] = keras.config.backend()
    before = keras.config.floatx()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    keras.config.set_epsilon(1e-7)
    if before != "float32" or keras.config.backend() != "jax":
        print(
            f"note: Keras was imported before music_genre. Its back end, {keras.config.backend()}, "
            f"stays; floats are float32, not {before}. Import music_genre first to have JAX.",
            file=sys.stderr,
        )


def drop_damaged(cache: Path) -> None:
    """Throw away the files of a cache that are not as they were noted."""
    damaged = 0
    for name, digest in _noted(cache).items():
        path = cache / name
        with suppress(OSError):  # gone, or not to be read
            if _sha256(path) != digest:
                path.unlink()
                damaged += 1
    if damaged:
        print(
            f"note: {damaged} of the compiled files in {cache.name} are not as they were "
            "left: they are thrown away and made again.",
            file=sys.stderr,
        )


def note(cache: Path) -> None:
    """Note the files of a cache as they are."""
    noted, now = _noted(cache), {}
    for path in sorted(path for name in _NOTED for path in (cache / name).rglob("[!.]*")):
        with suppress(OSError):  # gone, or a folder
            name, digest = path.relative_to(cache).as_posix(), _sha256(path)
            if name.endswith("-cache") and noted.get(name) != digest and not _is_whole(path):
                path.unlink()  # JAX writes in place: a process was killed while it did
            else:
                now[name] = digest
    if now != noted:
        written = cache / f".{os.getpid()}-checksums.json"
        with suppress(OSError):
            written.write_text(json.dumps(now, indent=1), encoding="utf-8")
            written.replace(cache / "checksums.json")
        with suppress(OSError):  # where it could not take its place
            written.unlink()


def _noted(cache: Path) -> dict[str, str]:
    try:
        noted = json.loads((cache / "checksums.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # none yet, or damaged
        return {}
    of_ours = tuple(f"{name}/" for name in _NOTED)
    noted = noted if isinstance(noted, dict) else {}
    return {name: digest for name, digest in noted.items() if name.startswith(of_ours)}


def _is_whole(entry: Path) -> bool:
    """Tell whether an entry of JAX's cache can be unpacked, as far as this Python can."""
    content = entry.read_bytes()
    is_zstd = content.startswith(b"\x28\xb5\x2f\xfd")
    try:
        importlib.import_module("compression.zstd" if is_zstd else "zlib").decompress(content)
    except ImportError:  # Python before 3.14
        return True
    except Exception:  # of either module
        return False
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
