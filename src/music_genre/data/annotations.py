"""The published lists about GTZAN's clips: their sources and checksums; find and read them."""

import hashlib
from pathlib import Path

from music_genre.paths import DATA

# The fault-filtered, artist-disjoint partition (Kereliuk, Sturm & Larsen 2015: 443, 197 and 290
# clips) and the artist and title of each clip (Sturm 2012), from fixed commits: the checksum, and
# the folders to try.
GITHUB = "https://raw.githubusercontent.com"
DNN_MGR = f"{GITHUB}/coreyker/dnn-mgr/bdad579ea6cb37b665ea6019fe1026a6ce20cbc7"
GTZAN_BIND = f"{GITHUB}/seungheondoh/gtzan-bind/ba33dc7309afa49ef6b5176300531a9bbde2ad1f"
PARTITION = [f"{DNN_MGR}/gtzan", f"{GTZAN_BIND}/dataset/split/sturm2013faults"]
LISTS = {
    "train_filtered.txt": (
        "sha256:2b04966cef1486f1a7767b74271533fa23e220388db804a1937835e1fc4fa3fa",
        PARTITION,
    ),
    "valid_filtered.txt": (
        "sha256:f8fbee7c52397a0e0f3a91dc54fedecb2e27f5bdc9a9daeab8cb10d077e26956",
        PARTITION,
    ),
    "test_filtered.txt": (
        "sha256:09cafa6a89ce0a27f30ed250d56ecb4d03c22fffb5a693f96c7ae655ee02ac72",
        PARTITION,
    ),
    "GTZANindex.txt": (
        "sha256:7bc7140f082cccd72046ec7c6e9b9c211a7491f6e7ede38fddafc63058559833",
        [f"{GTZAN_BIND}/dataset/metadata/sturm2013faults"],
    ),
}


def read(name: str, table_folder: Path | None = None) -> list[str] | None:
    """Return the lines of a list, or None if it is not available.

    It is looked for in ``data/splits``, then in the folder ``splits`` of ``table_folder``. Only a
    file with the published content is accepted.
    """
    folders = [DATA, *([] if table_folder is None else [table_folder])]
    found = [path for folder in folders if (path := find_list(LISTS[name][0], folder / "splits"))]
    return found[0].read_text(encoding="utf-8").splitlines() if found else None


def find_list(known_hash: str, folder: Path) -> Path | None:
    """Find a list in a folder by its content, whatever it is called there."""
    paths = (path for path in sorted(folder.glob("*.txt")) if path.is_file())
    return next((path for path in paths if _hash(path) == known_hash), None)


def _hash(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
