"""A trained model to predict with: of a finished run, or a model for use, which any Keras loads.

A model for use is a folder with ``model.json`` (layers, scaling, columns, genres, what is known of
its accuracy) and ``weights.npz`` (arrays). Neither holds code: no pickle, no Lambda layer, nothing
that a version of Keras would have to know. What power transform and scaling do is done here.
"""

import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from music_genre import provenance
from music_genre.data.columns import INPUTS, MORE
from music_genre.data.splits import SPLITS
from music_genre.data.table import Source, tracks
from music_genre.exceptions import InputError
from music_genre.metrics import calibration, predictions
from music_genre.models import inputs, networks, runs
from music_genre.names import normal
from music_genre.paths import MANUAL, PUBLISHED, REPORTS, display_path
from music_genre.provenance import Damaged

if TYPE_CHECKING:
    import keras

FORMAT = 1  # of model.json: a later version that cannot be read as this one has a higher number
NOTE, WEIGHTS = "model.json", "weights.npz"
PUBLISHED_MODEL = PUBLISHED / "use"
BATCH = 512  # segments predicted at once
ACTIVATIONS = ("linear", "relu", "softmax", "tanh")
FILES = [WEIGHTS, "README.md"]  # beside model.json
_WHITENING = "whitening"
_FARTHEST = 1e6  # standard deviations: what is farther has no place in single precision
_RUNS = {"paper": "three LSTMs", "single-lstm": "one LSTM"}  # names by the parameter `model`


@dataclass(frozen=True)
class Portable:
    """A trained model, with all that a prediction needs."""

    name: str  # for readers
    genres: list[str]  # of each output
    columns: list[str]  # the inputs, in order
    network: "keras.Model"  # scaled inputs to probabilities, a line for each segment
    mean: np.ndarray  # of each input, after the power transform [shape=(n_inputs,)]
    scale: np.ndarray  # its standard deviation [shape=(n_inputs,)]
    lambdas: np.ndarray | None = None  # of the Yeo-Johnson power transform; None: there is none
    whitening: np.ndarray | None = None  # of the scaled inputs [shape=(n_inputs, n_inputs)]
    temperature: float = 1.0  # of a track's probabilities; 1 where it could not be fitted
    threshold: float | None = None  # a track's probability below which its genre is unsure
    limit: float | None = None  # distance of a track from which on it is outside; None: unknown
    card: dict | None = None  # table, split, accuracies held out, versions

    @property
    def more(self) -> bool:
        """Whether it takes numbers of a second features table too (MORE=1)."""
        return not set(MORE).isdisjoint(self.columns)

    def deviations(self, segments: pd.DataFrame) -> pd.DataFrame:
        """Return how far each input lies from the training data's mean, in standard deviations.

        After the power transform, if the model has one.

        Returns
        -------
        DataFrame [shape=(n_segments, n_inputs), dtype=float]

        Raises
        ------
        InputError
            A column is missing.
        """
        missing = [column for column in self.columns if column not in segments]
        if missing:
            raise InputError(
                f"the segments lack the column {missing[0]}, which the model {self.name} takes: "
                + ("it is of a second features table, which MORE=1 extracts."
                   if missing[0] in MORE else "extract their features again.")
            )  # fmt: skip
        values = segments[self.columns].to_numpy(dtype=float)
        if self.lambdas is not None:
            values = inputs.powered(values, self.lambdas)
        scaled = np.clip((values - self.mean) / self.scale, -_FARTHEST, _FARTHEST)
        return pd.DataFrame(scaled, columns=self.columns, index=segments.index)

    def probabilities(self, segments: pd.DataFrame) -> np.ndarray:
        """Return each genre's probability for each segment [shape=(n_segments, n_genres)].

        They are the network's own. For a track, :meth:`of_track` calibrates them.
        """
        return self._outputs(self.network, segments)

    def of_track(self, probabilities: np.ndarray) -> np.ndarray:
        """Return each genre's probability for the track that some segments are of.

        It is the softmax of the segments' mean log-probability over the temperature.

        Parameters
        ----------
        probabilities
            Of its segments, as :meth:`probabilities` returns them.

        Returns
        -------
        ndarray [shape=(n_genres,)]
        """
        return calibration.tempered(calibration.pooled(probabilities), self.temperature)

    def distances(self, segments: pd.DataFrame) -> np.ndarray:
        """Return how far each segment is from the training data [shape=(n_segments,)].

        It is the root of the mean square of its :meth:`deviations`, so about 1 for a segment such
        as those of the training. Where the covariance of the training data is known, they are
        whitened first: that is Mahalanobis' distance over the root of the number of inputs.
        """
        apart = self.deviations(segments).to_numpy()
        if self.whitening is not None:
            apart = apart @ self.whitening
        return np.sqrt((apart**2).mean(axis=1))

    def outside(self, segments: pd.DataFrame) -> bool | None:
        """Tell whether a track is farther from the training data than 99 % of held-out tracks.

        A track's distance is the median of its segments'. None where the limit is not known.
        """
        if self.limit is None:
            return None
        return bool(np.median(self.distances(segments)) > self.limit)

    def states(self, segments: pd.DataFrame) -> np.ndarray:
        """Return what the last layer before the softmax says of each segment.

        Returns
        -------
        ndarray [shape=(n_segments, n_units)]
            The outputs of the last hidden layer; of a network without one, the genres' logits, but
            for a constant that all of a segment share.
        """
        hidden = self.network.layers[:-1]
        if not hidden:
            tiny = np.finfo("float32").tiny
            logs = np.log(np.maximum(self.probabilities(segments), tiny))
            return logs - logs.mean(axis=1, keepdims=True)
        import keras

        return self._outputs(keras.Model(self.network.inputs, hidden[-1].output), segments)

    def _outputs(self, network: "keras.Model", segments: pd.DataFrame) -> np.ndarray:
        x = self.deviations(segments).to_numpy(dtype="float32")
        if len(self.network.input_shape) == 3:  # LSTMs read the inputs as a sequence
            x = x[:, :, np.newaxis]
        return np.asarray(network.predict(x, batch_size=BATCH, verbose=0))


def network(layers: list[dict], n_inputs: int) -> "keras.Model":
    """Build a stack of dense layers from their ``units`` and ``activation``."""
    import keras

    dense = [keras.layers.Dense(of["units"], activation=of["activation"]) for of in layers]
    return keras.Sequential([keras.Input((n_inputs,)), *dense])


def save(folder: Path, model: Portable, *, readme: str = "") -> None:
    """Write a stack of dense layers as a model for use; ``model.json`` last.

    Parameters
    ----------
    readme
        The card as text for readers, for ``README.md``.
    """
    layers = [
        {"units": layer.units, "activation": layer.activation.__name__}
        for layer in model.network.layers
        if type(layer).__name__ != "Dropout"  # does nothing in a prediction
    ]
    content = {
        "format": FORMAT,
        "name": model.name,
        "genres": model.genres,
        "columns": model.columns,
        "lambdas": None if model.lambdas is None else model.lambdas.tolist(),
        "mean": model.mean.tolist(),
        "scale": model.scale.tolist(),
        "layers": layers,
        "temperature": model.temperature,
        "threshold": model.threshold,
        "limit": model.limit,
        "card": model.card,
    }
    with provenance.together(folder, NOTE, replacing=FILES) as new:
        whitening = {} if model.whitening is None else {_WHITENING: model.whitening}
        np.savez(new / WEIGHTS, *model.network.get_weights(), **whitening)
        if readme:
            (new / "README.md").write_text(readme, encoding="utf-8")
        content["checksums"] = provenance.checksums(new)
        provenance.write_json(new / NOTE, content)


def load(folder: str | Path) -> Portable:
    """Load a model for use, or the model of a finished run.

    Raises
    ------
    InputError
        The folder holds neither, or a damaged one; it is of a later version; it takes other columns
        than ``INPUTS`` and ``MORE`` of :mod:`music_genre.data.columns`; this version of Keras
        cannot load it; its training broke down.
    """
    folder = Path(folder)
    if (folder / NOTE).exists():
        model = _for_use(folder)
    elif (folder / "metrics.json").exists():
        model = _of_run(folder)
    else:
        raise InputError(
            f"{display_path(folder)} holds no model, neither a model for use ({NOTE}) nor a "
            "finished run (metrics.json): name the folder of one, or none."
        )
    other = [column for column in model.columns if column not in (*INPUTS, *MORE)]
    if other:
        raise InputError(
            f"the model in {display_path(folder)} takes the input {other[0]}, which our features "
            "do not have: name a model that was trained on them."
        )
    if not all(np.isfinite(of).all() for of in model.network.get_weights()):
        raise InputError(
            f"the model in {display_path(folder)} predicts nothing, as its training broke down: "
            "name another one."
        )
    return model


def takes_more(folder: str | Path) -> bool:
    """Tell whether a model takes :attr:`Portable.more`, without Keras.

    What is no model does not: :func:`load` says what is wrong with it.
    """
    note = Path(folder) / NOTE
    try:
        columns = provenance.read_json(note if note.exists() else note.with_name("scaler.json"))
        return not set(MORE).isdisjoint(columns["columns"])
    except (InputError, KeyError, TypeError):
        return False


def _for_use(folder: Path) -> Portable:
    content = provenance.read_json(folder / NOTE)
    if content.get("format") != FORMAT:
        raise InputError(
            f"{display_path(folder / NOTE)} has the format {content.get('format')!r}, and this "
            f"version reads {FORMAT}: update this project, or take another model."
        )
    provenance.check(folder, content, [WEIGHTS])
    try:
        layers, n_inputs = content["layers"], len(content["columns"])
        if any(of["activation"] not in ACTIVATIONS for of in layers):
            raise ValueError(f"a layer's activation is none of {', '.join(ACTIVATIONS)}")
        if not layers or layers[-1]["activation"] != "softmax":
            raise ValueError("its last layer is no softmax, and gives no probabilities")
        with np.load(folder / WEIGHTS, allow_pickle=False) as file:
            weights = [_real(file[f"arr_{i}"]) for i in range(2 * len(layers))]
            whitening = _numbers(file[_WHITENING]) if _WHITENING in file else None
        # Before a network of any size is built:
        sizes = [n_inputs, *(of["units"] for of in layers)]
        shapes = [shape for one, other in pairwise(sizes) for shape in ((one, other), (other,))]
        if [of.shape for of in weights] != shapes:
            raise ValueError("its weights do not fit its layers")
        built = network(layers, n_inputs)
        built.set_weights(weights)
        powers = content["lambdas"]
        model = Portable(
            name=str(content["name"]),
            network=built,
            lambdas=None if powers is None else _numbers(np.array(powers, dtype=float)),
            whitening=whitening,
            temperature=_within(content["temperature"], 1e-3, 1e3),
            threshold=_within(content["threshold"], 0, 1, known=False),
            limit=_within(content["limit"], 0, 1e6, known=False),
            card=_card(content["card"]),
            **_inputs_and_genres(content),
        )
        if model.lambdas is not None and model.lambdas.shape != (n_inputs,):
            raise ValueError("there is not a power for each input")
        if whitening is not None and whitening.shape != (n_inputs, n_inputs):
            raise ValueError("the whitening does not fit the inputs")
        return _checked(model)
    except _BROKEN as error:
        raise Damaged(folder, f"{NOTE} or {WEIGHTS} is not as written: {error}") from error


_BROKEN = (
    KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, EOFError,
    zipfile.BadZipFile,
)  # fmt: skip


def _real(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "fiu":
        raise ValueError("of its arrays, one holds no numbers")
    return array


def _numbers(array: np.ndarray) -> np.ndarray:
    if not np.isfinite(_real(array)).all():
        raise ValueError("of its numbers, some are none")
    return array


def _within(value: object, low: float, high: float, *, known: bool = True) -> float | None:
    """Return a number in a range; None, if it need not be known."""
    if value is None and not known:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{value!r} is no number from {low:g} to {high:g}")
    return float(value)


def _card(card: dict | None) -> dict | None:
    """Return what is known of a model, if it is what a page can show."""
    if card is None:
        return None
    if "source" in card:
        Source(**card["source"])
    for count in card.get("trained on", {}).values():
        _within(count, 0, 1e12)
    for test in card.get("held out", []):
        SPLITS[test["split"]]
        whole = "tracks" in test
        _within(test["tracks" if whole else "segments"], 0, 1e12)
        _within(test["accuracy" if whole else "accuracy by segment"], 0, 100)
    return card


def _of_run(folder: Path) -> Portable:
    import keras

    content, _, predicted = runs.load(folder)
    if not (folder / "model.keras").exists():
        raise InputError(
            f"{display_path(folder)} holds no network (model.keras), as most published trainings "
            "do not: name another model, or train it."
        )
    provenance.check(folder, content, runs.MODEL)
    settings, trained = content["parameters"], predicted[predicted["part"] == "train"]
    fitted, accuracy = _held_out(settings, predicted)
    scaler = provenance.read_json(folder / "scaler.json")
    kind = settings.get("model", "paper")
    if kind in networks.OF_TRACKS:
        raise InputError(
            f"{display_path(folder)} holds a {kind}, which reads whole tracks of one length: name "
            "a model that reads segments."
        )
    try:
        built = keras.saving.load_model(folder / "model.keras", compile=False)
    except Exception as error:  # of many kinds, by what the file is
        by = content["provenance"]["packages"]["keras"]
        raise InputError(
            f"{display_path(folder / 'model.keras')}, saved by Keras {by}, cannot be loaded by "
            f"Keras {keras.__version__}: train it again, or use the versions in requirements.lock."
        ) from error
    try:
        model = Portable(
            name=_RUNS.get(kind, kind),
            network=built,
            card={
                "source": content["source"],
                "split": settings["split"],
                "held out": [{"split": settings["split"], **accuracy}],
                "trained on": {"segments": len(trained), "tracks": tracks(trained).nunique()},
                "provenance": content["provenance"],
            },
            **fitted,
            lambdas=np.array(scaler["lambdas"], dtype=float) if "lambdas" in scaler else None,
            **_inputs_and_genres(scaler),
        )
        return _checked(model)
    except _BROKEN as error:
        raise Damaged(folder, f"scaler.json is not as written: {error}") from error


def _inputs_and_genres(content: dict) -> dict:
    return {
        "genres": _texts(content["genres"]),
        "columns": _texts(content["columns"]),
        "mean": np.array(content["mean"], dtype=float),
        "scale": np.array(content["scale"], dtype=float),
    }


def _texts(names: list) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its names are no list of texts")
    return names


def _checked(model: Portable) -> Portable:
    """Raise a ValueError where the parts of a model do not fit together."""
    n_inputs, n_genres = len(model.columns), len(model.genres)
    shapes = model.network.input_shape[1], model.network.output_shape[1]
    if shapes != (n_inputs, n_genres) or {model.mean.shape, model.scale.shape} != {(n_inputs,)}:
        raise ValueError("its columns, genres, scaling and layers do not fit together")
    if not (model.temperature > 0 and (model.scale > 0).all() and np.isfinite(model.mean).all()):
        raise ValueError("its scaling or its temperature is no number above 0")
    for names, what in ((model.columns, "columns"), (model.genres, "genres")):
        if len(set(names)) < len(names) or not all(name and normal(name) == name for name in names):
            raise ValueError(f"its {what} are not names, each another one")
    return model


def _held_out(settings: dict, predicted: pd.DataFrame) -> tuple[dict, dict]:
    """Return temperature and threshold by the tracks that a run held out, and the card's accuracy.

    Temperature and threshold are those of the validation tracks, or of the test tracks where there
    is no validation part; nothing where the test segments are of tracks that were trained on.
    """
    test = predicted[predicted["part"] == "test"]
    known = SPLITS[settings["split"]].disjoint_by and tracks(predicted).notna().all()
    accuracy = {"segments": len(test), "accuracy by segment": _accuracy(test)}
    if not known or predictions.confidence(predicted).isna().any():
        return {}, accuracy
    held = predicted[predicted["part"] == "validation"]
    if held.empty:
        held = test
    by_track = calibration.by_track(held, tracks(held))
    temperature = calibration.temperature(by_track)
    sure = calibration.with_temperature(by_track, temperature)
    tested = calibration.by_track(test, tracks(test))
    return (
        {"temperature": temperature, "threshold": calibration.threshold(sure)},
        {**accuracy, "tracks": len(tested), "accuracy": _accuracy(tested)},
    )


def _accuracy(predicted: pd.DataFrame) -> float:
    return 100 * float((predicted["label"] == predicted["predicted"]).mean())


def default() -> tuple[Path, str]:
    """Return the folder of the model to use if none is named, and why that one, in words.

    It is the newest of the user's own: of trainings by hand, with a second features table or
    without, and of models for use that a report left, except those of the embedded sample and
    models of whole tracks; else the published one.

    Raises
    ------
    InputError
        There is none.
    """
    own = [
        (made, path.parent)
        for path in (*MANUAL.glob("*/metrics.json"), *REPORTS.glob(f"*/use/{NOTE}"))
        if path.parent != PUBLISHED_MODEL and (made := _made(path))
    ]
    if own:
        _, newest = max(own)
        return newest, f"the newest model of yours, in {display_path(newest)}"
    if (PUBLISHED_MODEL / NOTE).exists():
        return PUBLISHED_MODEL, f"the published model for use, in {display_path(PUBLISHED_MODEL)}"
    raise InputError(
        f"there is no model: take {display_path(PUBLISHED_MODEL)} from git again, run the train "
        "notebook, or name a model's folder."
    )


def _made(note: Path) -> str:
    """Return when a model was made; empty if it is none to use, such as the sample's."""
    try:
        content = provenance.read_json(note)
        content = content.get("card", content)
        complete = note.name == NOTE or all((note.parent / name).exists() for name in runs.MODEL)
        of_sample = content["source"]["is_sample"]
        of_tracks = content.get("parameters", {}).get("model") in networks.OF_TRACKS
        return content["provenance"]["created"] if complete and not (of_sample or of_tracks) else ""
    except (InputError, KeyError, TypeError, AttributeError):
        return ""
