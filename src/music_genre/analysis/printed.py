"""What the paper prints, as points on the curve of a training.

Apart from the other analyses, as every training reads it: it runs again if what it imports changes.
"""

from pathlib import Path

import pandas as pd
import yaml

from music_genre.paths import ROOT, natural_key

TABLE_ONE = ROOT / "params" / "table1"


def points(batch_size: int, epochs: int, folder: Path = TABLE_ONE) -> pd.DataFrame:
    """Return the paper's rows that a training passes: of its batch size, up to its epochs.

    Returns
    -------
    DataFrame [shape=(n_rows, 3)]
        row, epoch, and accuracy as printed, in per cent.
    """
    lines = []
    for path in sorted(folder.glob("*.yaml"), key=lambda path: natural_key(path.stem)):
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
        accuracy = given.get("paper", {}).get("accuracy")
        if accuracy and given["batch_size"] == batch_size and given["epochs"] <= epochs:
            lines.append((path.stem, given["epochs"], accuracy))
    return pd.DataFrame(lines, columns=["row", "epoch", "accuracy"])
