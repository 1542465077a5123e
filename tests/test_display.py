"""What the sentences of a notebook are filled in with."""

import pytest

from music_genre.report import display


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["4"], "row 4"),
        (["1", "2"], "rows 1 and 2"),
        (["1", "2", "3", "5", "6", "mine"], "rows 1-3, 5, 6 and mine"),
        (["1", "3", "4", "5"], "rows 1 and 3-5"),
        (["9", "10", "11"], "rows 9-11"),
    ],
)
def test_names_in_a_row_are_a_range(monkeypatch, names, shown):
    said = []
    monkeypatch.setattr(display, "display", lambda markdown: said.append(markdown.data))
    display.say('{{ names | ranges("row") }}', names=names)
    assert said == [shown]
