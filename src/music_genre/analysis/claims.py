"""What the paper says beside Table I, measured: settings, optimizers, one LSTM, 600 epochs."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from music_genre import provenance
from music_genre.analysis import explanations
from music_genre.data.table import Source, same_content
from music_genre.metrics.classification import NAMES
from music_genre.models import runs

GUESSING = 12.0  # per cent: ten genres of equal size give 10; no training that learns is so low
_SETTINGS = [
    "model", "optimizer", "activation", "learning_rate", "batch_size", "dropout", "split",
    "shuffle_columns", "validation_size", "seed",
]  # fmt: skip


def load(folders: Iterable[Path], source: Source) -> pd.DataFrame:
    """Collect what was measured of all runs in some folders, on one features table.

    Runs whose split was drawn again are left out.

    Returns
    -------
    DataFrame [shape=(n_epochs_predicted * 4, 24), index=0..n-1]
        The settings; ``run``, its folder; ``epoch``; ``epochs``, how many it ran; ``diverged``;
        ``validation``, its accuracy on validation segments in per cent, missing without any; and
        ``measure`` with the columns of :func:`music_genre.analysis.explanations.measure`.
    """
    tables = []
    for path in sorted(path for folder in folders for path in folder.glob("*/metrics.json")):
        content = provenance.read_json(path)
        given = runs.settings(content)
        if given.get("resplit_after") or not same_content(runs.source(content), source):
            continue
        for epoch, predicted in runs.load_after(path.parent).items():
            validated = predicted[predicted["part"] == "validation"]
            table = explanations.measure(predicted).rename_axis("measure").reset_index()
            tables.append(
                table.assign(
                    **{name: given[name] for name in _SETTINGS},
                    run=path.parent,
                    epoch=epoch,
                    epochs=content["epochs_run"],
                    diverged=content["diverged"],
                    validation=100 * (validated["label"] == validated["predicted"]).mean(),
                )
            )
    columns = ["measure", "segments", *NAMES, *(f"{name} SD" for name in NAMES), *_SETTINGS]
    columns += ["run", "epoch", "epochs", "diverged", "validation"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def select(done: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """Return the trainings with some settings: of the paper's kind in all that is not named.

    One line for each epoch and measure; runs of equal settings appear once, the longest.
    """
    usual = {
        "model": "paper", "optimizer": "adam", "activation": "tanh", "dropout": 0.0,
        "split": "segment", "shuffle_columns": False, "validation_size": 0.0,
    }  # fmt: skip
    found = done
    for name, value in {**usual, **wanted}.items():
        found = found[found[name] == value]
    found = found.sort_values("epochs", kind="stable")
    return found.drop_duplicates(
        ["seed", "learning_rate", "batch_size", "epoch", "measure"], keep="last"
    )


def by_seed(found: pd.DataFrame, epochs: Iterable[int]) -> pd.DataFrame:
    """List test scores in per cent of several seeds after some epochs, or where training diverged.

    Returns
    -------
    DataFrame [shape=(n_seeds * n_epochs, 7)]
        seed, epoch, the scores, and precision less recall in points.
    """
    ended = found["diverged"] & (found["epoch"] == found["epochs"])
    tested = found[(found["measure"] == "test") & (found["epoch"].isin(list(epochs)) | ended)]
    tested = tested.sort_values(["seed", "epoch"])[["seed", "epoch", *NAMES]]
    return tested.assign(ahead=tested["precision"] - tested["recall"]).reset_index(drop=True)


def furthest_ahead(done: pd.DataFrame) -> pd.Series | None:
    """Return the test scores whose precision exceeds recall by most, by ``ahead`` points."""
    tested = done[done["measure"] == "test"]
    if tested.empty:
        return None
    ahead = tested["precision"] - tested["recall"]
    return tested.loc[ahead.idxmax()].rename(None).to_frame().T.assign(ahead=ahead.max()).iloc[0]


def courses(found: pd.DataFrame) -> pd.DataFrame:
    """Tell how trainings went: best and last test accuracy in per cent, by run.

    Returns
    -------
    DataFrame [shape=(n_runs, 6), index=seed]
        epochs, diverged, ``best`` and ``best_epoch``, ``last``, and ``learned``: whether the last
        lies above :data:`GUESSING`.
    """
    lines = {}
    for (seed, run), of in found.groupby(["seed", "run"]):
        line = course(run)
        line |= {"diverged": bool(of["diverged"].iloc[0]), "learned": line["last"] > GUESSING}
        lines[seed] = line
    return pd.DataFrame.from_dict(lines, orient="index")


def course(run: Path) -> dict[str, float]:
    """Return a run's ``epochs``, and its ``last`` and ``best`` test accuracy in per cent.

    ``best_epoch`` is the epoch of the best, ``breakdowns`` how often the test accuracy fell by
    :data:`music_genre.models.runs.COLLAPSE` or more below its best.
    """
    tested = 100 * runs.load(run)[1].set_index("epoch")["test_accuracy"]
    return {
        "epochs": int(tested.index[-1]),
        "last": float(tested.iloc[-1]),
        "best": float(tested.max()),
        "best_epoch": int(tested.idxmax()),
        "breakdowns": _breakdowns(tested),
    }


def _breakdowns(tested: pd.Series) -> int:
    """Count the falls in test accuracies in per cent; one ends when half of it is made good."""
    falls, down = 0, False
    for fall in (tested.cummax() - tested) / (100 * runs.COLLAPSE):
        if not down and fall >= 1:
            falls += 1
        down = fall >= (0.5 if down else 1)
    return falls


def chosen_rates(done: pd.DataFrame) -> pd.DataFrame:
    """Compare the learning rates tried for each optimizer by accuracy on validation segments.

    Returns
    -------
    DataFrame [shape=(n_trials, 5)]
        optimizer, learning_rate, epoch, ``validation`` accuracy in per cent, ``chosen``: whether it
        is the optimizer's highest.
    """
    trials = done[(done["validation_size"] > 0) & (done["epoch"] == done["epochs"])]
    trials = trials.drop_duplicates("run").sort_values(["optimizer", "learning_rate"])
    best = trials.groupby("optimizer")["validation"].transform("max")
    columns = ["optimizer", "learning_rate", "epoch", "validation"]
    return trials[columns].assign(chosen=trials["validation"] == best).reset_index(drop=True)


def optimizers(
    done: pd.DataFrame, rates: pd.DataFrame, *, epoch: int, seed: int = 0
) -> pd.DataFrame:
    """Return each optimizer's test scores at its chosen rate, in per cent, the best first.

    Returns
    -------
    DataFrame [shape=(n_optimizers_trained, 6)]
        optimizer, learning_rate, the scores. An optimizer that was not trained at the rate that
        :func:`chosen_rates` tells is left out.
    """
    lines = []
    for _, rate in rates[rates["chosen"]].iterrows():
        settings = {"optimizer": rate["optimizer"], "learning_rate": rate["learning_rate"]}
        found = select(done, **settings, batch_size=220, seed=seed)
        found = found[(found["epoch"] == epoch) & (found["measure"] == "test")]
        if len(found):
            lines.append({**settings, **found.iloc[0][NAMES]})
    table = pd.DataFrame(lines, columns=["optimizer", "learning_rate", *NAMES])
    return table.sort_values("accuracy", ascending=False, ignore_index=True)


def with_rates_tried(optimizers: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """List optimizers with all rates tried for them and their accuracy on validation segments.

    ``optimizers`` and ``rates`` are what :func:`optimizers` and :func:`chosen_rates` return.
    """
    tried = rates.assign(
        text=[
            f"{rate:g} ({accuracy:.1f})"
            for rate, accuracy in rates[["learning_rate", "validation"]].to_numpy()
        ]
    )
    texts = tried.groupby("optimizer")["text"].agg(", ".join)
    table = optimizers.assign(
        learning_rate=optimizers["learning_rate"].map("{:g}".format),
        tried=optimizers["optimizer"].map(texts),
    )
    return table.rename(columns={"learning_rate": "rate chosen", "tried": "rates tried"})


def at_rows(found: dict[str, pd.DataFrame], paper: pd.DataFrame) -> pd.DataFrame:
    """Read trainings, by a name each, off at the paper's rows of their batch size.

    Returns
    -------
    DataFrame [shape=(n_rows_reached, 6)]
        activation (the name), row, epochs, and accuracies in per cent: ``paper``, ``clean test``,
        ``re-drawn third``.
    """
    lines = []
    for name, of in found.items():
        accuracies = of.pivot_table(
            index=["batch_size", "epoch"], columns="measure", values="accuracy"
        )
        for row, one in paper.iterrows():
            if (key := (one["batch_size"], one["epochs"])) in accuracies.index:
                lines.append(
                    {
                        "activation": name,
                        "row": row,
                        "epochs": one["epochs"],
                        "paper": one["accuracy"],
                        "clean test": accuracies.loc[key, "test"],
                        "re-drawn third": accuracies.loc[key, "re-drawn"],
                    }
                )
    columns = ["activation", "row", "epochs", "paper", "clean test", "re-drawn third"]
    return pd.DataFrame(lines, columns=columns)


def batch_sizes(done: pd.DataFrame, *, epoch: int, **settings: object) -> dict[int, float]:
    """Return the test accuracy in per cent after an epoch with seed 0, by batch size."""
    found = select(done, seed=0, epoch=epoch, measure="test", **settings)
    return dict(zip(found["batch_size"], found["accuracy"], strict=True))


def longer(found: pd.DataFrame, than: int) -> Path | None:
    """Return the run of the most epochs, None where none has more than a number of them."""
    found = found[found["epochs"] > than]
    return found.loc[found["epochs"].idxmax(), "run"] if len(found) else None


def over_epochs(measured: pd.DataFrame) -> pd.DataFrame:
    """List the scores after each epoch measured, on clean test segments and a re-drawn third."""
    shown = measured[measured["measure"].isin(["test", "re-drawn"])]
    shown = shown.sort_values(["epoch", "measure"], ascending=[True, False])
    return shown[["epoch", "measure", *NAMES]].rename(columns={"measure": "segments"})
