"""What several test files need."""

import os

import pandas as pd
import pytest

from music_genre.data.find import SAMPLE_TABLE
from music_genre.paths import ROOT

SHARED = ROOT.parent / "shared" / "gtzan"  # real GTZAN data, which the project does not carry
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="GTZAN is not at ../shared/gtzan")

# Numba keeps what it compiles of librosa. Processes that fill one folder at the same time can leave
# a mixture there that crashes every later one, so each test process has a folder of its own.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["NUMBA_CACHE_DIR"] = str(ROOT / ".cache" / "numba" / worker)


@pytest.fixture
def few_rows() -> pd.DataFrame:
    """Return 60 real rows: three genres, four clips each, five segments each."""
    rows = pd.read_csv(SAMPLE_TABLE)
    clip = rows["filename"].str.extract(r"\.(\d+)\.\d+\.wav$")[0].astype(int)
    return rows[rows["label"].isin(["blues", "classical", "metal"]) & (clip < 4)].reset_index(
        drop=True
    )
