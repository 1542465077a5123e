"""Simpler models on the same 58 inputs: those the paper names, and what one would try first."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import layers
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from music_genre import provenance
from music_genre.data.columns import INPUTS
from music_genre.data.splits import tracks
from music_genre.data.table import Source
from music_genre.exceptions import InputError
from music_genre.metrics import classification
from music_genre.paths import display_path

Fold = tuple[np.ndarray, np.ndarray]  # the rows to fit and those to score, as positions

# What is chosen by `measure`, short enough that all models take minutes on one core.
GRIDS: dict[str, dict[str, list]] = {
    "K-means": {"model__n_clusters": [10, 30, 100]},
    "k nearest neighbours": {"model__n_neighbors": [1, 5, 9, 15]},
    "logistic regression": {"model__C": [0.1, 1, 10]},
    "RBF-SVM": {"model__C": [1, 10, 100]},
    "two-layer perceptron": {"model__hidden_layer_sizes": [(64, 32), (256, 128)]},
}


@dataclass(frozen=True)
class Measured:
    """What one model gave on the test rows."""

    predictions: pd.DataFrame  # filename, label, predicted, and each genre's probability
    chosen: dict[str, object]  # the hyperparameters chosen from the grid
    seconds_to_train: float  # with those chosen, compilation included, the choice not
    seconds_per_segment: float  # to predict, all test rows at once, without compilation


class ClusterClassifier(ClassifierMixin, BaseEstimator):
    """K-means whose clusters take the name of their training rows' most frequent genre.

    A cluster's probabilities are the shares of the genres among its training rows. There are never
    more clusters than training rows.
    """

    def __init__(self, n_clusters: int = 10, *, random_state: int = 0):
        self.n_clusters = n_clusters
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "ClusterClassifier":
        """Cluster the rows [shape=(n_rows, n_inputs)], then count genres by cluster."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        clusters = min(self.n_clusters, len(X))
        self.kmeans_ = KMeans(clusters, n_init=10, random_state=self.random_state).fit(X)
        counts = np.zeros((clusters, len(self.classes_)))
        np.add.at(counts, (self.kmeans_.labels_, codes), 1)
        # Where rows coincide, a cluster may be empty: its shares are 0, and no row falls into it.
        self.shares_ = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the shares of the genres in each row's cluster [shape=(n_rows, n_genres)]."""
        return self.shares_[self.kmeans_.predict(X)]

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the name of each row's cluster."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class SequenceClassifier(ClassifierMixin, BaseEstimator):
    """A Keras network that reads the inputs as the paper does: a sequence, one number a step.

    Trained as the paper's: Adam at 1e-3, cross-entropy, the last epoch's weights. Keras' own
    ``keras.wrappers.SKLearnClassifier`` has no ``predict_proba``, and its clones forget
    ``fit_kwargs``, the number of epochs among them.

    Parameters
    ----------
    hidden
        Returns the layers between the input ``(n_inputs, 1)`` and the softmax over the genres.
    random_state
        Seeds Python, NumPy and the back end when fitting: weights, dropout, order of batches.
    """

    def __init__(
        self,
        hidden: Callable[[], list[keras.Layer]],
        *,
        epochs: int,
        batch_size: int = 64,
        random_state: int = 0,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "SequenceClassifier":
        """Build the network and train it on the rows [shape=(n_rows, n_inputs)]."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        keras.utils.clear_session()
        keras.utils.set_random_seed(self.random_state)
        output = layers.Dense(len(self.classes_), activation="softmax")
        self.model_ = keras.Sequential([keras.Input((X.shape[1], 1)), *self.hidden(), output])
        self.model_.compile(
            optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy"
        )
        self.model_.fit(
            _sequence(X), codes, epochs=self.epochs, batch_size=self.batch_size, verbose=0
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return each genre's probability [shape=(n_rows, n_genres)]."""
        return self.model_.predict(_sequence(X), batch_size=512, verbose=0)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return each row's most probable genre."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _sequence(X: np.ndarray) -> np.ndarray:
    return np.asarray(X, dtype="float32")[:, :, np.newaxis]


def _cnn() -> list[keras.Layer]:
    return [
        layers.Conv1D(32, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(64, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
    ]


def _rnn() -> list[keras.Layer]:
    return [layers.SimpleRNN(64)]


def pipelines(*, seed: int) -> dict[str, Pipeline]:
    """Return the models by display name, each behind a scaling fitted on its training rows."""
    seeded = {"random_state": seed}
    models = {
        "majority class": DummyClassifier(),
        "K-means": ClusterClassifier(**seeded),
        "k nearest neighbours": KNeighborsClassifier(),
        "logistic regression": LogisticRegression(max_iter=2000),
        "RBF-SVM": SVC(C=10, break_ties=True),  # predicts the largest decision value
        "extra trees": ExtraTreesClassifier(200, **seeded),
        "gradient boosting": HistGradientBoostingClassifier(early_stopping=False, **seeded),
        "two-layer perceptron": MLPClassifier((256, 128), max_iter=500, tol=1e-3, **seeded),
        "1-D CNN": SequenceClassifier(_cnn, epochs=20, **seeded),
        "plain RNN": SequenceClassifier(_rnn, epochs=40, **seeded),
    }
    return {
        name: Pipeline([("scale", StandardScaler()), ("model", model)])
        for name, model in models.items()
    }


def folds(table: pd.DataFrame, train: np.ndarray, valid: np.ndarray | None = None) -> list[Fold]:
    """Return on which rows hyperparameters are chosen; test rows are never among them.

    Parameters
    ----------
    train, valid
        The rows to train on and, where the split has them, those to choose by
        [shape=(n_segments,), dtype=bool].

    Returns
    -------
    list of (ndarray, ndarray)
        Rows to fit and rows to score, as positions in the table: the training and validation rows;
        without the latter, three folds of the training rows with whole tracks on one side (rows,
        where no track is known).

    Raises
    ------
    InputError
        There is no validation row, or a genre has fewer than three training tracks.
    """
    rows = np.flatnonzero(train)
    if valid is not None:
        if not valid.any():
            raise InputError("the validation part has no rows: name a split that has some.")
        return [(rows, np.flatnonzero(valid))]
    part = table.iloc[rows]
    names = tracks(part).fillna(part["filename"])
    counts = names.groupby(part["label"]).nunique()
    if counts.min() < 3:
        raise InputError(
            f"genre {counts.idxmin()} has only {counts.min()} training tracks: hyperparameters are "
            "chosen on three parts of them; add clips or choose a smaller test_size."
        )
    parts = StratifiedGroupKFold(3).split(part, part["label"], names)
    return [(rows[fit], rows[score]) for fit, score in parts]


def measure(
    pipeline: Pipeline,
    table: pd.DataFrame,
    *,
    train: np.ndarray,
    test: np.ndarray,
    grid: Mapping[str, list] | None = None,
    folds: Sequence[Fold] = (),
) -> Measured:
    """Choose the hyperparameters in ``grid`` on ``folds``, train, and predict the test rows.

    The hyperparameters with the best mean accuracy over the folds train the model anew on all
    training rows. The predicted genre is the most probable one; where a model has only decision
    values (the SVM's), their softmax stands for probabilities. All of it runs on one thread, so
    that times compare and sums do not depend on the number of cores (Keras' back end has threads
    of its own).

    Parameters
    ----------
    train, test
        The rows to train and to test on [shape=(n_segments,), dtype=bool].

    Raises
    ------
    InputError
        The parts have not one value a row, are empty or share rows; a test genre has no training
        row; no fold can be trained or scored with a value of the grid.
    """
    _check_parts(table, train, test)
    x, y = table[INPUTS].to_numpy(), table["label"].to_numpy(dtype=str)
    with threadpool_limits(1):
        chosen = _choose(pipeline, grid, x, y, folds) if grid else {}
        pipeline.set_params(**chosen)
        start = time.perf_counter()
        pipeline.fit(x[train], y[train])
        trained = time.perf_counter()
        _probabilities(pipeline, x[test])  # Keras compiles in the first prediction
        start_to_predict = time.perf_counter()
        probabilities = _probabilities(pipeline, x[test])
        predicted = time.perf_counter()
    genres = pipeline.classes_
    predictions = pd.DataFrame(
        {
            "filename": table["filename"].to_numpy()[test],
            "label": y[test],
            "predicted": genres[probabilities.argmax(axis=1)],
            **dict(zip(genres, probabilities.T, strict=True)),
        }
    )
    return Measured(
        predictions,
        {name.removeprefix("model__"): value for name, value in chosen.items()},
        trained - start,
        (predicted - start_to_predict) / int(test.sum()),
    )


def _check_parts(table: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> None:
    for name, part in (("training", train), ("test", test)):
        if part.shape != (len(table),):
            raise InputError(f"the {name} part has not one value for each of {len(table)} rows.")
        if not part.any():
            raise InputError(f"the {name} part has no rows: choose another split or test_size.")
    shared = int((train & test).sum())
    if shared:
        raise InputError(f"{shared} rows are in both the training and the test part: split anew.")
    unknown = sorted(set(table["label"][test]) - set(table["label"][train]))
    if unknown:
        raise InputError(
            f"genre {unknown[0]} is tested but has no training row: choose another split or seed."
        )


def _choose(
    pipeline: Pipeline, grid: Mapping, x: np.ndarray, y: np.ndarray, folds: Sequence[Fold]
) -> dict[str, object]:
    search = GridSearchCV(pipeline, grid, cv=list(folds), refit=False, error_score="raise")
    try:
        return search.fit(x, y).best_params_
    except ValueError as error:
        raise InputError(
            f"hyperparameters {grid} cannot be chosen ({' '.join(str(error).split())}): "
            "add clips or name other values."
        ) from error


def _probabilities(pipeline: Pipeline, x: np.ndarray) -> np.ndarray:
    if hasattr(pipeline, "predict_proba"):
        return pipeline.predict_proba(x)
    values = pipeline.decision_function(x)
    if values.ndim == 1:  # of two genres scikit-learn gives the second one's value only
        values = np.column_stack([-values, values])
    return softmax(values, axis=1)


def track_accuracy(predictions: pd.DataFrame) -> float:
    """Return the accuracy over tracks in per cent: each genre's probability averaged, one vote.

    ``predictions`` are those of :func:`measure`; a track's segments among them vote. Where a track
    is not known (:func:`music_genre.data.splits.tracks`), it is missing.
    """
    names = tracks(predictions)
    if names.isna().any():
        return np.nan
    probabilities = predictions.drop(columns=["filename", "label", "predicted"])
    votes = probabilities.groupby(names).mean().idxmax(axis=1)
    return 100 * float((votes == predictions["label"].groupby(names).first()).mean())


def scores(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Return a line per model: scores on the test rows in per cent, times, what was chosen."""
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


def save(output: Path, measured: Mapping[str, Measured], *, source: Source, given: dict) -> None:
    """Write the results; ``baselines.json`` last, so that its existence means success.

    Writes baselines.csv (:func:`scores`), baselines-predictions.csv (filename, label, and a
    column per model with the genre that it predicted) and baselines.json (parameters, table,
    provenance). ``given`` are the notebook's parameters.
    """
    (output / "baselines.json").unlink(missing_ok=True)
    first = next(iter(measured.values())).predictions
    predictions = first[["filename", "label"]].assign(
        **{name: one.predictions["predicted"] for name, one in measured.items()}
    )
    provenance.write_csv(output / "baselines.csv", scores(measured))
    provenance.write_csv(output / "baselines-predictions.csv", predictions)
    provenance.write_json(
        output / "baselines.json",
        {
            "parameters": {key: given[key] for key in ("split", "test_size", "seed")},
            "chosen": {name: one.chosen for name, one in measured.items() if one.chosen},
            "source": asdict(source),
            "provenance": provenance.record(),
        },
    )


def load(output: Path) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Read back what :func:`save` wrote: baselines.json, the scores, the predictions.

    Raises
    ------
    InputError
        The folder holds no finished run.
    """
    if not (output / "baselines.json").exists():
        raise InputError(
            f"{display_path(output)} holds no finished run (no baselines.json): run the baselines "
            "notebook first."
        )
    path = output / "baselines-predictions.csv"
    if not path.exists():  # as published
        path = output / "baselines-predictions.csv.gz"
    predictions = pd.read_csv(path, dtype=str, keep_default_na=False)
    lines = pd.read_csv(output / "baselines.csv")
    return provenance.read_json(output / "baselines.json"), lines, predictions


def describe(lines: pd.DataFrame, output: Path) -> str:
    """Say in a sentence which models of :func:`scores` did best, and where the results are."""
    best = lines.loc[lines["accuracy"].idxmax()]
    text = (
        f"Of {len(lines)} models, the highest accuracy by segment is {best['accuracy']:.2f} % "
        f"({best['model']})"
    )
    if lines["track accuracy"].notna().all():
        best = lines.loc[lines["track accuracy"].idxmax()]
        text += f", by track {best['track accuracy']:.2f} % ({best['model']})"
    return f"{text}. Results in `{display_path(output)}`."
