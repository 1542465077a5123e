# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which recipe explains Table I?
#
# The paper prints ReLU and learning rates of 1e-2 and 1e-1 for its Table I. Do these settings give
# its accuracies, and if not, which do? Each training of this study is a curve of accuracy over
# epochs. Each row of Table I is a point that the curve of its batch size should meet.

# %% tags=["parameters"]
results: str = ""  # folder with one finished training per recipe; empty: reports/table1/recipes
trainings: str = ""  # names of those to show, with spaces between; empty: all in the folder
printed: str = "table1"  # folder under params/ whose rows say what the paper reports
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample

# %%
from music_genre import params
from music_genre.analysis import decimals, recipes
from music_genre.data import table
from music_genre.models import dense, runs
from music_genre.paths import ROOT
from music_genre.report import display
from music_genre.report.figures import recipes as figures

given = params.check("recipes", globals())
folder = params.report_folder(given.results, "recipes")
paper = recipes.paper_rows(ROOT / "params" / given.printed)
trained, curves = recipes.load(folder, given.trainings.split())
source = recipes.source(trained)

# %% [markdown]
# ## What the printed numbers tell
#
# An accuracy is a whole number of segments divided by all segments measured, so its decimals carry
# information. Before any training: on which parts of the published table can the accuracies of
# Table I have been measured?

# %%
parts = decimals.granularity(paper["accuracy"])
display.table(
    parts.drop(columns="telling").rename(
        columns={
            "part": "segments measured",
            "held_out": "held out, %",
            "possible": f"possible, of {len(paper)}",
            "chance": "by chance, %",
        }
    ),
    f"Parts of the published table of {decimals.PUBLISHED_SEGMENTS.sum():,} segments: how many of "
    "Table I's accuracies are possible on that many segments, and by chance: how many of the sizes "
    "within a tenth of it make all of them possible.",
    "computed from the paper's Table I alone",
    decimals=1,
)

# %%
fits = parts[parts["possible"] == len(paper)]
gaps, limit = decimals.recall_gaps(paper), decimals.widest_recall_gap()
excluded = gaps.index[gaps > limit].to_list()  # rows whose recall all segments cannot give
display.say(
    """
    {% for part in telling %}
    - **Decimals.** Of {{ tried }} parts, the {{ part.segments | count }} {{ part.part }} segments
      of a split with {{ part.held_out }} % held out stand out: all {{ n }} accuracies are possible
      there, and only {{ part.chance | fixed(1) }} % of similar sizes allow all of them.
    {% else %}
    - **Decimals.** No part stands out: none makes all {{ n }} accuracies possible where few similar
      sizes would.
    {% endfor %}
    {% if others %}
      {{ others }} other part{{ "s allow" if others > 1 else " allows" }} all of them too, but that
      says little: at least {{ common | fixed(1) }} % of similar sizes do.
    {% endif %}
    {% if excluded %}
    - **Recall.** Macro recall equals accuracy where all genres have the same number of segments.
      On the whole published table the two can differ by at most {{ limit | fixed(2) }} points. As
      printed they differ by up to {{ widest | fixed(2) }} points (row {{ widest_row }}) and by more
      than that limit in {{ excluded | ranges("row") }}. So the paper measured neither on the whole
      published table nor on a part of it in which every genre keeps its share, as genres do in the
      splits here.
    {% endif %}
    """,
    n=len(paper),
    tried=len(parts),
    telling=parts[parts["telling"]].to_dict("records"),
    others=len(fits) - parts["telling"].sum(),
    common=fits["chance"][~fits["telling"]].min(),
    excluded=excluded,
    limit=limit,
    widest=gaps.max(),
    widest_row=gaps.idxmax() if excluded else "",
)

# %% [markdown]
# ## Trainings
#
# One training for each recipe and batch size, with seed 0 and the last epoch's weights. All are on
# one split of segments, except those *re-split*: there the split is drawn again after the epochs
# named and the same model is trained on, so that it is tested on segments that it was trained on.
# This happens in a notebook session where the cell that splits is run again and the one that builds
# the model is not; the notebook `resplit` trains such a model. Some trainings end early to save
# time: a row that they do not reach is a dash, and a recipe that lacks a row is not scored.

# %%
points = recipes.points(trained, curves, paper)
display.table(
    recipes.by_training(trained, points),
    "Accuracy in per cent on test segments / on training segments (while the epoch ran, as Keras "
    "reports it), at the epochs of Table I's rows.",
    source,
)

# %%
display.figure(
    figures.recipes(trained, curves, paper),
    "Accuracy over the epochs of every training, on test and on training segments, with the "
    "accuracies of Table I as numbered diamonds.",
    source,
)

# %%
highest = recipes.highest(trained, points)
display.table(
    highest.drop(columns="short").rename(columns={"test": "highest here"}),
    "Table I's accuracies and the highest that any training reaches there on test segments.",
    source,
)
display.say(
    """
    {% if missed %}
    On test segments, no training reaches the paper's accuracy in {{ missed | ranges("row") }}. The
    best falls short by {{ least | fixed(1) }}
    {{- " to " ~ (most | fixed(1)) if missed | length > 1 }} points.
    {% else %}
    On test segments, some training reaches the paper's accuracy in every row.
    {% endif %}
    """,
    missed=highest["row"][highest["short"] > 0].to_list(),
    least=highest["short"][highest["short"] > 0].min(),
    most=highest["short"].max(),
)

# %% [markdown]
# ## Distances
#
# A recipe has one training for each batch size; it may change with the batch size, as the printed
# rate does. Its distance is the mean absolute difference between its accuracy and the printed one
# over Table I's rows, in percentage points. The paper does not say which segments its accuracies
# belong to, so there are three distances: from the accuracy on test segments, on training segments
# (while the epoch ran), and on all.

# %%
scored = recipes.score(trained, points, paper)
nearest = recipes.nearest(scored)
yes_no = {True: "yes", False: "no"}
display.table(
    nearest.assign(resplit=nearest["resplit"].map(yes_no)).rename(
        columns={"measure": "segments", "resplit": "re-split"}
    ),
    "The recipe nearest to Table I, if its accuracies are those of test, training or all segments: "
    "with a fresh model for every row, and with one model trained on over re-drawn splits.",
    source,
)

# %%
display.say(
    """
    {% if printed is not none %}
    - **The printed settings** are {{ printed.test | fixed(1) }} points from Table I on test
      segments{{ ", the farthest" if printed.name + 1 == n else ", rank %d" % (printed.name + 1) }}
      of {{ n }} recipes.
    {% endif %}
    {% for resplit, away in distances.items() %}
    - **With {{ "one model over re-drawn splits" if resplit else "a fresh model for every row" }}**,
      the nearest recipe is {{ away.test | fixed(1) }} points away on test segments,
      {{ away.training | fixed(1) }} on training segments and {{ away.all | fixed(1) }} on all.
    {% if resplit %}
      Its test accuracy says little about segments that a model has never met. And we chose the
      epochs of the new draws with Table I in view, so part of the nearness is built in.
    {% endif %}
    {% endfor %}
    {% if excluded and closest == "all" %}
    - **Which segments?** The accuracy on all segments comes nearest, but the printed recall of
      {{ excluded | ranges("row") }} excludes it.
    {% endif %}
    - **How strong this is.** Each recipe was trained once, with one seed. A test accuracy here is
      known to about {{ margin | fixed(1) }} points either way (half a 95 % confidence interval over
      tracks, the median of all trainings), and another seed moves it too. Recipes whose distances
      differ by a point or so cannot be ranked.
    """,
    printed=recipes.as_printed(scored, paper),
    n=len(scored),
    distances=nearest.pivot(index="resplit", columns="measure", values="distance").to_dict("index"),
    closest=nearest.loc[nearest["distance"].idxmin(), "measure"],
    excluded=excluded,
    margin=recipes.margin(trained),
)

# %%
display.table(
    scored.assign(**{name: scored[name].map(yes_no) for name in ("constant", "resplit")}).rename(
        columns={"resplit": "re-split"}
    ),
    "All recipes that cover every row, nearest to Table I by test accuracy first: whether the "
    "recipe is the same for all batch sizes, and its distances in points.",
    source,
)

# %% [markdown]
# ## Another network
#
# The paper's text has ReLU in all hidden layers and dropout, and the decimals suggest that a third
# of the segments was held out. Dense networks are often trained on the features table in that way.
# How accurate is one, without any LSTM, at the epochs and batch sizes of Table I?

# %%
epochs = paper.groupby("batch_size")["epochs"].max().to_dict()
segments, measured_on = table.load(given.features)
measured = runs.kept(
    folder / "dense.csv",
    dense.identity(measured_on, epochs=epochs, seed=0),
    lambda: dense.curves(segments, epochs=epochs, seed=0),
)

# %%
compared = recipes.compare_at_rows(measured, paper)
differences = compared.set_index("row")["difference"]
is_near = differences.abs() <= recipes.NEAR
display.table(
    compared,
    f"Table I's accuracies and those of a dense network of {', '.join(map(str, dense.UNITS))} "
    f"units with ReLU and dropout {dense.DROPOUT} after each, on the same split, in per cent; the "
    "difference is its test accuracy minus the paper's, in points.",
    measured_on,
)
display.say(
    """
    On test segments the dense network lies within {{ within }} points of the paper in
    {{ near | ranges("row") if near else "no row" }}.
    {% if far | length %}
    In {{ far.index | ranges("row") }} it differs by {{ far.min() | signed(1) }}
    {{- " to " ~ (far.max() | signed(1)) if far | length > 1 }} points.
    {% endif %}
    """,
    within=recipes.NEAR,
    near=differences[is_near].index.to_list(),
    far=differences[~is_near],
)

# %% [markdown]
# Where the two agree, the paper's accuracy is an ordinary one for this table split by segment. It
# does not follow that it came from such a network: settings that were not tried here may bring the
# LSTMs there.
