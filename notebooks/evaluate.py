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
# Which genres does the model recognise, and which does it take for which? This is the paper's
# Methodology F with its confusion matrices and its chart of precision, recall and F1.

# %% tags=["parameters"]
results: str = ""  # folder of a finished training; empty: the newest under reports/manual/

# %%

from music_genre import params
from music_genre.metrics import classification
from music_genre.models import runs
from music_genre.report import display
from music_genre.report.figures import evaluate as figures

folder = params.run_folder(params.check("evaluate", globals()).results)
result, history, predictions = runs.load(folder)
source = runs.source(result)

# %% tags=["banner"]
display.banner(source)
display.say(runs.describe(result, folder))

# %% [markdown]
# ## Accuracy, precision, recall, F1
#
# In per cent; precision, recall and F1 are means over genres, each genre counting alike. The
# paper evaluates on its test dataset and does not say which rows that holds; the training rows
# stand beside the test rows for comparison.

# %%
display.table(runs.parts(result), "Scores on training and test segments.", source)

# %% [markdown]
# ## Confusion matrix
#
# Each row is a true genre, each column what the model said; colour is the share of the row.

# %%
test = predictions[predictions["part"] == "test"]
number = result["paper"].get("confusion_figure")
display.figure(
    figures.confusion(classification.confusion(test["label"], test["predicted"])),
    "Confusion matrix"
    + (f" (the paper's Fig. {number})" if number else "")
    + f" after {result['epochs_run']} epochs; {len(test):,} test segments.",
    source,
)

# %% [markdown]
# ## Genre by genre

# %%
scores = classification.per_genre(test["label"], test["predicted"])
display.figure(
    figures.per_genre(scores),
    "Precision, recall and F1 by genre (another reading of the paper's Fig. 15); "
    f"{len(test):,} test segments.",
    source,
)
display.table(scores, f"Scores by genre; {len(test):,} test segments.", source)

# %%
display.say(classification.most_confused(test["label"], test["predicted"]))
