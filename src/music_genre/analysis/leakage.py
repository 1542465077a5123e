"""What accuracies owe to what training and test rows share: the same models on every split."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from music_genre.data import splits
from music_genre.data.columns import INPUTS
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.metrics.intervals import interval, paired_difference
from music_genre.models import baselines, runs
from music_genre.paths import display_path
from music_genre.provenance import read_json

LSTM = "three LSTMs"  # among the models' display names
MAJORITY = "majority class"  # learns nothing that a leak could give away
SCALED = ["k nearest neighbours", "logistic regression", "RBF-SVM"]  # whom a scaling concerns

# Cross-validated: display name, the model's own, settings that keep it quick.
QUICK = {
    "nearest neighbour (k = 1)": ("k nearest neighbours", {"model__n_neighbors": 1}),
    "logistic regression (C = 1)": ("logistic regression", {}),
    "extra trees (50 trees)": ("extra trees", {"model__n_estimators": 50}),
}


@dataclass(frozen=True)
class Run:
    """What all models gave on the test rows of one split."""

    folder: Path
    result: dict  # the LSTMs' metrics.json
    history: pd.DataFrame  # the LSTMs'
    predictions: pd.DataFrame  # filename, label, and a column per model, the LSTMs first
    models: pd.DataFrame  # [index=model], as baselines.scores but for the scores by segment
    chosen: dict[str, dict]  # hyperparameters, of models that had some to choose
    groups: pd.Series  # of each test row: its track or, where the split is by artist, its artist


def load(
    folder: Path, names: Sequence[str] = (), *, table_folder: Path | None = None
) -> tuple[dict[str, Run], dict[str, str]]:
    """Collect the splits in a folder, all or those named, the loosest first.

    ``<folder>/<split>/lstm`` is a run of the train notebook, ``<folder>/<split>/baselines`` one of
    the baselines notebook; where one of them failed, it left ``failed.json``. ``table_folder`` is the
    table's folder, as :func:`music_genre.data.splits.artists` takes it.

    Returns
    -------
    compared : dict of Run
        By the split's name.
    left_out : dict of str
        Why a split could not be used, by its name.

    Raises
    ------
    InputError
        No split is there or none could be used; a run is not finished; the compared do not go
        together: other tables, other test rows.
    """
    names = names or [name for name in splits.SPLITS if (folder / name).is_dir()]
    compared, left_out = {}, {}
    for name in sorted(names, key=list(splits.SPLITS).index):
        failed = [folder / name / part / "failed.json" for part in ("lstm", "baselines")]
        failed = [path for path in failed if path.exists()]
        if failed:
            left_out[name] = read_json(failed[0])["error"].removeprefix("InputError: ")
        else:
            compared[name] = _load(folder / name, table_folder)
    if not compared:
        why = "".join(f" Split by {name}: {reason}" for name, reason in left_out.items())
        raise InputError(
            f"{display_path(folder)} holds no split that was trained: run "
            f'`make report SPLITS="segment track"`.{why}'
        )
    if len({run.result["source"]["sha256"] for run in compared.values()}) > 1:
        raise InputError(
            f"{display_path(folder)} holds splits of different tables: keep them apart."
        )
    return compared, left_out


def _load(folder: Path, table_folder: Path | None) -> Run:
    result, history, predictions = runs.load(folder / "lstm")
    written, lines, theirs = baselines.load(folder / "baselines")
    test = predictions[predictions["part"] == "test"].drop(columns="part").reset_index(drop=True)
    test = test.astype(dict.fromkeys(["filename", "label", "predicted"], str))
    together = list(test["filename"]) == list(theirs["filename"])
    if not together or written["source"]["sha256"] != result["source"]["sha256"]:
        raise InputError(
            f"in {display_path(folder)} the LSTMs and the simpler models were not tested on the same "
            "rows: run both notebooks with the same table, split, test_size and seed."
        )
    own = {
        "model": LSTM,
        "track accuracy": baselines.track_accuracy(test),
        "seconds to train": history["seconds"].sum(),
        "ms per segment": 1000 * _seconds_per_segment(folder / "lstm", test),
    }
    models = pd.concat([pd.DataFrame([own]), lines], ignore_index=True).set_index("model")
    units = splits.tracks(test).fillna(test["filename"])
    if "artists" in splits.SPLITS[result["parameters"]["split"]].disjoint_by:
        units = splits.artists(test, table_folder).fillna(units)
    return Run(
        folder=folder,
        result=result,
        history=history,
        predictions=test[["filename", "label"]].assign(
            **{LSTM: test["predicted"]}, **theirs.drop(columns=["filename", "label"])
        ),
        models=models[["track accuracy", "seconds to train", "ms per segment", "chosen"]],
        chosen=written["chosen"],
        groups=units,
    )


def _seconds_per_segment(run: Path, test: pd.DataFrame) -> float:
    """Time the saved model on as many rows as were tested; missing where it was not kept."""
    if not (run / "model.keras").exists():
        return np.nan
    model = keras.saving.load_model(run / "model.keras", compile=False)
    x = np.zeros((len(test), *model.input_shape[1:]), "float32")  # what they hold costs nothing
    model.predict(x, batch_size=512, verbose=0)  # Keras compiles in the first prediction
    start = time.perf_counter()
    model.predict(x, batch_size=512, verbose=0)
    return (time.perf_counter() - start) / len(test)


def source(compared: Mapping[str, Run]) -> Source:
    """Return the table that all splits were measured on."""
    return runs.source(next(iter(compared.values())).result)


def paper_accuracy(compared: Mapping[str, Run]) -> float | None:
    """Return the accuracy that the paper reports for this recipe, if a run names it."""
    named = [run.result["paper"].get("accuracy") for run in compared.values()]
    return next((accuracy for accuracy in named if accuracy is not None), None)


def parts(
    compared: Mapping[str, Run],
    table: pd.DataFrame,
    of: Source,
    *,
    table_folder: Path | None = None,
) -> dict[str, np.ndarray]:
    """Split the table again as each run did, as :func:`music_genre.data.splits.split` returns it.

    Raises
    ------
    InputError
        The table, ``of`` this source, is not the one that the compared were measured on.
    """
    measured = source(compared)
    if measured.sha256 != of.sha256:
        raise InputError(
            f"the splits were measured on {measured.label}, and this is {of.label}: name that "
            "table with features."
        )
    found = {}
    for name, run in compared.items():
        given = run.result["parameters"]
        drawn = {key: given[key] for key in ("test_size", "seed")}
        found[name] = splits.split(table, given["split"], **drawn, table_folder=table_folder)
        if list(table["filename"][found[name] == "test"]) != list(run.predictions["filename"]):
            raise InputError(
                f"{display_path(run.folder)} was tested on other rows than this split gives: train again."
            )
    return found


def leak_counts(
    table: pd.DataFrame, parts: Mapping[str, np.ndarray], *, table_folder: Path | None = None
) -> pd.DataFrame:
    """Count what the parts of each split have in common (:func:`music_genre.data.splits.leaks`)."""
    artists = splits.artists(table, table_folder)
    counts = {name: splits.leaks(table, of, artists) for name, of in parts.items()}
    listed = pd.concat(counts, names=["split", "parts"])
    return listed.astype(object).where(listed.notna(), "not known").reset_index()


def scores(compared: Mapping[str, Run]) -> pd.DataFrame:
    """Return a line for each split and model, scores in per cent.

    Returns
    -------
    DataFrame [shape=(n_splits * n_models, 10)]
        split, model, accuracy (by segment), ``low`` and ``high``, the ends of its 95 % interval
        (:func:`music_genre.metrics.intervals.interval`, over tracks or artists), macro f1, accuracy by
        track, seconds to train, ms per segment, and the hyperparameters chosen.
    """
    lines = []
    for name, run in compared.items():
        label = run.predictions["label"]
        for model, more in run.models.iterrows():
            predicted = run.predictions[model]
            low, high = interval(label == predicted, run.groups)
            score = classification.score(label, predicted)
            lines.append(
                {
                    "split": name,
                    "model": model,
                    "accuracy": score["accuracy"],
                    "low": low,
                    "high": high,
                    "f1": score["f1"],
                    **more,
                }
            )
    return pd.DataFrame(lines)


def claims(run: Run) -> pd.DataFrame:
    """Compare the LSTMs with each simpler model on the same test rows, the most accurate first.

    Returns
    -------
    DataFrame [shape=(n_models - 1, 5)]
        model; ``difference``, the LSTMs' accuracy less the model's in percentage points; ``low``
        and ``high``, its paired 95 % interval (:func:`music_genre.metrics.intervals.paired_difference`);
        ``better``: whom the interval favours, or "not told apart" where it holds zero.
    """
    label = run.predictions["label"]
    right = {model: label == run.predictions[model] for model in run.models.index}
    lines = []
    for model in sorted(set(right) - {LSTM}, key=lambda name: (-right[name].mean(), name)):
        low, high = paired_difference(right[LSTM], right[model], run.groups)
        lines.append(
            {
                "model": model,
                "difference": 100 * (right[LSTM].mean() - right[model].mean()),
                "low": low,
                "high": high,
                "better": LSTM if low > 0 else model if high < 0 else "not told apart",
            }
        )
    return pd.DataFrame(lines)


def costs(scores: pd.DataFrame) -> pd.DataFrame:
    """Return each model's accuracy on every split and what each stricter split takes from it.

    Returns
    -------
    DataFrame [shape=(n_models, 2 * n_splits), index=None]
        model; a column per split; ``segment less track``, ``track less artist`` in percentage
        points, as far as there are such; the most accurate on the strictest split first.
    """
    names = list(dict.fromkeys(scores["split"]))
    wide = scores.pivot(index="model", columns="split", values="accuracy")[names]
    wide.columns.name = None
    for looser, stricter in pairwise(names):
        wide[f"{looser} less {stricter}"] = wide[looser] - wide[stricter]
    return wide.sort_values(names[-1], ascending=False).reset_index()


def describe_costs(costs: pd.DataFrame, parts: Mapping[str, np.ndarray]) -> str:
    """Say what each stricter split takes away, over the models that learn."""
    learn = costs[costs["model"] != MAJORITY].set_index("model")
    points = []
    for looser, stricter in pairwise(parts):
        lost = learn[f"{looser} less {stricter}"]
        rows = [f"{(parts[name] == 'train').sum():,}" for name in (looser, stricter)]
        points.append(
            f"- **{_SHARED[looser, stricter]}.** From the split by {looser} to that by {stricter} "
            f"accuracy falls by {lost.mean():.1f} percentage points on average over {len(lost)} "
            f"models that learn, from {lost.min():.1f} ({lost.idxmin()}) to {lost.max():.1f} "
            f"({lost.idxmax()}); that of the {LSTM} by {lost[LSTM]:.1f}. (Training rows: {rows[0]} "
            f"by {looser}, {rows[1]} by {stricter}.)"
        )
    if not points:
        return "Only one split was trained, so what a leak is worth cannot be said here."
    return "\n".join(points)


def findings(scores: pd.DataFrame, claimed: Mapping[str, pd.DataFrame], paper: float | None) -> str:
    """Answer from the numbers: is it real, would a simpler model do, what of unheard music."""
    own = scores[scores["model"] == LSTM].set_index("split")
    loosest, strictest = own.index[0], own.index[-1]
    points = [_is_it_real(own, paper)] if loosest == "segment" else []
    points.append("**Would a simpler model do?** " + " ".join(map(_simpler, claimed.items())))
    last = own.loc[strictest]
    if strictest == "segment":
        points.append(
            "**On music that it has not heard?** That was not measured here: only the split by "
            "segment was trained, and its test segments are of tracks that were trained on."
        )
    else:
        guess = scores[(scores["split"] == strictest) & (scores["model"] == MAJORITY)]["accuracy"]
        points.append(
            f"**On music that it has not heard?** With {_UNHEARD[strictest]}, the {LSTM} name the "
            f"genre of {last['accuracy']:.1f} % of the segments ({_ends(last)})"
            + "".join(f"; the most frequent genre alone gives {one:.1f} %" for one in guess)
            + "."
        )
    return "\n".join(f"- {point}" for point in points)


def headline(scores: pd.DataFrame) -> str:
    """Say in a sentence what the LSTMs and the best simpler model of each split reach."""
    own, best = [], []
    for split, of in scores.groupby("split", sort=False):
        accuracies = of.set_index("model")["accuracy"]
        simpler = accuracies.drop(LSTM)
        own.append(f"{accuracies[LSTM]:.2f} % split by {split}")
        best.append(f"{simpler.max():.2f} % ({simpler.idxmax()})")
    return (
        f"The {LSTM} with the last row's recipe reach {', '.join(own)}; the best of "
        f"{len(simpler)} simpler models {', '.join(best)}."
    )


def _is_it_real(own: pd.DataFrame, paper: float | None) -> str:
    line = own.loc["segment"]
    text = (
        f"**Is it real?** Split by segment, as the paper seems to do it, the {LSTM} reach "
        f"{line['accuracy']:.2f} % ({_ends(line)})"
    )
    if paper is not None:
        side = "above" if paper > line["high"] else "below" if paper < line["low"] else "within"
        text += f"; the paper reports {paper:.2f} %, {side} that interval"
    stricter = own.drop(index="segment")["accuracy"]
    for name, accuracy in stricter.items():
        text += f"; split by {name} they reach {accuracy:.2f} %"
    return text + "."


def _simpler(item: tuple[str, pd.DataFrame]) -> str:
    name, claimed = item
    best = claimed.iloc[0]
    sides = claimed["better"]
    text = f"Split by {name}, the best simpler model is *{best['model']}*; "
    if best["better"] == "not told apart":
        text += f"it and the {LSTM} cannot be told apart"
    elif best["better"] == LSTM:
        text += f"the {LSTM} are better than it"
    else:
        text += f"it is better than the {LSTM}"
    ahead = (~sides.isin([LSTM, "not told apart"])).sum()
    return (
        f"{text} (the {LSTM} less it: {best['difference']:.1f} points, {_ends(best)}). Of "
        f"{len(claimed)} simpler models {ahead} are better than the {LSTM}, "
        f"{(sides == 'not told apart').sum()} not told apart, {(sides == LSTM).sum()} worse."
    )


def scaling(
    compared: Mapping[str, Run], table: pd.DataFrame, parts: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Measure what scaling fitted on all rows that a split uses, not the training rows, gives.

    Models are those of :data:`SCALED` with the hyperparameters chosen before, and the LSTMs where
    a folder beside theirs holds a run that differs in ``scale_on`` alone.

    Returns
    -------
    DataFrame [shape=(n_lines, 7)]
        split, model, accuracy scaled ``on training rows`` and ``on all rows`` in per cent,
        ``difference``, and ``low`` and ``high``, its paired 95 % interval.
    """
    lines = []
    for name, run in compared.items():
        label = run.predictions["label"]
        fitted = {
            model: (run.predictions[model], _scaled_on_all(run, model, table, parts[name]))
            for model in SCALED
            if model in run.predictions
        }
        for model, pair in {**fitted, **_lstm_scaled_otherwise(run)}.items():
            on_train, on_all = (label.to_numpy() == predicted.to_numpy() for predicted in pair)
            low, high = paired_difference(on_all, on_train, run.groups)
            lines.append(
                {
                    "split": name,
                    "model": model,
                    "on training rows": 100 * on_train.mean(),
                    "on all rows": 100 * on_all.mean(),
                    "difference": 100 * (on_all.mean() - on_train.mean()),
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(lines)


def _scaled_on_all(run: Run, model: str, table: pd.DataFrame, parts: np.ndarray) -> pd.Series:
    pipeline = baselines.pipelines(seed=run.result["parameters"]["seed"])[model]
    scaler = pipeline["scale"].fit(table.loc[parts != "unused", INPUTS].to_numpy())
    settings = {f"model__{key}": value for key, value in run.chosen.get(model, {}).items()}
    pipeline.set_params(scale=FunctionTransformer(scaler.transform), **settings)
    train, test = parts == "train", parts == "test"
    return baselines.measure(pipeline, table, train=train, test=test).predictions["predicted"]


def _lstm_scaled_otherwise(run: Run) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return the LSTMs' predictions, scaled on training rows and on all, if both were trained."""

    def but_scaling(result: dict) -> dict:
        return {**result["parameters"], "scale_on": None, "table": result["source"]["sha256"]}

    for path in sorted(run.folder.glob("*/metrics.json")):
        result, _, predictions = runs.load(path.parent)
        given, own = result["parameters"], run.result["parameters"]
        if but_scaling(result) == but_scaling(run.result) and given["scale_on"] != own["scale_on"]:
            other = predictions.loc[predictions["part"] == "test", "predicted"].astype(str)
            pair = (run.predictions[LSTM], other)
            return {LSTM: pair if own["scale_on"] == "train" else pair[::-1]}
    return {}


def stability(compared: Mapping[str, Run]) -> str:
    """List on which splits the LSTMs' training broke down on the way; empty if on none."""
    found = {name: runs.collapse(run.history) for name, run in compared.items()}
    return "\n".join(
        f"- Split by {name}, the training of the {LSTM} broke down on the way: {how}. The last "
        "epoch counts."
        for name, how in found.items()
        if how
    )


def best_epochs(compared: Mapping[str, Run]) -> pd.DataFrame:
    """Set the LSTMs' last epoch beside the one that the test rows would choose.

    Returns
    -------
    DataFrame [shape=(n_splits, 6)]
        split; last epoch and its accuracy on test rows in per cent; the best epoch and its;
        ``difference`` in percentage points.
    """
    lines = []
    for name, run in compared.items():
        accuracies = 100 * run.history.set_index("epoch")["test_accuracy"]
        best, last = accuracies.idxmax(), accuracies.index[-1]
        lines.append(
            {
                "split": name,
                "last epoch": last,
                "accuracy": accuracies[last],
                "best epoch": best,
                "accuracy of the best": accuracies[best],
                "difference": accuracies[best] - accuracies[last],
            }
        )
    return pd.DataFrame(lines)


def describe_lesser(scaled: pd.DataFrame, epochs: pd.DataFrame) -> str:
    """Say in a sentence each what the two lesser leaks give."""
    gains = epochs.set_index("split")["difference"]
    text = (
        "Choosing the best epoch by the test rows adds "
        + ", ".join(f"{gain:.2f} points ({name})" for name, gain in gains.items())
        + f" to the accuracy of the {LSTM}."
    )
    if scaled.empty:
        return text
    told = scaled[(scaled["low"] > 0) | (scaled["high"] < 0)]
    return (
        f"Scaling fitted on all rows moves accuracies by {scaled['difference'].min():.2f} to "
        f"{scaled['difference'].max():.2f} points; the interval excludes zero in {len(told)} of "
        f"{len(scaled)} cases. {text}"
    )


def cross_validate(
    table: pd.DataFrame, *, seed: int, n: int = 10
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Measure the quick models (:data:`QUICK`) on every fold by segment and by track.

    Returns
    -------
    accuracies : DataFrame [shape=(n_splits * n_models * n, 4)]
        split, model, fold, accuracy in per cent.
    left_out : dict of str
        Why there are no such folds, by the split's name.
    """
    x, y = table[INPUTS].to_numpy(), table["label"].to_numpy(dtype=str)
    lines, left_out = [], {}
    for name in ("segment", "track"):
        try:
            tests = list(splits.folds(table, name, n=n, seed=seed))
        except InputError as error:
            left_out[name] = str(error)
            continue
        for shown_as, (model, settings) in QUICK.items():
            pipeline = baselines.pipelines(seed=seed)[model].set_params(**settings)
            for fold, test in enumerate(tests):
                with threadpool_limits(1):
                    accuracy = pipeline.fit(x[~test], y[~test]).score(x[test], y[test])
                lines.append((name, shown_as, fold, 100 * accuracy))
    return pd.DataFrame(lines, columns=["split", "model", "fold", "accuracy"]), left_out


def over_folds(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over the folds: split, model, mean, SD, folds."""
    grouped = accuracies.groupby(["split", "model"], sort=False)["accuracy"]
    return grouped.agg(mean="mean", SD="std", folds="size").reset_index()


def describe_left_out(left_out: Mapping[str, str], what: str) -> str:
    """Say which splits are missing from what is shown, and why; empty if none is."""
    return "\n".join(f"- No {what} by {name}: {reason}" for name, reason in left_out.items())


_SHARED = {
    ("segment", "track"): "Shared tracks",
    ("track", "artist"): "Shared artists (and faulty clips)",
    ("segment", "artist"): "Shared tracks and artists (and faulty clips)",
}
_UNHEARD = {
    "track": "no track on both sides, though artists may be",
    "artist": "no artist on both sides",
}


def _ends(line: pd.Series) -> str:
    return f"95 % interval {line['low']:.1f} to {line['high']:.1f}"


def with_interval(lines: pd.DataFrame) -> pd.DataFrame:
    """Put the columns ``low`` and ``high`` into one, for a reader."""
    text = [f"{low:.1f} to {high:.1f}" for low, high in lines[["low", "high"]].to_numpy()]
    return lines.assign(low=text).drop(columns="high").rename(columns={"low": "95 % interval"})
