"""How long the steps of a plan take, as far as earlier runs tell. Standard library only."""

import json
from contextlib import suppress
from itertools import zip_longest
from statistics import mean

from music_genre.build import done, plan
from music_genre.paths import ROOT


def seconds(planned: list[plan.Step], described: list[dict]) -> dict[str, float | None]:
    """Estimate how long each step would take, by its target; None where no earlier run tells.

    What was done on another features table tells nothing. A step takes as long as the last time.
    If it has other parameters now, or was never done, it takes as long as others of its notebook;
    a training, in addition, its epochs times the seconds that an epoch of others took.

    Parameters
    ----------
    planned, described
        The steps, as :func:`music_genre.build.plan.steps` and, with the page at the end,
        :func:`music_genre.build.plan.specs` return them.
    """
    noted = {step["target"]: done.noted(ROOT / step["target"]) for step in described}
    timed = {target: note for target, note in noted.items() if note.get("seconds")}
    return {
        step["target"]: _seconds(step, of, [n for n in timed.values() if _alike(n["step"], step)])
        for step, of in zip_longest(described, planned)  # the page, if there is one, comes last
    }


def _alike(one: dict, other: dict) -> bool:
    tables = [it["content"].get("table") for it in (one, other)]
    return one.get("notebook") == other.get("notebook") and tables[0] == tables[1]


def _seconds(step: dict, of: plan.Step | None, alike: list[dict]) -> float | None:
    own = [note["seconds"] for note in alike if _same(note["step"], step)]
    if own:
        there = step["results"] and all((ROOT / path).exists() for path in step["results"])
        return own[0]["kept" if there else "made"]
    if not alike:
        return None
    if of is None or not of.file:
        return mean(note["seconds"]["made"] for note in alike)
    epochs = 0 if of.after else plan.recipe(of.file)[1]  # read off from a longer training's states
    rates = [rate for note in alike if (rate := _seconds_per_epoch(note["step"]))]
    if epochs and not rates:
        return None
    return mean(note["seconds"]["kept"] for note in alike) + (epochs * mean(rates) if epochs else 0)


def _same(one: dict, other: dict) -> bool:
    keys = ("target", "given", "backend")
    files = [it["content"].get(it.get("file")) for it in (one, other)]
    return all(one.get(key) == other.get(key) for key in keys) and files[0] == files[1]


def _seconds_per_epoch(step: dict) -> float | None:
    """Return what an epoch of a training took, if it was one and trained any."""
    with suppress(OSError, ValueError, KeyError, IndexError, ZeroDivisionError):
        metrics = json.loads((ROOT / step["results"][0]).read_text(encoding="utf-8"))
        return metrics["seconds"] / (metrics["epochs_run"] - metrics["epochs_kept"])
    return None


def together(each: list[float], *, jobs: int) -> float:
    """Return how long steps take side by side: the longest of them at least."""
    return max(sum(each) / jobs, *each)
