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
# # Baselines: what simpler models get right
#
# Does it take three LSTMs? The paper names other methods without running them. Here they, and
# what one would try first, learn from the same 58 numbers and are tested on the same rows.

# %% tags=["parameters"]
split: str = "segment"  # segment (the paper's: tracks on both sides), track, or artist (published)
test_size: float = 0.33  # share of rows held out, above 0 and below 1; not for split artist
seed: int = 0  # of the split (not artist) and of each model
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
output: str = ""  # folder for the results; empty: a new one under reports/manual/

# %%
import sys

from tqdm import tqdm

from music_genre import params
from music_genre.data import find, splits, table
from music_genre.models import baselines
from music_genre.report import display

run = params.check("baselines", globals())
rows, source = table.load(run.features)

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## Split
#
# Hyperparameters are chosen on the validation rows where the split has some, else on three folds of
# the training rows, each with whole tracks on one side; the test rows have no say in them, nor in
# the scaling.

# %%
table_folder = find.features_table(run.features).parent
parts = splits.split(
    rows, run.split, test_size=run.test_size, seed=run.seed, table_folder=table_folder
)
leaks = splits.leaks(rows, parts, splits.artists(rows, table_folder))
train, valid, test = (parts == part for part in splits.PARTS)
folds = baselines.folds(rows, train, valid if valid.any() else None)
display.say(splits.describe(parts, leaks))

# %% [markdown]
# ## Training
#
# Each model gets the inputs scaled to mean 0 and variance 1. The CNN and the RNN read them as a
# sequence, one number a step, as the paper's LSTMs do. A cluster of K-means is named after the
# most frequent genre among its training rows.

# %%
measured = {}
models = baselines.pipelines(seed=run.seed)
with tqdm(total=len(models), desc="training", unit="model", ncols=80, file=sys.stdout) as bar:
    for name, model in models.items():
        bar.set_postfix_str(name)
        measured[name] = baselines.measure(
            model, rows, train=train, test=test, grid=baselines.GRIDS.get(name), folds=folds
        )
        bar.update()

# %% [markdown]
# ## Results
#
# In per cent. By segment, each row of the test part counts; by track, the probabilities of a
# track's test segments are averaged and give one vote. Times are those to train once, with the
# hyperparameters chosen, and to predict one segment among many; on one thread, except that the
# CNN's and the RNN's back end has its own, and that they are compiled while they train.

# %%
lines = baselines.scores(measured)
display.table(
    lines,
    f"Simpler models, split by {run.split}: scores on {test.sum():,} test segments, times and the "
    "hyperparameters chosen.",
    source,
)

# %%
folder = params.output_folder(run.output)
baselines.save(folder, measured, source=source, given=vars(run))
display.say(baselines.describe(lines, folder))
