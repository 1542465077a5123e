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

# %% [markdown] tags=["once"]
# # Evaluate: what one trained row gets right
#
# Which genres does the model recognise, and is it as often right as it is sure?

# %% [markdown] tags=["once", "paper"]
# (The paper's Methodology F.)

# %% tags=["parameters"]
results: str = ""  # folder of a finished training; empty: your newest by hand, else a published one

# %%
from music_genre import params
from music_genre.analysis import table1
from music_genre.metrics import calibration, classification
from music_genre.models import runs
from music_genre.paths import display_path
from music_genre.report import display
from music_genre.report.figures import evaluate as figures

given = params.check("evaluate", globals())
folder = params.run_folder(given.results)
result, _, predictions = runs.load(folder)
source = runs.source(result)
test = predictions[predictions["part"] == "test"]
seed = result["parameters"]["seed"]

# %% tags=["banner"]
display.banner(source)
display.results(folder, given.results, made_by="notebooks/train.ipynb")
display.say(
    """
    The training in {{ folder | code }}: {{ epochs_run }} of {{ given.epochs }} epochs, batch size
    {{ given.batch_size }}, learning rate {{ "%g" % given.learning_rate }}, {{ given.activation }},
    dropout {{ "%g" % given.dropout }}, split by {{ given.split }}, seed {{ given.seed }}
    {{- ", shuffled columns" if given.shuffle_columns }}.
    {% if diverged %}
    **Its loss became NaN or infinite in the last of these epochs: the scores are those of a broken
    model.**
    {% endif %}
    """,
    folder=display_path(folder),
    epochs_run=result["epochs_run"],
    diverged=result["diverged"],
    given={"shuffle_columns": False, **result["parameters"]},  # earlier runs lack it
)

# %% [markdown] tags=["fold", "once"]
# ## Accuracy, precision, recall, F1
#
# Precision, recall and F1 are means over the genres; every genre counts alike. A row's figures are
# those of its first seed.

# %% [markdown] tags=["once", "paper"]
# Table I has the means over the seeds. The paper evaluates on its test dataset and does not say
# which segments that holds.

# %%
display.table(table1.of_run(result), "row-scores", f"Scores in per cent, seed {seed}.")

# %% [markdown] tags=["fold", "once"]
# ## Confusion matrix
#
# True genres run down, predicted genres across. The colour is the share of the true genre's
# segments.

# %%
number = result["paper"].get("confusion_figure")
pairs = classification.confused_pairs(test["label"], test["predicted"])
display.figure(
    figures.confusion(classification.confusion(test["label"], test["predicted"])),
    "confusion",
    "Confusion matrix"
    + (f" (the paper's Fig. {number})" if number else "")
    + f": {len(test):,} test segments, true genres down, predicted ones across.",
    alt=f"{result['parts']['test']['accuracy']:.1f} % of the segments are on the diagonal. "
    + (
        "Most often confused: "
        + ", ".join(
            f"{pair.label} taken for {pair.predicted} ({100 * pair.share:.0f} % of its segments)"
            for pair in pairs.itertuples()
        )
        + "."
        if len(pairs)
        else "All others are empty."
    ),
    data=classification.confusion(test["label"], test["predicted"]).reset_index(names="true"),
)

# %%
display.say(
    """
    {% for pair in pairs %}
    Most often confused: {{ (100 * pair.share) | fixed(0) }} % of the {{ pair.label }} segments were
    classified as {{ pair.predicted }}.
    {% else %}
    Every segment was classified correctly.
    {% endfor %}
    """,
    pairs=pairs[:1].to_dict("records"),
)

# %% [markdown] tags=["fold", "once"]
# ## Scores by genre
#
# The genre with the highest F1 is on top; the number of its test segments is on the right.

# %%
scores = classification.per_genre(test["label"], test["predicted"]).sort_values("f1")
lowest, highest = scores.iloc[0], scores.iloc[-1]
display.figure(
    figures.per_genre(scores),
    "by-genre",
    "Precision, recall and F1 by genre, on test segments.",
    alt=f"F1 is highest for {highest['genre']} ({highest['f1']:.1f} %) and lowest for "
    f"{lowest['genre']} ({lowest['f1']:.1f} %); precision is farthest above recall for "
    f"{scores.loc[(scores['precision'] - scores['recall']).idxmax(), 'genre']}, recall above "
    f"precision for {scores.loc[(scores['recall'] - scores['precision']).idxmax(), 'genre']}.",
    data=scores,
)

# %% [markdown] tags=["fold", "once"]
# ## Is it as often right as it is sure?
#
# The confidence of a prediction is the probability that the model gives to the genre that it
# predicts. Points under the dashed line are of a model that is more often sure than right. The
# expected calibration error is their mean distance from it, weighted by segments (Guo et al.,
# 2017).

# %%
bins = calibration.reliability(test)
if len(bins):
    error = calibration.expected_error(bins)
    surest = bins.iloc[-1]
    display.figure(
        figures.reliability(bins),
        "reliability",
        "Accuracy by confidence: the test segments in ten bins; expected calibration error "
        f"{error:.1f} points.",
        alt=f"Accuracy is below the confidence in {(bins['accuracy'] < bins['confidence']).sum()} "
        f"of {len(bins)} bins. In the highest, with {surest['segments']:,.0f} segments, the mean "
        f"confidence is {surest['confidence']:.1f} % and the accuracy {surest['accuracy']:.1f} %.",
        data=bins,
    )
