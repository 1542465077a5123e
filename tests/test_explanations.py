"""Ways to measure that may explain Table I, checked by brute force and by hand."""

import numpy as np
import pandas as pd
import pytest
from conftest import fake_run

from music_genre.analysis import explanations, recipes
from music_genre.data import find, splits, table
from music_genre.metrics.classification import NAMES, score
from music_genre.models import dense, runs
from music_genre.paths import ROOT
from music_genre.report.figures import explanations as figures

GENRES = np.array(["blues", "metal", "rock"])


def predicted(right_on_test, right_on_training, *, n=300, seed=0):
    """Return predictions of n segments, a third of them tested, with these shares correct."""
    random = np.random.default_rng(seed)
    label = np.repeat(GENRES, n // 3)
    part = np.tile(["test", "train", "train"], n // 3)
    other = GENRES[(np.searchsorted(GENRES, label) + 1) % 3]
    right = random.random(n) < np.where(part == "test", right_on_test, right_on_training)
    return pd.DataFrame(
        {
            "filename": [f"{genre}.{i:05d}.0.wav" for i, genre in enumerate(label)],
            "part": part,
            "label": label,
            "predicted": np.where(right, label, other),
        }
    )


def test_a_model_is_measured_on_four_sets_of_segments():
    of = predicted(0.6, 0.9)
    measured = explanations.measure(of)
    for name, part in {"test": "test", "training": "train"}.items():
        expected = score(of["label"][of["part"] == part], of["predicted"][of["part"] == part])
        assert measured.loc[name, NAMES].to_dict() == pytest.approx(expected)
    assert measured["segments"].to_list() == [100, 200, 300, 99]
    assert measured.loc["all", "accuracy"] == pytest.approx(
        (measured.loc["test", "accuracy"] + 2 * measured.loc["training", "accuracy"]) / 3
    )


def test_re_drawn_third_is_what_drawing_it_gives():
    # Brute force: draw a third of the segments without stratifying and score it, many times.
    of = predicted(0.6, 0.9)
    random, drawn = np.random.default_rng(1), []
    for _ in range(400):
        third = of.iloc[random.choice(len(of), 99, replace=False)]
        drawn.append(score(third["label"], third["predicted"]))
    drawn = pd.DataFrame(drawn)
    measured = explanations.measure(of).loc["re-drawn"]
    for name in NAMES:
        assert measured[name] == pytest.approx(drawn[name].mean(), abs=0.7)
        assert measured[f"{name} SD"] == pytest.approx(drawn[name].std(), rel=0.15)
    # The accuracy's deviation is known: sampling without replacement.
    share = explanations.measure(of).loc["all", "accuracy"] / 100
    exact = 100 * np.sqrt(share * (1 - share) / 99 * (300 - 99) / 299)
    assert measured["accuracy SD"] == pytest.approx(exact, rel=0.05)


def test_a_genre_that_is_never_predicted_scores_as_elsewhere():
    of = predicted(0.5, 0.5).assign(predicted="blues")
    measured = explanations.measure(of)
    assert measured.loc["re-drawn", "precision"] == pytest.approx(100 / 9, abs=0.3)
    assert measured.loc["all", "f1"] == pytest.approx(100 * (2 * 100 / (100 + 300)) / 3)


@pytest.fixture
def paper():
    return recipes.paper_rows(ROOT / "params" / "table1")


def test_leap_is_where_only_the_epochs_differ(paper):
    # Rows 3 and 4 differ by 14.86 points, but in their batch sizes too; rows 5 and 6 by 18.14.
    assert explanations.leap(paper) == "6"
    assert explanations.leap(paper.loc[["1", "4"]]) == "4"
    assert explanations.leap(paper.drop(index=["6", "7"])) == "2"


@pytest.fixture
def rows(tmp_path):
    """Write rows that clean tests meet until the leap, and a re-drawn third from then on."""
    folder = tmp_path / "rows"
    test = [0.33, 0.46, 0.57, 0.72, 0.73, 0.75, 0.75]
    training = [0.34, 0.48, 0.65, 0.9, 0.96, 0.995, 1.0]
    for row, (one, other) in enumerate(zip(test, training, strict=True), start=1):
        for seed in range(3):
            run = folder / str(row) if not seed else tmp_path / "seeds" / str(seed) / str(row)
            fake_run(run, predicted(one, other, n=3000, seed=10 * row + seed), seed=seed)
    return folder


def test_standard_deviation_pools_seeds_and_adds_draws(rows):
    measured = explanations.of_rows(rows, ["1", "2"])
    assert measured.groupby(["row", "measure"]).size().to_list() == [3] * 8
    scores = explanations.over_seeds(measured)
    by_row = measured[measured["measure"] == "test"].groupby("row")["accuracy"]
    assert scores.loc[("1", "test"), "accuracy"] == pytest.approx(by_row.mean()["1"])
    pooled = np.sqrt(by_row.var().mean())  # as many seeds in each row
    assert scores.loc[("1", "test"), "accuracy SD"] == pytest.approx(pooled)
    assert scores.loc[("2", "test"), "accuracy SD"] == pytest.approx(pooled)
    drawn = measured[measured["measure"] == "re-drawn"].set_index(["row", "seed"])
    over = drawn["accuracy"].groupby("row").var().mean()
    within = drawn["accuracy SD"].loc["1"].mean() ** 2
    assert scores.loc[("1", "re-drawn"), "accuracy SD"] == pytest.approx(np.sqrt(over + within))


def test_one_seed_has_no_standard_deviation(rows):
    measured = explanations.of_rows(rows, ["1", "2"])
    scores = explanations.over_seeds(measured[measured["seed"] == 0])
    assert scores["accuracy SD"].isna().all()


def test_switch_of_the_measure_is_what_fits_rows_made_that_way(rows, paper):
    scores = explanations.over_seeds(explanations.of_rows(rows, list(paper.index)))
    later = ["6", "7"]
    explained = explanations.explanations(scores, scores, later)
    assert explained["then re-drawn"].loc["5"].equals(scores.loc[("5", "test")].rename("5"))
    assert explained["then re-drawn"].loc["6"].equals(scores.loc[("6", "re-drawn")].rename("6"))
    summary = explanations.summary(explained, paper)
    assert summary["accuracy"].idxmin() in {"then re-drawn", "then all"}  # all but the same
    by_hand = (scores.xs("test", level="measure")["accuracy"] - paper["accuracy"]).abs().mean()
    assert summary.loc["test", "accuracy"] == pytest.approx(by_hand)
    apart = {name: explanations.compare(of, paper) for name, of in explained.items()}
    found = explanations.verdict(apart, later)
    assert found["fits"]
    assert found["clean"] > 15
    assert found["nearest"] < 1.5
    # Rows 1 to 3 print a precision far above the recall, which nothing here gives.
    assert set(summary.loc["then re-drawn", "unexplained"]) >= {"1", "2", "3"}
    measured = explanations.of_rows(rows, list(paper.index))
    ahead = explanations.ahead(measured, measured, paper)
    assert ahead["rows"] == ["1", "2", "3"]
    assert ahead["paper"] == pytest.approx(55.47 - 33.16)
    assert ahead["ours"] < 5


def test_a_row_is_explained_where_all_scores_are_near_and_framed_there(rows, paper):
    scores = explanations.over_seeds(explanations.of_rows(rows, ["6", "7"]))
    test = scores.xs("test", level="measure")
    near = paper.assign(**{name: test[name] + 2 * test[f"{name} SD"] for name in NAMES})
    near.loc["7", "recall"] += 2 * test.loc["7", "recall SD"]  # four of them off
    apart = explanations.compare(test, near)
    fits = explanations.explains(apart)
    assert fits.to_dict() == {"6": True, "7": False}
    (ax,) = figures.strips({"test": apart}, {"test": fits}, paper, {"test": "clean"}).axes
    assert sum(not cell.get_fill() for cell in ax.patches) == 1
    unknown = explanations.compare(test.assign(**{f"{name} SD": np.nan for name in NAMES}), near)
    assert not explanations.explains(unknown).any()


def test_differences_between_scores_are_compared_with_those_of_draws(rows, paper):
    dense_measured = explanations.of_rows(rows, ["6"]).assign(precision=80.0, recall=79.0, f1=79.5)
    printed = paper.assign(precision=paper["recall"] + 5, f1=paper["recall"])
    found = explanations.differences(rows, ["6"], printed, dense_measured).set_index("scores")
    far = found.loc["precision less recall"]
    assert far["printed"] == pytest.approx(5)
    assert far["re-drawn, %"] == 0
    assert far[["dense, lowest", "dense, highest"]].to_list() == pytest.approx([1, 1])
    near = found.loc["recall less F1"]
    assert 1 < near["re-drawn, %"] <= 100


def test_a_model_that_knows_its_training_segments_fits_a_re_drawn_third_easily(rows, paper):
    scores = explanations.over_seeds(explanations.of_rows(rows, ["6", "7"]))
    found = explanations.by_heart(scores, paper, ["6", "7"])
    assert found["training"] == 100
    # A third of 66 to 84 % and two thirds of 100 % are 88.8 to 94.8 %.
    assert 0.33 * found["low"] + 67 == pytest.approx(91.78 - 3)
    assert 0.33 * found["high"] + 67 == pytest.approx(91.78 + 3)
    assert explanations.by_heart(scores, paper, []) is None


def test_rows_that_no_explanation_fits():
    assert explanations.in_all([["1", "2", "6"], ["1", "6"], ["6", "1", "7"]]) == ["1", "6"]


def test_no_verdict_for_the_switch_where_clean_tests_fit(rows, paper):
    scores = explanations.over_seeds(explanations.of_rows(rows, list(paper.index)))
    honest = scores.xs("test", level="measure")[NAMES]
    explained = explanations.explanations(scores, scores, ["6", "7"])
    apart = {name: explanations.compare(of, honest) for name, of in explained.items()}
    assert not explanations.verdict(apart, ["6", "7"])["fits"]


def test_lookup_takes_the_genre_of_the_nearest_training_segment(few_rows):
    twice = pd.concat([few_rows, few_rows], ignore_index=True)
    accuracies = explanations.lookup(twice, "segment", seeds=[0, 1])
    for seed, accuracy in accuracies.items():
        test = splits.split(twice, "segment", test_size=0.33, seed=seed) == "test"
        half = np.arange(len(twice)) % len(few_rows)
        copied = np.isin(half[test], half[~test])
        assert accuracy >= 100 * copied.mean()  # an equal segment was trained on


def test_dense_network_is_measured_at_the_rows(few_rows, paper):
    epochs = {128: [1, 2], 220: [1]}
    of_dense = explanations.of_dense(few_rows, epochs=epochs, seeds=[0, 1])
    assert set(of_dense["measure"]) == set(explanations.MEASURES)
    rows = paper.head(2).assign(epochs=[1, 2])
    at = explanations.at_rows(of_dense, rows)
    assert at.groupby(["row", "measure"]).size().to_list() == [2] * 8  # a line for each seed


@pytest.fixture
def kept_dense(rows):
    """Keep made-up scores of a dense network, so that none is trained."""

    def keep(source, paper, accuracy):
        epochs = {size: sorted(set(of["epochs"])) for size, of in paper.groupby("batch_size")}
        lines = [
            {"batch_size": size, "epoch": epoch, "seed": seed, "measure": measure, "segments": 9,
             **dict.fromkeys(NAMES, accuracy), **{f"{name} SD": 0.0 for name in NAMES}}
            for size, several in epochs.items() for epoch in several for seed in range(3)
            for measure in explanations.MEASURES
        ]  # fmt: skip
        runs.kept(
            rows.parent / "explanations" / "dense.csv",
            dense.identity(source, epochs=epochs, seeds=[0, 1, 2]),
            lambda: pd.DataFrame(lines),
        )

    return keep


@pytest.mark.parametrize("rows_shown", ["", "1 2", "7"])
def test_notebook_says_what_fits_and_nothing_that_was_not_measured(
    rows, kept_dense, paper, run_here, rows_shown
):
    sample = str(find.SAMPLE_TABLE)
    kept_dense(table.load(sample)[1], paper, 91.5)
    said = run_here("explanations", results=str(rows), rows=rows_shown, features=sample)
    assert "nan" not in said
    assert "None" not in said
    assert "- \n" not in said
    assert "Not measured in this report" in said  # models trained on over re-drawn splits
    assert "**All segments** are excluded in rows 1-4 and 6" in " ".join(said.split())
    assert "On the sample nothing can be said about the paper." in said
