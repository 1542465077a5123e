"""How fast the paper's model trains: Keras's back ends, what is possible, and options to try.

Run it as ``python tests/bench/bench_train.py [TABLE.csv]``; if no table is named, it is found as
the notebooks find it. All times are of one run on the same segments, one process after the other.
A back end that is not installed is named and skipped.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from math import isnan, nan
from pathlib import Path

import jax
import keras
import numpy as np
import pandas as pd
import yaml

from music_genre import provenance
from music_genre.data import splits, table
from music_genre.data.columns import INPUTS
from music_genre.exceptions import InputError
from music_genre.models import inputs, networks
from music_genre.paths import ROOT

BACKENDS = ["jax", "tensorflow", "torch"]
TEST_SIZE, SEED = 0.33, 0  # the defaults of the train notebook
SECONDS = 10  # of a measurement, about: whole batches, one at least, an epoch at most
MATRIX = 4096  # rows and columns
NAMES = {
    "backend": "back end",
    "version": "version",
    "batch_size": "batch size",
    "seconds": "s per epoch",
    "floors": "times the floor",
    "batches": "batches timed",
    "first": "first call, s",
}


def flop_per_segment() -> int:
    """Count the operations of the LSTMs' matrix products for one segment in one epoch.

    A step of an LSTM with I inputs and U units multiplies the I + U incoming numbers by the weights
    of four gates: 4 U (I + U) multiplications and as many additions. The backward pass has two such
    products, for the gradients of the incoming numbers and of the weights. Together that is three
    times the forward count. Biases, gates and the dense layer, less than 1 %, are left out.
    """
    incoming = (1, *networks.PAPER_UNITS[:-1])
    weights = sum(4 * u * (i + u) for i, u in zip(incoming, networks.PAPER_UNITS, strict=True))
    return 3 * 2 * len(INPUTS) * weights


def epochs_to_train(folder: Path = ROOT / "params" / "table1") -> pd.DataFrame:
    """Sum the epochs of a table's rows, trained separately or with shared beginnings.

    Returns
    -------
    DataFrame [shape=(n_batch_sizes, 2), index=batch size]
        ``separate``, the sum over the rows, and ``shared``, where rows that differ only in epochs
        are one training as long as the longest (:mod:`music_genre.models.checkpoints`).
    """
    rows = pd.DataFrame(yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml")))
    rows = rows.drop(columns="paper", errors="ignore")
    recipes = rows.groupby([name for name in rows if name != "epochs"], dropna=False)["epochs"]
    sums = recipes.agg(separate="sum", shared="max")
    return sums.groupby("batch_size").sum()


def matmul_rate() -> float:
    """Measure NumPy's float32 matrix product on all cores, the best of five [FLOP/s]."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), dtype="float32")
    taken = []
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        taken.append(time.perf_counter() - start)
    return 2 * MATRIX**3 / min(taken)


def measure(features: str, batch_size: int, steps_per_execution: int) -> dict:
    """Time whole batches after a warm-up call, and scale to an epoch of the training segments."""
    segments, _ = table.load(features)
    parts = splits.split(segments, "segment", test_size=TEST_SIZE, seed=SEED)
    data = inputs.prepare(segments, parts=parts, scale_on="all")
    kind = {"activation": "tanh", "dropout": 0.0, "learning_rate": 1e-3, "seed": SEED}
    model = networks.build(data.x.shape[1:], len(data.genres), **kind)
    model.steps_per_execution = steps_per_execution

    def fit(calls: int) -> float:
        # Repeats segments where a small table has fewer than that.
        chosen = np.resize(np.flatnonzero(data.train), calls * steps_per_execution * batch_size)
        start = time.perf_counter()
        model.fit(data.x[chosen], data.y[chosen], batch_size=batch_size, verbose=0)
        return time.perf_counter() - start

    first, once = fit(1), fit(1)
    in_an_epoch = data.train.sum() / (batch_size * steps_per_execution)
    calls = max(1, int(min(SECONDS / once, in_an_epoch)))
    taken = fit(calls) if calls > 1 else once
    return {
        "seconds": taken / calls * in_an_epoch,
        "batches": calls * steps_per_execution,
        "first": first,
        "version": importlib.import_module(keras.backend.backend()).__version__,
        "gpu": gpu() if keras.backend.backend() == "jax" else "",
    }


def gpu() -> str:
    """Say which GPU JAX uses and whether Keras's fused cuDNN kernel serves tanh; "" on a CPU."""
    if jax.default_backend() != "gpu":
        return ""
    try:  # Keras tries the kernel and falls back silently, unless it is told to use it
        keras.layers.LSTM(networks.PAPER_UNITS[0], use_cudnn=True)(
            np.zeros((1, len(INPUTS), 1), "float32")
        )
        serves = "serves"
    except ValueError:
        serves = "does not serve"
    return f"JAX uses {jax.devices()[0].device_kind}; the fused cuDNN LSTM {serves} the tanh model."


def start(
    features: str, backend: str, batch_size: int, *, steps=1, flags="", core: int | None = None
) -> subprocess.Popen:
    """Start a measurement in a process of its own, on one core if named."""
    print(f"measuring {backend}, batch size {batch_size}", file=sys.stderr)
    own = {
        "KERAS_BACKEND": backend,
        "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip(),
        "JAX_ENABLE_COMPILATION_CACHE": "false",  # compilation is part of the first call
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    if core is not None:
        own["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # two processes, perhaps on one GPU
    return subprocess.Popen(
        [sys.executable, __file__, features, str(batch_size), str(steps)],
        env=os.environ | own,
        stdout=subprocess.PIPE,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
    )


def finish(process: subprocess.Popen) -> dict:
    """Wait for a measurement and return it."""
    output, _ = process.communicate()
    if process.returncode:
        sys.exit("error: a measurement failed, see above")
    return json.loads(output.splitlines()[-1])


def minutes(measured: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Compute the minutes that a table's epochs take: a line per back end, NaN if not measured."""
    return measured.pivot(index="backend", columns="batch_size", values="seconds") @ epochs / 60


def formatted(frame: pd.DataFrame) -> str:
    """Format for the terminal; NaN stands for a back end that is not installed."""
    return frame.to_string(index=False, na_rep="not installed", float_format="{:.2f}".format)


def against_tensorflow(taken: pd.DataFrame) -> str:
    """Compare ours with separate trainings on TensorFlow, both from :func:`minutes`."""
    ours, theirs = taken.loc["jax", "shared"], taken.loc["tensorflow", "separate"]
    what = "Ours (JAX, shared) against separate TensorFlow trainings: "
    if isnan(theirs):
        return f"{what}not measured, tensorflow is not installed."
    return f"{what}{ours:.1f} against {theirs:.1f} minutes, {theirs / ours:.2f} times as fast."


def options(features: str, batch_size: int, default: float) -> pd.DataFrame:
    """Measure JAX with options that might be faster than ``default`` [s per epoch]."""
    flags = "--xla_cpu_multi_thread_eigen=false"
    seconds = {"steps_per_execution 1 (as trained)": default}
    ten = finish(start(features, "jax", batch_size, steps=10))
    seconds["steps_per_execution 10"] = ten["seconds"]
    flagged = finish(start(features, "jax", batch_size, flags=flags))
    seconds[f"XLA_FLAGS={flags}"] = flagged["seconds"]
    cores = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []
    if len(cores) == 2:
        both = [start(features, "jax", batch_size, core=core) for core in cores]
        throughput = sum(1 / finish(process)["seconds"] for process in both)
        seconds["two processes, one core each, together"] = 1 / throughput
    frame = pd.DataFrame(seconds.items(), columns=["option", "s per epoch"])
    return frame.assign(**{"times as fast": default / frame["s per epoch"]})


def main(features: str) -> None:
    """Measure and print everything."""
    segments, source = table.load(features)
    n = int((splits.split(segments, "segment", test_size=TEST_SIZE, seed=SEED) == "train").sum())
    epochs, rate, flop = epochs_to_train(), matmul_rate(), flop_per_segment()
    floor = n * flop / rate
    measured = pd.DataFrame(
        {"backend": backend, "batch_size": size, "seconds": nan}
        | (finish(start(features, backend, size)) if find_spec(backend) else {})
        for backend in BACKENDS
        for size in epochs.index
    ).assign(floors=lambda lines: lines["seconds"] / floor)
    print(f"{source.label}\n{provenance.record()['machine']}; Keras {keras.version()}")
    print(*filter(None, measured["gpu"].dropna().unique()), sep="\n")
    print(
        f"The floor: {n:,} training segments of {flop / 1e6:.0f} MFLOP each, forward and backward, "
        f"at {rate / 1e9:.0f} GFLOP/s\n(NumPy's float32 matrix product on all cores) are "
        f"{floor:.2f} s per epoch.\n\nAn epoch of the training segments, scaled from the batches "
        "timed (first call: compilation and\nfirst batches, not counted):\n"
        + formatted(measured[list(NAMES)].rename(columns=NAMES))
    )
    taken = minutes(measured, epochs)
    in_all = epochs.rename("at {}".format).T.assign(epochs=epochs.sum())
    print(
        "\nAll rows of Table I, minutes computed from the seconds per epoch above:\n"
        + formatted(in_all.join(taken.rename("{}, min".format).T).reset_index(names="trained"))
        + f"\n{against_tensorflow(taken)}"
    )
    default = measured.iloc[len(epochs) - 1]  # JAX, the largest batches
    tried = options(features, default["batch_size"], default["seconds"])
    print(f"\nOptions to try, JAX, batch size {default['batch_size']}:\n{formatted(tried)}")


if __name__ == "__main__":
    named, *sizes = sys.argv[1:] or [""]
    try:
        if sizes:  # a measurement in a process of its own
            print(json.dumps(measure(named, *map(int, sizes))))
        else:
            main(named)
    except InputError as error:
        sys.exit(f"error: {error}")
