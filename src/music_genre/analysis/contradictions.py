"""Measurements for the places where the paper contradicts itself or leaves open what was done."""

from dataclasses import dataclass
from pathlib import Path

from music_genre.analysis import claims, decimals, recipes
from music_genre.analysis.printed import TABLE_ONE as TABLE_ONE
from music_genre.analysis.printed import paper_rows
from music_genre.provenance import read_json

TEXT = {"batch_size": 220, "epoch": 20}  # the paper's text has 0.5867 there, Table I no row
# The paper's network and optimizer; none of its training segments set aside to choose by.
AS_ROWS = {"model": "paper", "optimizer": "adam", "validation_size": 0}
PRINTED = {"activation": "relu", "learning_rate": (0.01, 0.1)}


@dataclass(frozen=True)
class Measured:
    """What the paper's decimals and the recipe study tell; test accuracies in per cent.

    What was not measured is empty.
    """

    third: dict  # a third of the published table: what decimals.granularity says, and accuracies,
    # how many the paper prints
    at_20: list[dict]  # recipe, accuracy: fresh models at TEXT
    printed: list[dict]  # trained as PRINTED: recipe, trainings, learned (how many end above
    # claims.GUESSING), diverged (how many), epochs and best (the most and the highest of them)
    activations: list[dict]  # batch_size, learning_rate, epoch, relu, tanh: at the last epoch of
    # both, of one seed
    resplit: list[dict]  # recipe, accuracy: one model trained on over splits that are drawn again
    longest: dict | None  # epochs, accuracy: the training of the most epochs, if it has over 120


def measured(folder: Path) -> Measured:
    """Collect what was measured beside Table I's rows.

    ``folder`` is that of a report. Its trainings of the recipe study and of what else the paper
    says, in ``recipes`` and ``claims``, need not exist.
    """
    accuracies = paper_rows(TABLE_ONE)["accuracy"]
    parts = decimals.granularity(accuracies).set_index(["part", "held_out"])
    trainings = [*_trainings(folder / "recipes"), *_trainings(folder / "claims")]
    fresh = [one for one in trainings if not one["resplit"] and _as_rows(one)]
    at_20 = {  # of one recipe and seed, trainings of any length agree
        one["recipe"]: one["tested"][TEXT["epoch"]]
        for one in fresh
        if one["batch_size"] == TEXT["batch_size"] and TEXT["epoch"] in one["tested"]
    }
    return Measured(
        third={**parts.loc[("test", 33)], "accuracies": len(accuracies)},
        at_20=[{"recipe": recipe, "accuracy": accuracy} for recipe, accuracy in at_20.items()],
        printed=_printed([one for one in fresh if _is_printed(one)]),
        activations=_activations(fresh),
        resplit=[
            {"recipe": one["recipe"], "accuracy": one["tested"].iloc[-1]}
            for one in trainings
            if one["resplit"]
        ],
        longest=_longest(fresh),
    )


def _trainings(folder: Path) -> list[dict]:
    """Return each training's parameters, what recipes.load tells of it, and its test accuracies.

    These are ``tested``, a Series [index=epoch].
    """
    if not list(folder.glob("*/metrics.json")):
        return []
    trainings, curves = recipes.load(folder)
    return [
        {
            **read_json(folder / name / "metrics.json")["parameters"],
            **training,
            "tested": curves[curves["name"] == name].set_index("epoch")["test"],
        }
        for name, training in trainings.iterrows()
    ]


def _as_rows(training: dict) -> bool:
    return all(training.get(name, value) == value for name, value in AS_ROWS.items())


def _is_printed(training: dict) -> bool:
    return (
        training["activation"] == PRINTED["activation"]
        and training["learning_rate"] in PRINTED["learning_rate"]
        and not training["dropout"]
        and not training["shuffle_columns"]
    )


def _printed(trainings: list[dict]) -> list[dict]:
    """Sum up the trainings of each recipe; of two with one seed, the longer counts."""
    by_recipe: dict[str, dict[int, dict]] = {}
    for one in sorted(trainings, key=lambda one: one["epochs"]):
        by_recipe.setdefault(one["recipe"], {})[one["seed"]] = one
    by_seed = {recipe: list(of.values()) for recipe, of in sorted(by_recipe.items())}
    return [
        {
            "recipe": recipe,
            "trainings": len(seeds),
            "learned": sum(one["tested"].iloc[-1] > claims.GUESSING for one in seeds),
            "diverged": sum(one["diverged"] for one in seeds),
            "epochs": max(one["epochs"] for one in seeds),
            "best": max(one["tested"].max() for one in seeds),
        }
        for recipe, seeds in by_seed.items()
    ]


def _longest(fresh: list[dict]) -> dict | None:
    """Return the training of the most epochs, if Table I has no row of so many."""
    longest = max(fresh, key=lambda one: one["epochs"], default=None)
    if longest is None or longest["epochs"] <= paper_rows(TABLE_ONE)["epochs"].max():
        return None
    return {"epochs": longest["epochs"], "accuracy": longest["tested"].iloc[-1]}


def _activations(fresh: list[dict]) -> list[dict]:
    """Compare trainings that differ in activation alone, at the last epoch that both reached.

    Of several of one batch size and rate, those that reached the latest one.
    """
    alike = ["batch_size", "learning_rate", "dropout", "shuffle_columns", "seed"]
    found: dict[tuple, dict] = {}
    for relu in (one for one in fresh if one["activation"] == "relu"):
        for tanh in (one for one in fresh if one["activation"] == "tanh"):
            if all(relu[name] == tanh[name] for name in alike):
                last = min(relu["tested"].index[-1], tanh["tested"].index[-1])
                key = relu["batch_size"], relu["learning_rate"]
                if key not in found or last > found[key]["epoch"]:
                    found[key] = {
                        "batch_size": relu["batch_size"],
                        "learning_rate": relu["learning_rate"],
                        "epoch": last,
                        "relu": relu["tested"][last],
                        "tanh": tanh["tested"][last],
                    }
    return [found[key] for key in sorted(found)]
