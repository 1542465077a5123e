"""The sections of a report in their order: what plan, page and tests read. Standard library only.

To add one, write its notebook and add an entry here: to the report on the paper, to that on a
collection of one's own, or to both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Section:
    """A part of the page: one notebook, or some notebooks of each row of the table."""

    name: str  # of its notebook
    # The notebook's parameters; {folder} is the report's, and {rows}, {recipes}, {splits} are the
    # names of what it shows. `features` and `extracted` are given to each notebook that has them.
    given: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()  # the groups of trainings and fits whose results it shows
    asked_by: str = ""  # the option without which it is left out: "recipes" or "splits"
    splits: tuple[str, ...] = ()  # all of these must be asked for, too
    fits: bool = False  # its notebook trains what it shows, and that can fail as a training can
    of_paper: bool = False  # left out where no row says what the paper reports
    per_row: tuple[str, ...] = ()  # the notebooks that each row has instead
    shared_of: str = ""  # the section of whose notebooks it shows what all rows share
    there: str = ""  # left out where this folder of the report holds no finished training
    stands_alone: bool = False  # it has something to show also where every training failed


_ROWS = Section("rows", per_row=("train", "evaluate"))
_EXPLORE, _FEATURES = Section("explore"), Section("features")
_MODEL = Section("model", shared_of="rows")

# Of the report on the paper: on GTZAN, and on the embedded sample.
SECTIONS = (
    Section(
        "table1",
        given={"results": "{folder}/rows", "rows": "{rows}"},
        needs=("rows", "seeds"),
    ),
    _ROWS,
    Section(
        "explanations",
        given={"results": "{folder}/rows", "rows": "{rows}", "printed": "{table}"},
        needs=("rows", "seeds", "recipes"),
        of_paper=True,
    ),
    Section(
        "leakage",
        given={"results": "{folder}/splits", "splits": "{splits}"},
        needs=("splits",),
        asked_by="splits",
    ),
    Section(
        "recipes",
        given={"results": "{folder}/recipes", "trainings": "{recipes}", "printed": "{table}"},
        needs=("recipes",),
        asked_by="recipes",
    ),
    Section(
        "claims",
        given={"results": "{folder}"},
        needs=("rows", "recipes", "claims"),
        asked_by="recipes",
    ),
    Section("beyond", given={"results": "{folder}/beyond"}, there="beyond"),
    _EXPLORE,
    _FEATURES,
    _MODEL,
    Section(
        "errors",
        given={"results": "{folder}"},
        needs=("rows", "splits", "shuffled"),
        asked_by="splits",
    ),
    Section(
        "similar",
        given={"results": "{folder}"},
        needs=("splits",),
        asked_by="splits",
    ),
    Section(
        "contradictions",
        given={"results": "{folder}", "rows": "{rows}"},
        needs=("rows", "seeds", "recipes", "claims"),
        of_paper=True,
    ),
    Section(
        "use",
        given={"splits": "track artist", "output": "{folder}/use"},
        asked_by="splits",
        splits=("track", "artist"),
        fits=True,
    ),
)

# Of the report on a collection that is not GTZAN.
COLLECTION = (
    Section(
        "collection",
        given={"results": "{folder}", "rows": "{rows}"},
        needs=("rows", "seeds"),
        stands_alone=True,
    ),
    _EXPLORE,
    _FEATURES,
    _ROWS,
    _MODEL,
    Section("errors", given={"results": "{folder}"}, needs=("rows",)),
)
