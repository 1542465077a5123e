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
# # Evaluate: what one trained row gets right
#
# Which genres does the model recognise, and which does it mistake for which? This is the paper's
# Methodology F, with its confusion matrices and its chart of precision, recall and F1.

# %% tags=["parameters"]
results: str = ""  # folder of a finished training; empty: the newest under reports/manual/

# %%
from music_genre import params
from music_genre.metrics import classification
from music_genre.models import runs
from music_genre.paths import display_path
from music_genre.report import display
from music_genre.report.figures import evaluate as figures

folder = params.run_folder(params.check("evaluate", globals()).results)
result, _, predictions = runs.load(folder)
source = runs.source(result)
test = predictions[predictions["part"] == "test"]

# %% tags=["banner"]
display.banner(source)
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

# %% [markdown]
# ## Accuracy, precision, recall, F1
#
# In per cent. Precision, recall and F1 are means over the genres; every genre counts alike. The
# paper evaluates on its test dataset and does not say which segments that holds. The training
# segments are shown for comparison.

# %%
display.table(runs.parts(result), "Scores on training and test segments.", source)

# %% [markdown]
# ## Confusion matrix
#
# True genres run down, predicted genres across. The colour is the share of the true genre's
# segments.

# %%
number = result["paper"].get("confusion_figure")
display.figure(
    figures.confusion(classification.confusion(test["label"], test["predicted"])),
    "Confusion matrix"
    + (f" (the paper's Fig. {number})" if number else "")
    + f" after {result['epochs_run']} epochs; {len(test):,} test segments.",
    source,
)

# %%
display.say(
    """
    {% for pair in pairs %}
    {{ "Most often confused: " if loop.first -}}
    {{ (100 * pair.share) | fixed(0) }} % of the {{ pair.label }} segments were classified as
    {{ pair.predicted }} ({{ pair.segments | count }} segments){{ "." if loop.last else ";" }}
    {% else %}
    Every segment was classified correctly.
    {% endfor %}
    """,
    pairs=classification.confused_pairs(test["label"], test["predicted"]).to_dict("records"),
)

# %% [markdown]
# ## Scores by genre

# %%
scores = classification.per_genre(test["label"], test["predicted"])
display.figure(
    figures.per_genre(scores),
    "Precision, recall and F1 by genre (another reading of the paper's Fig. 15); "
    f"{len(test):,} test segments.",
    source,
)
display.table(scores, f"Scores by genre; {len(test):,} test segments.", source)
