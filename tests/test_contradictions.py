"""The paper against itself: its own numbers beside ours."""

from test_recipes import trained
from test_table1 import PAPER, run

from music_genre.analysis import contradictions, table1


def test_each_place_names_what_was_measured(tmp_path):
    for name, accuracy in (("1", 45.0), ("2", 60.0), ("7", 66.0)):
        run(tmp_path / "rows", name, accuracy, paper=PAPER, train=97.0)
    recipes = tmp_path / "recipes"
    trained(recipes, "a", 128, [0.1, 0.107], [0.1, 0.1], activation="relu", learning_rate=0.01)
    trained(recipes, "e", 128, [0.5, 0.1], [0.5, 0.1], activation="relu", learning_rate=0.1)
    trained(recipes, "b", 220, [0.1], [0.1], activation="relu", learning_rate=0.1)
    trained(recipes, "c", 220, [0.7, 0.915], [0.9, 0.99], resplit_after=[1])
    trained(recipes, "d", 128, [0.3, 0.11, 0.2], [0.3, 0.1, 0.2], learning_rate=0.01)
    rows = table1.load(tmp_path / "rows")
    table = contradictions.contradictions(rows, recipes).set_index("the paper says")[
        "measured here"
    ]
    assert table["Accuracy 0.4626 after 7 epochs, batch size 128"] == (
        "row 1: 45.00 % (95 % interval 0.00 to 100.00, which holds 46.26); "
        "row 2: 60.00 % (95 % interval 0.00 to 100.00, which holds 46.26)"
    )
    second = "Accuracy 0.5867 with batch size 220, epochs and learning rate as in experiment 2"
    assert table[second] == "not measured in this report"  # no training with 220 has 20 epochs
    assert table["Row 2: recall 46.36, F1 46.36"].startswith("row 2: recall ")
    assert table["All hidden layers use ReLU"] == (
        "rate 0.01, after epoch 2: relu 10.7 %, tanh 11.0 %"
    )
    assert "3,297 rows" in table["An accuracy of 91.78 %, on a testing set"]
    assert "66.00 % at most" in table["An accuracy of 91.78 %, on a testing set"]
    met = "tanh, rate 0.001, re-split after epoch 1: 91.50 %"
    assert met in table["An accuracy of 91.78 %, on a testing set"]
    printed = table["Learning rate 1e-2, later 1e-1"]
    assert "relu, rate 0.1: the loss is no number after epoch 1;" in printed
    assert "the loss is no number after epoch 2 (at best 50.0 %, after epoch 1)" in printed


def test_without_the_recipe_study_it_says_so(tmp_path):
    run(tmp_path / "rows", "1", 45.0, paper=PAPER)
    table = contradictions.contradictions(table1.load(tmp_path / "rows"), tmp_path / "recipes")
    assert table["measured here"].str.contains("TABLE=table1-as-printed").sum() == 1
    assert table["measured here"].str.contains("RECIPES=1").sum() == 2


def test_trainings_are_read_off_at_the_epoch_that_the_text_names(tmp_path):
    trained(tmp_path, "a", 220, [0.1] * 19 + [0.5867, 0.6], [0.1] * 21)
    trained(tmp_path, "b", 128, [0.1] * 20, [0.1] * 20)
    trained(tmp_path, "c", 220, [0.1] * 20, [0.1] * 20, resplit_after=[10])
    assert contradictions._at(tmp_path, batch_size=220, epoch=20) == (
        "after epoch 20, tanh, rate 0.001: 58.67 %"
    )
