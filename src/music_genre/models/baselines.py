"""Simpler models on the same 58 inputs: those the paper names, and what one would try first."""

import hashlib
import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from music_genre import provenance
from music_genre.data.columns import INPUTS
from music_genre.data.splits import PARTS, tracks
from music_genre.data.table import Source, check_features, same_content
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.metrics.predictions import by_genre, read, vote
from music_genre.models import runs
from music_genre.models.estimators import ClusterClassifier, SequenceClassifier, cnn, rnn
from music_genre.models.progress import Bar
from music_genre.paths import display_path
from music_genre.provenance import Damaged

FILES = ["baselines.csv", "baselines-predictions.csv"]  # beside baselines.json
Fold = tuple[np.ndarray, np.ndarray]  # the segments to fit and those to score, as positions


@dataclass(frozen=True)
class Baseline:
    """A simpler model and how it is tried: all that the code and the notebooks know about it."""

    build: Callable[[int], BaseEstimator]  # from a seed
    grid: Mapping[str, list] = field(default_factory=dict)  # hyperparameters to choose from
    learns: bool = True  # from the inputs, so that a leak can help it
    rescaled: bool = False  # is it also fitted on inputs scaled with the test segments
    quick_name: str = ""  # its display name in the ten folds; empty: too slow for them
    quick_settings: Mapping[str, object] = field(default_factory=dict)  # its settings there

    def pipeline(self, seed: int, **settings: object) -> Pipeline:
        """Return the model, with other settings if given, behind a scaling fitted with it."""
        model = self.build(seed).set_params(**settings)
        return Pipeline([("scale", StandardScaler()), ("model", model)])


# By display name; the grids are short enough that all models take minutes on one core. A simpler
# model is this one entry.
BASELINES = {
    "majority class": Baseline(lambda seed: DummyClassifier(), learns=False),
    "K-means": Baseline(
        lambda seed: ClusterClassifier(random_state=seed), grid={"n_clusters": [10, 30, 100]}
    ),
    "k nearest neighbours": Baseline(
        lambda seed: KNeighborsClassifier(),
        grid={"n_neighbors": [1, 5, 9, 15]},
        rescaled=True,
        quick_name="nearest neighbour (k = 1)",
        quick_settings={"n_neighbors": 1},
    ),
    "logistic regression": Baseline(
        lambda seed: LogisticRegression(max_iter=2000),
        grid={"C": [0.1, 1, 10]},
        rescaled=True,
        quick_name="logistic regression (C = 1)",
    ),
    "RBF-SVM": Baseline(
        lambda seed: SVC(C=10, break_ties=True),  # predicts the largest decision value
        grid={"C": [1, 10, 100]},
        rescaled=True,
    ),
    "extra trees": Baseline(
        lambda seed: ExtraTreesClassifier(200, random_state=seed),
        quick_name="extra trees (50 trees)",
        quick_settings={"n_estimators": 50},
    ),
    "gradient boosting": Baseline(
        lambda seed: HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    ),
    "two-layer perceptron": Baseline(
        lambda seed: MLPClassifier((256, 128), max_iter=500, tol=1e-3, random_state=seed),
        grid={"hidden_layer_sizes": [(64, 32), (256, 128)]},
    ),
    "1-D CNN": Baseline(lambda seed: SequenceClassifier(cnn, epochs=20, random_state=seed)),
    "plain RNN": Baseline(lambda seed: SequenceClassifier(rnn, epochs=40, random_state=seed)),
}


@dataclass(frozen=True)
class Measured:
    """What one model predicted of the test segments, and how long it took."""

    predictions: pd.DataFrame  # filename, label, predicted, and each genre's probability
    chosen: dict[str, object]  # the hyperparameters chosen from the grid
    seconds_to_train: float  # with those chosen, compilation included, the choice not
    seconds_per_segment: float  # to predict, all test segments at once, without compilation


def fit_all(segments: pd.DataFrame, parts: np.ndarray, *, seed: int) -> dict[str, Measured]:
    """Choose the hyperparameters of each of :data:`BASELINES`, fit it and time it.

    Parameters
    ----------
    segments : DataFrame [shape=(n_segments, 60)]
    parts : ndarray [shape=(n_segments,)]
        As :func:`music_genre.data.splits.split` returns them.
    """
    import keras  # noqa: F401  now, so that no model's time includes it

    train, valid, test = (parts == part for part in PARTS)
    folds = inner_folds(segments, train, valid)
    measured = {}
    with Bar(total=len(BASELINES), unit="model") as bar:
        for name, baseline in BASELINES.items():
            bar.set_postfix_str(name)
            measured[name] = fit_and_time(
                baseline.pipeline(seed),
                segments,
                train=train,
                test=test,
                grid=baseline.grid,
                folds=folds,
            )
            bar.update()
    return measured


def inner_folds(segments: pd.DataFrame, train: np.ndarray, valid: np.ndarray) -> list[Fold]:
    """Return the folds that hyperparameters are chosen on; no test segment is in them.

    Parameters
    ----------
    train, valid
        The segments to train on and, where the split has them, those to choose by
        [shape=(n_segments,), dtype=bool].

    Returns
    -------
    list of (ndarray, ndarray)
        Segments to fit and segments to score, as positions in the table: the training and the
        validation part; where there is no validation part, three folds of the training part that
        keep tracks whole (or cut it by segment, where no track is known).

    Raises
    ------
    InputError
        A genre has fewer than three training tracks.
    """
    positions = np.flatnonzero(train)
    if valid.any():
        return [(positions, np.flatnonzero(valid))]
    part = segments.iloc[positions]
    names = tracks(part).fillna(part["filename"])
    counts = names.groupby(part["label"]).nunique()
    if counts.min() < 3:
        raise InputError(
            f"genre {counts.idxmin()} has only {counts.min()} training tracks, and hyperparameters "
            "are chosen on three folds of them: add clips or choose a smaller test_size."
        )
    parts = StratifiedGroupKFold(3).split(part, part["label"], names)
    return [(positions[fit], positions[score]) for fit, score in parts]


def fit_and_time(
    pipeline: Pipeline,
    segments: pd.DataFrame,
    *,
    train: np.ndarray,
    test: np.ndarray,
    grid: Mapping[str, list] | None = None,
    folds: Sequence[Fold] = (),
) -> Measured:
    """Choose the hyperparameters in ``grid`` on ``folds``, fit, and predict the test segments.

    The hyperparameters with the best mean accuracy over the folds are used to fit the model on the
    whole training part. The predicted genre is the most probable one. A model with decision values
    only (the SVM) gets their softmax for probabilities. Everything runs on one thread, so that
    times are comparable and sums do not depend on the number of cores; only Keras' back end has
    threads of its own.

    Parameters
    ----------
    train, test
        The segments to train and to test on [shape=(n_segments,), dtype=bool].

    Raises
    ------
    InputError
        A part has the wrong length or is empty; the parts share segments; a test genre has no
        training segment; a fold cannot be fitted or scored with a value of the grid.
    """
    _check_parts(segments, train, test)
    x, y = segments[INPUTS].to_numpy(), segments["label"].to_numpy(dtype=str)
    with threadpool_limits(1):
        chosen = _choose(pipeline, grid, x, y, folds) if grid else {}
        pipeline["model"].set_params(**chosen)
        start = time.perf_counter()
        pipeline.fit(x[train], y[train])
        trained = time.perf_counter()
        probabilities_of(pipeline, x[test])  # Keras compiles in the first prediction
        start_to_predict = time.perf_counter()
        probabilities = probabilities_of(pipeline, x[test])
        predicted = time.perf_counter()
    genres = pipeline.classes_
    predictions = pd.DataFrame(
        {
            "filename": segments["filename"].to_numpy()[test],
            "label": y[test],
            "predicted": genres[probabilities.argmax(axis=1)],
            **by_genre(genres, probabilities),
        }
    )
    return Measured(
        predictions,
        chosen,
        trained - start,
        (predicted - start_to_predict) / int(test.sum()),
    )


def _check_parts(segments: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> None:
    for name, part in (("training", train), ("test", test)):
        if part.shape != (len(segments),):
            raise InputError(f"the {name} part lacks a value for each of {len(segments)} segments.")
        if not part.any():
            raise InputError(f"the {name} part is empty: choose another split or test_size.")
    shared = int((train & test).sum())
    if shared:
        raise InputError(
            f"{shared} segments are in both the training and the test part: split again."
        )
    unknown = sorted(set(segments["label"][test]) - set(segments["label"][train]))
    if unknown:
        raise InputError(
            f"genre {unknown[0]} is tested but has no training segment: "
            "choose another split or seed."
        )


def _choose(
    pipeline: Pipeline, grid: Mapping, x: np.ndarray, y: np.ndarray, folds: Sequence[Fold]
) -> dict[str, object]:
    of_model = {f"model__{name}": values for name, values in grid.items()}
    search = GridSearchCV(pipeline, of_model, cv=list(folds), refit=False, error_score="raise")
    try:
        best = search.fit(x, y).best_params_
    except ValueError as error:
        raise InputError(
            f"hyperparameters {grid} cannot be chosen ({' '.join(str(error).split())}): "
            "add clips or name other values."
        ) from error
    return {name.removeprefix("model__"): value for name, value in best.items()}


def probabilities_of(pipeline: Pipeline, x: np.ndarray) -> np.ndarray:
    """Return a fitted model's probabilities, or the softmax of its decision values.

    Returns
    -------
    ndarray [shape=(n_segments, n_genres)]
        In the order of ``pipeline.classes_``.
    """
    if hasattr(pipeline, "predict_proba"):
        return pipeline.predict_proba(x)
    values = pipeline.decision_function(x)
    if values.ndim == 1:  # with two genres scikit-learn returns the second one's value only
        values = np.column_stack([-values, values])
    return softmax(values, axis=1)


def track_accuracy(predictions: pd.DataFrame) -> float:
    """Return the accuracy by track in per cent.

    A track's genre is the one with the highest mean probability over its segments in
    ``predictions``, as :func:`fit_and_time` returns them. The accuracy is missing where a
    segment's track is not known (:func:`music_genre.data.splits.tracks`).
    """
    names = tracks(predictions)
    if names.isna().any():
        return np.nan
    truth = predictions["label"].groupby(names).first()
    return 100 * float((vote(predictions, names) == truth).mean())


def scores(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Return a line per model: scores on the test segments in per cent, times, what was chosen."""
    lines = []
    for name, one in measured.items():
        score = classification.score(one.predictions["label"], one.predictions["predicted"])
        lines.append(
            {
                "model": name,
                "accuracy": score["accuracy"],
                **{key: score[key] for key in ("precision", "recall", "f1")},
                "track accuracy": track_accuracy(one.predictions),
                "seconds to train": one.seconds_to_train,
                "ms per segment": 1000 * one.seconds_per_segment,
                "chosen": ", ".join(f"{key} {value}" for key, value in one.chosen.items()),
            }
        )
    return pd.DataFrame(lines)


def rescaled(
    folder: Path,
    segments: pd.DataFrame,
    parts: np.ndarray,
    *,
    source: Source,
    chosen: Mapping[str, dict],
    seed: int,
) -> pd.DataFrame:
    """Predict the test segments with scaling fitted on all segments that the split uses.

    Results are kept in ``folder`` (:func:`music_genre.models.runs.kept`). ``chosen`` are the
    hyperparameters of each model that had some to choose.

    Returns
    -------
    DataFrame [shape=(n_test_segments, n_models)]
        A column with the predicted genres for each model whose entry says ``rescaled``.
    """
    pipelines = {
        name: one.pipeline(seed, **chosen.get(name, {}))
        for name, one in BASELINES.items()
        if one.rescaled
    }
    train, test = parts == "train", parts == "test"

    def compute() -> pd.DataFrame:
        check_features(segments)
        inputs = segments.loc[parts != "unused", INPUTS].to_numpy()
        predicted = {}
        for name, pipeline in pipelines.items():
            scaler = pipeline["scale"].fit(inputs)
            pipeline.set_params(scale=FunctionTransformer(scaler.transform))
            measured = fit_and_time(pipeline, segments, train=train, test=test)
            predicted[name] = measured.predictions["predicted"]
        return pd.DataFrame(predicted)

    fits = checksum(
        models=described(pipelines), parts=[*zip(segments["filename"], parts, strict=True)]
    )
    return runs.kept(folder / "rescaled.csv", {"source": source, "fits": fits}, compute)


def described(pipelines: Mapping[str, Pipeline]) -> dict[str, dict]:
    """Return all settings of each pipeline's model; functions as their source text."""
    return {
        name: {
            setting: inspect.getsource(value) if inspect.isfunction(value) else value
            for setting, value in pipeline["model"].get_params().items()
        }
        for name, pipeline in pipelines.items()
    }


def checksum(**content: object) -> str:
    """Return a checksum of what determines fits, the table's values apart."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def identity(segments: pd.DataFrame, parts: np.ndarray, *, seed: int) -> str:
    """Return a checksum of the models' settings and of each segment's part.

    Arguments are those of :func:`fit_all`.
    """
    models = described({name: one.pipeline(seed) for name, one in BASELINES.items()})
    grids = {name: one.grid for name, one in BASELINES.items()}
    return checksum(
        models=models, grids=grids, parts=[*zip(segments["filename"], parts, strict=True)]
    )


def save(
    output: Path, measured: Mapping[str, Measured], *, source: Source, given: dict, identity: str
) -> None:
    """Write the results; ``baselines.json`` last, so that its existence means success.

    Writes baselines.csv (:func:`scores`), baselines-predictions.csv (filename, label, and a
    column per model with the genre that it predicted) and baselines.json (parameters, table,
    provenance). ``given`` are the notebook's parameters, ``identity`` is that of the models and
    the split (:func:`identity`).
    """
    first = next(iter(measured.values())).predictions
    predictions = first[["filename", "label"]].assign(
        **{name: one.predictions["predicted"] for name, one in measured.items()}
    )
    content = {
        "parameters": _parameters(given),
        "identity": identity,
        "chosen": {name: one.chosen for name, one in measured.items() if one.chosen},
        "source": asdict(source),
        "provenance": provenance.record(),
    }
    with provenance.together(output, "baselines.json", replacing=FILES) as new:
        provenance.write_csv(new / "baselines.csv", scores(measured))
        provenance.write_csv(new / "baselines-predictions.csv", predictions)
        content["checksums"] = provenance.checksums(new)
        provenance.write_json(new / "baselines.json", content)


def load(output: Path) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Read back what :func:`save` wrote: baselines.json, the scores, the predictions.

    Raises
    ------
    InputError
        The folder holds no finished run, or a damaged one.
    """
    content = runs.read_finished(output / "baselines.json", notebook="baselines")
    lines, predictions = (output / name for name in FILES)
    return (
        content,
        runs.table_of(lines, content, pd.read_csv),
        runs.table_of(predictions, content, read),
    )


def finished(output: Path, *, source: Source, given: dict, identity: str) -> bool:
    """Tell whether the folder holds the same fits already: they need not be done again.

    Damaged ones are named, and need to be.
    """
    if not (output / "baselines.json").exists():
        return False
    try:
        content, _, _ = load(output)
    except Damaged as error:
        print(f"{display_path(output)} is damaged ({error.reason}): it is made again.")
        return False
    return (
        content["parameters"] == _parameters(given)
        and content.get("identity") == identity  # published ones of before have none
        and same_content(runs.source(content), source)
    )


def _parameters(given: dict) -> dict:
    return {key: given[key] for key in ("split", "test_size", "seed")}
