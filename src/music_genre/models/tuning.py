"""A search for a network's settings, scored by validation tracks: it never sees a test segment."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from music_genre import provenance
from music_genre.data.splits import tracks
from music_genre.exceptions import InputError
from music_genre.metrics.predictions import vote
from music_genre.models import inputs, networks, runs, training
from music_genre.models.progress import Bar
from music_genre.paths import display_path

FIXED = {"schedule": "cosine", "activation": "tanh", "scale_on": "train"}  # in every trial
RANDOM = 10  # trials drawn at random, before the sampler learns from those before
SCORE, TIME = "accuracy by track", "seconds"


def space(models: list[str]) -> dict[str, BaseDistribution]:
    """Return what is drawn from: parameters of the train notebook, by name."""
    return {
        "model": CategoricalDistribution(models),
        "epochs": CategoricalDistribution([20, 40, 80, 160]),
        "batch_size": CategoricalDistribution([64, 128, 256]),
        "learning_rate": FloatDistribution(3e-4, 1e-2, log=True),
        "weight_decay": FloatDistribution(1e-3, 1.0, log=True),
        "label_smoothing": FloatDistribution(0.0, 0.3),
        "dropout": FloatDistribution(0.0, 0.7),
        "scaling": CategoricalDistribution(inputs.SCALINGS),
    }


def search(
    measure: Callable[[dict], float],
    path: Path,
    *,
    models: list[str],
    trials: int,
    seed: int,
    identity: dict,
) -> pd.DataFrame:
    """Try settings until there are so many trials, and go on from those kept in a file.

    Each trial is drawn by Optuna's TPE sampler (Bergstra et al., 2011) from a seed of its own and
    the trials before it, so that a search that was stopped goes on with the same trials.

    Parameters
    ----------
    measure
        Takes parameters of the train notebook, returns the accuracy to maximise, in per cent.
    path
        A CSV file with a line for each finished trial, written after each. What determines them
        stands beside it, in the JSON file of the same name.
    identity
        What determines a score beside ``models`` and ``seed``: parameters of the tune notebook, and
        the tables as :func:`music_genre.models.runs.kept` takes them.

    Returns
    -------
    DataFrame [shape=(n_trials, 10)]
        The parameters drawn, :data:`SCORE` and :data:`TIME`, in the order of the trials.

    Raises
    ------
    InputError
        The trials kept in the file were made with something else, or it is not known with what.
    """
    _check_and_note(path, {"models": models, "seed": seed, **identity})
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn_from, lines = space(models), _lines(path)
    with Bar(total=trials, initial=min(len(lines), trials), unit="trial") as bar:
        while len(lines) < trials:
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=RANDOM, seed=1000 * seed + len(lines)
            )
            study = optuna.create_study(direction="maximize", sampler=sampler)
            study.add_trials([_trial(line, drawn_from) for line in lines])
            drawn, start = study.ask(drawn_from).params, time.perf_counter()
            score = measure({**drawn, **FIXED})
            lines.append({**drawn, SCORE: score, TIME: round(time.perf_counter() - start, 1)})
            path.parent.mkdir(parents=True, exist_ok=True)
            provenance.write_csv(path, pd.DataFrame(lines))
            lines = _lines(path)  # as a search that goes on later reads them, to the last digit
            bar.set_postfix_str(f"best {max(line[SCORE] for line in lines):.1f} %", refresh=False)
            bar.update()
    return pd.DataFrame(lines[:trials])


def _check_and_note(path: Path, identity: dict) -> None:
    """Note what determines a search, or check that the trials that are kept are of the same one."""
    note = path.with_suffix(".json")
    wanted = json.loads(json.dumps(identity, default=asdict, allow_nan=False))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        provenance.write_json(note, {"identity": wanted})
        return
    kept = provenance.read_json(note).get("identity", {}) if note.exists() else None
    if kept is None:
        why = f"of which it is not known what they were made with, as there is no {note.name}"
    else:
        # By the parameters' names: that of the features table is `features`.
        other = ["features" if name == "source" else name for name in {**kept, **wanted}
                 if not runs.same({name: kept.get(name)}, {name: wanted.get(name)})]  # fmt: skip
        why = f"that were made with another value of {', '.join(other)}"
        if not other:
            return
    raise InputError(
        f"{display_path(path)} holds trials {why}: to search anew, move it out of its folder, or "
        "name another folder as output."
    )


def _lines(path: Path) -> list[dict]:
    return pd.read_csv(path).to_dict("records") if path.exists() else []


def _trial(line: dict, drawn_from: dict[str, BaseDistribution]) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        params={name: line[name] for name in drawn_from},
        distributions=drawn_from,
        value=line[SCORE],
    )


def best(trials: pd.DataFrame) -> dict[str, object]:
    """Return the parameters of the best trial, the first of equals, for the train notebook."""
    line = trials.loc[trials[SCORE].idxmax()].drop([SCORE, TIME])
    drawn = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in line.items()
    }
    return {**drawn, **FIXED}


def on_validation(
    given: dict,
    segments: pd.DataFrame,
    parts: np.ndarray,
    *,
    seed: int,
    more: pd.DataFrame | None = None,
) -> float:
    """Train with some parameters; return the accuracy by track on the validation part, in per cent.

    The scaling is fitted on the training part, whatever the parameters say, and the test part takes
    no part at all. ``more`` are further inputs, as :func:`music_genre.data.table.load_more` returns
    them.
    """
    used = np.isin(parts, ["train", "validation"])
    segments, parts = segments[used].reset_index(drop=True), parts[used]
    more = None if more is None else more[used].reset_index(drop=True)
    data = inputs.prepare(
        segments, parts=parts, scale_on="train", scaling=given["scaling"], more=more
    )
    if given["model"] in networks.OF_TRACKS:
        data = inputs.by_track(data, tracks(segments))
    model = networks.build(
        data.x.shape[1:],
        len(data.genres),
        steps=given["epochs"] * -(-data.train.sum() // given["batch_size"]),
        seed=seed,
        **{
            k: v
            for k, v in given.items()
            if k not in ("epochs", "batch_size", "scaling", "scale_on")
        },
    )
    y = training.targets(model, data)
    model.fit(
        data.x[data.train], y[data.train], epochs=given["epochs"],
        batch_size=given["batch_size"], verbose=0,
    )  # fmt: skip
    predictions = training.predict(model, data, segments)
    validation = predictions[predictions["part"] == "validation"]
    names = tracks(validation)
    label = validation.groupby(names)["label"].first()
    return float(100 * (vote(validation, names) == label).mean())
