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
# The paper prints ReLU and learning rates of 1e-2 and 1e-1. Do these settings give its accuracies,
# and if not, which do?

# %% tags=["parameters"]
results: str = ""  # folder of trainings; empty: reports/table1/recipes, else the published ones
trainings: str = ""  # names of those to show, with spaces between; empty: all in the folder
printed: str = "table1"  # folder under params/ whose rows say what the paper reports

# %%
from music_genre import params
from music_genre.analysis import explanations, recipes
from music_genre.paths import ROOT
from music_genre.report import display
from music_genre.report.figures import recipes as figures

given = params.check("recipes", globals())
folder = params.report_folder(given.results, "recipes")
paper = recipes.paper_rows(ROOT / "params" / given.printed)
trained, curves = recipes.load(folder, given.trainings.split())
measured = recipes.measure(folder, trained.index)
since = explanations.leap(paper)
points = recipes.points(trained, measured, paper)
highest = recipes.highest(trained, points[~points["name"].map(trained["resplit"])])
scored = recipes.score(trained, points, paper)
nearest = recipes.nearest(scored)
as_printed = recipes.as_printed(scored, paper)
distances = nearest.pivot(index="resplit", columns="measure", values="distance").to_dict("index")

# %%
display.results(folder, given.results, made_by="make report RECIPES=1")
display.say(
    """
    {% if printed is not none %}
    The printed settings are {{ printed.test | fixed(1) }} points from Table I on test segments
    {{- ", the farthest" if printed.name + 1 == n else ", rank %d" % (printed.name + 1) }} of
    {{ n }} recipes.
    {% endif %}
    {% if False in distances %}
    The nearest with a fresh model for every row is {{ distances[False].test | fixed(1) }} away.
    {% endif %}
    {% if missed %}
    **No training of a fresh model reaches the paper's accuracy on test segments in
    {{ missed | ranges("row") }}**: the best falls short by {{ least | fixed(1) }}
    {{- " to " ~ (most | fixed(1)) if missed | length > 1 }} points.
    {% else %}
    On test segments, some training of a fresh model reaches the paper's accuracy in every row.
    {% endif %}
    Each recipe was trained once, with one seed: distances that differ by a point or so cannot be
    ranked.
    """,
    printed=as_printed, n=len(scored), distances=distances,
    missed=highest["row"][highest["short"] > 0].to_list(),
    least=highest["short"][highest["short"] > 0].min(), most=highest["short"].max(),
)  # fmt: skip

# %%
ends = curves.groupby("name").last().loc[trained.index]
display.figure(
    figures.recipes(trained, curves, paper),
    "recipes-curves",
    f"Accuracy in per cent over the epochs of {len(trained)} trainings, one a panel: on test and, "
    "as Keras reports it while the epoch runs, on training segments. Grey: the others' test "
    "accuracies. Diamonds: the rows of Table I. Dotted: the split drawn again.",
    alt="; ".join(
        f"with batch size {size} the trainings end at {of['test'].min():.0f} to "
        f"{of['test'].max():.0f} % on test and {of['training'].min():.0f} to "
        f"{of['training'].max():.0f} % on training segments"
        for size, of in ends.groupby(trained["batch_size"])
    ).capitalize()
    + f". The highest row of Table I lies at {paper['accuracy'].max():.2f} %.",
    data=curves.assign(
        batch_size=curves["name"].map(trained["batch_size"]),
        recipe=curves["name"].map(trained["recipe"]),
    ),
)

# %% [markdown] tags=["fold"]
# ## The trainings in numbers
#
# Each training of this study is a curve of accuracy over epochs. Each row of Table I is a point
# that the curve of its batch size should meet.
#
# One training for each recipe and batch size, with seed 0 and the last epoch's weights. All are on
# one split of segments, except those *re-split*: there the split is drawn again after the epochs
# named and the same model is trained on, so that it is tested on segments that it was trained on.
# This happens in a notebook session where the cell that splits is run again and the one that builds
# the model is not; the notebook `resplit` trains such a model. Some trainings end early to save
# time: a row that they do not reach is a dash, and a recipe that lacks a row is not scored.
#
# The accuracy on all segments is what to expect on a third that is drawn anew after training (see
# the notebook `explanations`).

# %%
display.table(
    recipes.by_training(trained, points),
    "recipes-rows",
    "Every training at the epochs of Table I's rows: accuracy in per cent on test segments / on "
    "all segments (or a re-drawn third).",
)
display.table(
    recipes.measured_table(trained, measured),
    "recipes-measured",
    "Every training and epoch measured: accuracy in per cent on test, training and all segments; "
    "on a re-drawn third the mean over draws of accuracy, with its standard deviation over draws, "
    "and of macro precision, recall and F1.",
)
display.table(
    highest.drop(columns="short").rename(columns={"test": "highest here"}),
    "recipes-highest",
    "Table I's accuracies and the highest that any training reaches there: in per cent on test "
    "segments.",
)

# %% [markdown] tags=["fold"]
# ## Distances
#
# A recipe has one training for each batch size; it may change with the batch size, as the printed
# rate does. Its distance is the mean absolute difference between its accuracy and the printed one
# over Table I's rows, in percentage points. The paper does not say which segments its accuracies
# belong to, so there are four distances: on test segments, on training segments, on all (or a
# re-drawn third), and *switch*: on test segments until the printed accuracy leaps, on a re-drawn
# third from then on.

# %%
yes_no = {True: "yes", False: "no"}
display.table(
    nearest.assign(resplit=nearest["resplit"].map(yes_no)).rename(
        columns={"measure": "segments", "resplit": "re-split"}
    ),
    "recipes-nearest",
    "The recipe nearest to Table I: if its accuracies are those of test, training or all segments, "
    f"or of test segments and from row {since} on of a re-drawn third: with a fresh model for "
    "every row, and with one model trained on over re-drawn splits.",
)

# %%
display.say(
    """
    {% for resplit, away in distances.items() %}
    - **With {{ "one model over re-drawn splits" if resplit else "a fresh model for every row" }}**,
      the nearest recipe is {{ away.test | fixed(1) }} points away on test segments,
      {{ away.training | fixed(1) }} on training segments, {{ away.all | fixed(1) }} on all, and
      {{ away.switch | fixed(1) }} with the switch in row {{ since }}.
    {% if resplit %}
      Its test accuracy says little about segments that a model has never met. And we chose the
      epochs of the new draws with Table I in view, so part of the nearness is built in.
    {% endif %}
    {% endfor %}
    - **How strong this is.** Each recipe was trained once, with one seed. A test accuracy here is
      known to about {{ margin | fixed(1) }} points either way (half a 95 % confidence interval over
      tracks, the median of all trainings), and another seed moves it too. Recipes whose distances
      differ by a point or so cannot be ranked.
    """,
    distances=distances,
    since=since,
    margin=recipes.margin(trained),
)

# %%
display.table(
    scored.assign(**{name: scored[name].map(yes_no) for name in ("constant", "resplit")}).rename(
        columns={"resplit": "re-split"}
    ),
    "recipes-all",
    "All recipes that cover every row: nearest to Table I by test accuracy first; whether the "
    "recipe is the same for all batch sizes, and its distances in points.",
)
