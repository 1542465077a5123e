"""What the paper prints for its rows, as a table and as points on the curve of a training.

Apart from the other analyses, as every training reads it: it runs again if what it imports changes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from music_genre.exceptions import InputError
from music_genre.metrics.classification import NAMES
from music_genre.paths import ROOT, display_path, natural_key

TABLE_ONE = ROOT / "params" / "table1"
_PRINTED = *NAMES, "activation", "learning_rate"


def paper_rows(folder: Path) -> pd.DataFrame:
    """Read what the paper reports from a folder of hyperparameters (``params/<table>/*.yaml``).

    Returns
    -------
    DataFrame [shape=(n_rows, 8), index=name of the row]
        epochs, batch_size; as printed, the scores in per cent, activation and learning_rate,
        missing where the paper prints none.

    Raises
    ------
    InputError
        No row of the folder names an accuracy of the paper.
    """
    rows = {}
    for path in sorted(folder.glob("*.yaml"), key=lambda path: natural_key(path.stem)):
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        paper = given.get("paper", {})
        if "accuracy" in paper:
            row = {key: given[key] for key in ("epochs", "batch_size")}
            rows[path.stem] = row | {name: paper.get(name, np.nan) for name in _PRINTED}
    if not rows:
        raise InputError(
            f"{display_path(folder)} holds no row with `paper: accuracy`: name another folder."
        )
    return pd.DataFrame.from_dict(rows, orient="index").astype({"epochs": int, "batch_size": int})


def points(batch_size: int, epochs: int, folder: Path = TABLE_ONE) -> pd.DataFrame:
    """Return the paper's rows that a training passes: of its batch size, up to its epochs.

    Returns
    -------
    DataFrame [shape=(n_rows, 3)]
        row, epoch, and accuracy as printed, in per cent.
    """
    rows = paper_rows(folder)
    passed = rows[(rows["batch_size"] == batch_size) & (rows["epochs"] <= epochs)]
    return pd.DataFrame(
        {
            "row": passed.index,
            "epoch": passed["epochs"].to_numpy(),
            "accuracy": passed["accuracy"].to_numpy(),
        }
    )
