"""What several test files need."""

import os
from collections.abc import Callable
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest
from IPython.display import HTML, Markdown

from music_genre import provenance
from music_genre.data.find import SAMPLE_TABLE
from music_genre.metrics import classification
from music_genre.metrics.predictions import by_genre
from music_genre.models import runs
from music_genre.paths import ROOT
from music_genre.report import display

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


@pytest.fixture
def run_here(monkeypatch) -> Callable[..., str]:
    """Return a function that runs a notebook in this process and returns the text that it shows."""

    def run(name: str, **parameters: object) -> str:
        shown = []
        monkeypatch.setattr(display, "display", shown.append)
        namespace = {}
        for cell in jupytext.read(ROOT / "notebooks" / f"{name}.py").cells:
            if cell.cell_type == "code":
                exec(cell.source, namespace)
            if "parameters" in cell.metadata.get("tags", []):
                namespace |= parameters
        return "\n\n".join(one.data for one in shown if isinstance(one, HTML | Markdown))

    return run


SOURCE = {
    "path": "t.csv", "is_sample": False, "clips": 1000, "segments": 9990, "genres": 10,
    "sha256": "a" * 64, "fingerprint": [1.0, 2.0, 3.0, 4.0],
}  # fmt: skip


def fake_run(
    folder: Path,
    predictions: pd.DataFrame,
    *,
    history: dict | None = None,
    paper: dict | None = None,
    source: dict = SOURCE,
    parts: dict | None = None,
    diverged: bool = False,
    after: dict[int, pd.DataFrame] | None = None,
    **parameters: object,
) -> None:
    """Write a run as the train notebook leaves it, without its model.

    ``predictions`` holds filename, part, label and predicted, and each genre's probability (1 for
    the predicted one, if left out). The scores are those of the predictions, but for those given
    in ``parts``. ``after`` are the predictions after earlier epochs. ``parameters`` are those that
    differ from the last row of Table I.
    """
    genres = sorted(set(predictions["label"]) | set(predictions["predicted"]))
    if not any(name.startswith("probability of ") for name in predictions):
        certain = np.array([predictions["predicted"] == genre for genre in genres], dtype=float).T
        predictions = predictions.assign(**by_genre(genres, certain))
    history = pd.DataFrame(history or {"epoch": [1], "test_accuracy": [0.5]})
    defaults = {"loss": 1.0, "accuracy": 0.5, "test_loss": 1.0, "seconds": 1.0, "kept": False}
    history = history.assign(**{k: v for k, v in defaults.items() if k not in history})
    scores = {
        part: {"segments": len(of), **classification.score(of["label"], of["predicted"])}
        for part, of in predictions.groupby("part")
    }
    provenance.write_csv(folder / "history.csv", history)
    provenance.write_csv(folder / "predictions.csv", predictions)
    if after:
        earlier = pd.concat(after, names=["epoch"]).reset_index("epoch")
        provenance.write_csv(folder / "predictions_after.csv", earlier)
    checksums = {
        name: digest
        for name, digest in provenance.checksums(folder).items()
        if name in runs.FILES[:3] and (after or name != "predictions_after.csv")
    }
    provenance.write_json(
        folder / "metrics.json",
        {
            "checksums": checksums,
            "parameters": {
                "epochs": 120, "batch_size": 220, "learning_rate": 0.001, "activation": "tanh",
                "dropout": 0.0, "test_size": 0.33, "split": "segment", "scale_on": "all",
                "shuffle_columns": False, "seed": 0, **parameters,
            },
            "paper": paper or {},
            "identity": "0" * 16,
            "epochs_run": len(history),
            "epochs_kept": int(history["kept"].sum()),
            "diverged": diverged,
            "parts": {part: {**of, **(parts or {}).get(part, {})} for part, of in scores.items()},
            "seconds": float(history["seconds"].sum()),
            "source": source,
            "provenance": {
                "commit": "abc", "python": "3", "packages": {"keras": "3"}, "keras_backend": "jax",
                "threads": 1, "machine": "Linux", "created": "2026-01-01T00:00:00+00:00",
            },
        },
    )  # fmt: skip


def fake_split(
    folder: Path,
    split: str,
    lstm: list[str],
    others: dict[str, list[str]],
    *,
    files: list[str],
    label: list[str],
    chosen: dict | None = None,
    source: dict = SOURCE,
    **parameters: object,
) -> None:
    """Write a split as ``make report SPLITS=`` leaves it: the LSTMs' run and simpler models.

    ``lstm`` and ``others``, by the model's name, are the genres that they predicted of the test
    segments ``files``. ``parameters`` are those of :func:`fake_run`.
    """
    test = pd.DataFrame({"filename": files, "part": "test", "label": label, "predicted": lstm})
    history = {"epoch": [1, 2, 3], "test_accuracy": [0.5, 0.9, 0.7], "seconds": [3.0, 2.0, 1.0]}
    of_run = {"history": history, "source": source, "split": split, **parameters}
    fake_run(folder / split / "lstm", test, **of_run)
    written = folder / split / "baselines"
    scores = {"model": list(others), "track accuracy": 50.0, "seconds to train": 1.0,
              "ms per segment": 0.1, "chosen": ""}  # fmt: skip
    predictions = pd.DataFrame({"filename": files, "label": label, **others})
    provenance.write_csv(written / "baselines.csv", pd.DataFrame(scores))
    provenance.write_csv(written / "baselines-predictions.csv", predictions)
    provenance.write_json(
        written / "baselines.json", {"chosen": chosen or {}, "source": source, "parameters": {}}
    )
