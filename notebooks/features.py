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
# # Features: from 58 numbers to the network's input
#
# What goes into the network, how is it scaled, and how well do the numbers alone separate the
# genres? This is the paper's Methodology C and D.

# %% tags=["parameters"]
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
extracted: str = ""  # table extracted from the same clips, to compare; empty: data/extracted.csv

# %%
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.feature_selection import f_classif
from sklearn.preprocessing import LabelEncoder, StandardScaler

from music_genre import params
from music_genre.data import table
from music_genre.data.columns import FEATURES, INPUTS
from music_genre.report import display
from music_genre.report.figures import features as figures

given = params.check("features", globals())

# %%
segments, source = table.load(given.features)

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## The features table
#
# One line per 3-second segment and 60 columns: a name, 58 numbers, a label. `length` is the same in
# every line and so carries no information. The paper feeds it to the network all the same, and so
# do we.

# %%
display.table(
    segments.iloc[:: max(1, len(segments) // 8), [0, 1, 2, 3, 6, 18, 19, 59]].astype(
        {"length": int}
    ),
    "Some segments and columns of the features table.",
    source,
)

# %%
summary = segments[INPUTS].describe().T[["mean", "std", "min", "max"]]
summary.insert(0, "column", summary.index)
display.table(summary, "The 58 inputs: mean, standard deviation and range.", source, decimals=4)

# %% [markdown]
# ## Our columns against the published table
#
# How the published columns were computed is documented nowhere. `music_genre.data.features`
# computes them from audio. Where there are clips beside the published table, the figure shows how
# far the two differ, in standard deviations of each column.

# %%
compared = table.comparison(segments, source, given.extracted)
if compared is None:
    display.say("There are no clips beside a published table here, so nothing is compared.")
else:
    apart, ours = compared
    display.figure(
        figures.deviation(apart),
        "Largest difference between the extracted and the published columns; "
        f"{apart['segments'].iloc[0]:,} segments in both.",
        f"{ours.label}; published: {source.label}",
    )
    display.left_out(ours)
    display.other_files(ours)

# %% [markdown]
# ## Label encoding
#
# As in the paper, scikit-learn's `LabelEncoder` numbers the genres in alphabetical order. The next
# two outputs are those of the paper's cells 31 and 32: the last column of the table, and its codes.

# %%
segments.iloc[:, -1]

# %%
encoder = LabelEncoder()
encoder.fit_transform(segments["label"])

# %%
codes = pd.DataFrame({"genre": encoder.classes_, "code": range(len(encoder.classes_))})
display.table(codes, "Genres and their codes.", source)

# %% [markdown]
# ## Standard scaling
#
# `StandardScaler` subtracts each column's mean and divides by its standard deviation. Before, the
# columns differ by many orders of magnitude, as the logarithmic axis of the left panel shows.
# Afterwards all columns that vary are on one scale.

# %%
scaled = pd.DataFrame(StandardScaler().fit_transform(segments[INPUTS]), columns=INPUTS)
some = [
    "length", "chroma_stft_mean", "rms_mean", "spectral_centroid_mean", "rolloff_var",
    "zero_crossing_rate_mean", "harmony_var", "perceptr_var", "tempo", "mfcc1_mean", "mfcc2_mean",
]  # fmt: skip
display.figure(
    figures.scaling(segments[some], scaled[some]),
    "Eleven of the 58 inputs before and after standard scaling, fitted on all segments.",
    source,
)

# %% [markdown]
# ## Correlation
#
# Columns that rise and fall together carry the same information. `length` is constant, has no
# correlation, and is left out.

# %%
display.figure(
    figures.correlation(segments[FEATURES]), "Correlation of the 57 features over segments.", source
)

# %%
pairs = segments[FEATURES].corr().stack()
pairs.index.names = ["one", "other"]
pairs = pairs.rename("correlation").reset_index().query("one < other")
strongest = pairs.loc[pairs["correlation"].abs().nlargest(8).index]
display.table(strongest, "The eight most strongly correlated pairs.", source, decimals=3)

# %% [markdown]
# ## The genres in two dimensions
#
# The segments along the two directions in which the scaled columns vary most (PCA). Small dots are
# segments, large dots are the means of the genres.

# %%
pca = PCA(n_components=2, random_state=0)
points = pca.fit_transform(scaled)
display.figure(
    figures.components(points, segments["label"], pca.explained_variance_ratio_),
    "Segments on the first two principal components of the scaled inputs.",
    source,
)

# %% [markdown]
# ## Which columns separate the genres
#
# Analysis of variance, one column at a time: how much more do the genres' means differ than the
# segments within a genre? Segments of one track resemble each other, so F serves as a ranking here
# and not as a test.

# %%
f_values, _ = f_classif(segments[FEATURES], segments["label"])
ranked = pd.DataFrame({"column": FEATURES, "F": f_values}).nlargest(20, "F")
display.figure(figures.separation(ranked), "The twenty columns that separate genres best.", source)
