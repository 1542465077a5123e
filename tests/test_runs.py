"""What a run leaves behind is found again where it is the same, and only there."""

import pandas as pd
import pytest
from conftest import SOURCE, fake_run

from music_genre import provenance
from music_genre.data.table import Source
from music_genre.models import runs

MEASURED = pd.DataFrame(
    {
        "row": ["7", "10"],
        "label": ["NA", ""],
        "accuracy": [1 / 3, None],
        "segments": [3, 4],
        "diverged": [True, False],
        "failed": ["it broke", None],
    }
)


@pytest.fixture
def compute():
    """Return a function that counts its calls and returns :data:`MEASURED`."""

    def measure():
        measure.calls += 1
        return MEASURED

    measure.calls = 0
    return measure


def test_kept_results_are_computed_once_and_read_back_as_they_were(tmp_path, compute):
    path = tmp_path / "step" / "measured.csv"
    first = runs.kept(path, {"seed": 0, "rows": ("7", "10")}, compute)
    again = runs.kept(path, {"rows": ["7", "10"], "seed": 0}, compute)
    assert compute.calls == 1
    for results in (first, again):
        pd.testing.assert_frame_equal(results, MEASURED, check_exact=True)


@pytest.mark.parametrize(
    "identity", [{}, {"seed": 1}, {"seed": 0, "folds": 10}, {"seed": None}, {"folds": 0}]
)
def test_kept_results_of_another_identity_are_computed_anew(tmp_path, compute, identity):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    runs.kept(path, identity, compute)
    runs.kept(path, identity, compute)
    assert compute.calls == 2


def test_table_behind_kept_results_is_compared_by_content(tmp_path, compute):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"source": Source(**SOURCE)}, compute)
    moved = {
        **SOURCE,
        "path": "copy.csv",
        "sha256": "b" * 64,
        "fingerprint": [1.0, 2.0, 3.0, 4.001],
    }
    runs.kept(path, {"source": Source(**moved)}, compute)
    assert compute.calls == 1
    runs.kept(path, {"source": Source(**{**SOURCE, "fingerprint": [1.0, 2.0, 3.0, 5.0]})}, compute)
    assert compute.calls == 2


def test_process_killed_while_it_keeps_results_leaves_none_of_another_identity(
    tmp_path, compute, monkeypatch
):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(provenance, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        runs.kept(path, {"seed": 1}, compute)
    runs.kept(path, {"seed": 0}, compute)
    assert compute.calls == 3


def test_computation_that_fails_leaves_what_was_kept(tmp_path, compute):
    path = tmp_path / "measured.csv"
    runs.kept(path, {"seed": 0}, compute)
    with pytest.raises(ZeroDivisionError):
        runs.kept(path, {"seed": 1}, lambda: 1 / 0)
    runs.kept(path, {"seed": 0}, compute)
    assert compute.calls == 1


@pytest.mark.parametrize("empty", [pd.DataFrame(), MEASURED.head(0)], ids=["no columns", "no rows"])
def test_nothing_measured_is_kept_too(tmp_path, empty):
    for _ in range(2):
        results = runs.kept(tmp_path / "measured.csv", {}, lambda: empty)
        assert results.empty
        assert list(results) == list(empty)


PREDICTIONS = pd.DataFrame(
    {
        "filename": ["blues.00000.0.wav", "metal.00000.0.wav"] * 2,
        "part": ["train", "train", "test", "test"],
        "label": ["blues", "metal"] * 2,
        "predicted": ["blues", "metal", "metal", "metal"],
    }
)


def test_seeds_of_a_run_are_those_that_differ_in_nothing_else(tmp_path):
    run = tmp_path / "rows/7"
    fake_run(run, PREDICTIONS)
    copy = {**SOURCE, "path": "copy.csv", "sha256": "b" * 64}
    other = {**SOURCE, "fingerprint": [0.0, 0.0, 0.0, 0.0]}
    for seed, table, changed in (
        (1, SOURCE, {"redraw": []}),  # an earlier version's parameter, without effect
        (2, copy, {}),
        (3, other, {}),
        (4, SOURCE, {"learning_rate": 0.003}),
        (5, SOURCE, {"redraw": [40]}),
    ):
        folder = tmp_path / f"seeds/{seed}/7"
        fake_run(folder, PREDICTIONS, source=table, seed=seed, **changed)
    fake_run(tmp_path / "seeds/1/6", PREDICTIONS, seed=1)
    same = [run, tmp_path / "seeds/1/7", tmp_path / "seeds/2/7"]
    assert runs.with_seeds(run) == same


def test_row_10_comes_after_row_9():
    names = ["10", "9b", "b128", "9", "b20"]
    assert sorted(names, key=runs.natural_key) == ["9", "9b", "10", "b20", "b128"]
