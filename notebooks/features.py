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

# %% tags=["parameters"]
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
extracted: str = ""  # table extracted from the same clips, to compare; empty: data/extracted.csv

# %%
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import f_classif
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import LabelEncoder, StandardScaler

from music_genre import params
from music_genre.data import table
from music_genre.data.columns import FAMILIES, FEATURES, INPUTS
from music_genre.report import display
from music_genre.report.figures import features as figures

given = params.check("features", globals())

# %%
segments, source = table.load(given.features)
labels = segments["label"]

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## Which features separate the genres
#
# Each segment is 58 numbers, scaled to mean 0 and standard deviation 1.

# %% [markdown] tags=["paper"]
# (The paper's Methodology C and D.)

# %%
scaled = pd.DataFrame(StandardScaler().fit_transform(segments[INPUTS]), columns=INPUTS)
f_values, _ = f_classif(segments[FEATURES], labels)
family = {column: name for name, members in FAMILIES.items() for column in members}
ranked = pd.DataFrame({"column": FEATURES, "F": f_values}).sort_values("F", ascending=False)
ranked.insert(1, "family", ranked["column"].map(family))
# Of the sum of squares, the part between the genres' means.
between = ranked["F"] * (labels.nunique() - 1)
ranked["explained"] = 100 * between / (between + len(segments) - labels.nunique())
best = ranked.drop_duplicates("family").head(4).reset_index(drop=True)
display.say(
    """
    One by one, **{{ best[0].column }}** separates the genres best: the genre explains
    {{ best[0].explained | fixed(0) }} % of its variance over segments.
    {% if best[1:] %}
    Best of other families of features are
    {% for one in best[1:] %}
    {{ one.column }} ({{ one.explained | fixed(0) }} %){{ "." if loop.last else "," }}
    {% endfor %}
    {% endif %}
    """,
    best=best.to_dict("records"),
)

# %%
medians = scaled[best["column"]].groupby(labels).median()
ends = medians.iloc[:, 0]
display.figure(
    figures.spread(scaled[best["column"]], labels),
    "features-spread",
    "Features that matter, by genre: the best column of each of the four families that separate "
    f"the genres best. The mark is the median; {len(segments):,} segments, without the outermost "
    "per cent of each column.",
    alt=f"Of {ends.name}, the median is lowest for {ends.idxmin()} ({ends.min():+.1f} standard "
    f"deviations) and highest for {ends.idxmax()} ({ends.max():+.1f}). The genres' distributions "
    "overlap in every column.",
    data=medians.rename_axis("genre").reset_index(),
)

# %% tags=["fold"]
display.figure(
    figures.separation(ranked.head(20)),
    "features-ranking",
    "The twenty columns that separate genres best. Analysis of variance, one column at a time: how "
    "much more do the genres' means differ than the segments within a genre? Segments of one track "
    "resemble each other, so F serves as a ranking here and not as a test.",
    alt=f"F falls from {ranked['F'].iloc[0]:,.0f} for {ranked['column'].iloc[0]} to "
    f"{ranked['F'].iloc[19]:,.0f} for {ranked['column'].iloc[19]}.",
    data=ranked,
)

# %% [markdown]
# ## The genres in two dimensions

# %%
pca = PCA(n_components=2, random_state=0)
variance = pca.fit_transform(scaled)
lda = LinearDiscriminantAnalysis(n_components=min(2, labels.nunique() - 1))
# Of two genres LDA has one direction: the second is then PCA's first.
separating = np.column_stack([lda.fit_transform(scaled[FEATURES], labels), variance])[:, :2]
planes = {"PCA: does not see the genres": variance, "LDA: sees the genres": separating}
right = {
    title: 100 * NearestCentroid().fit(points, labels).score(points, labels)
    for title, points in planes.items()
}
display.say(
    """
    On the plane of largest variance (PCA), {{ pca | fixed(0) }} % of the segments lie nearest to
    the mean of their own genre; on the plane that separates the genres best (LDA),
    {{ lda | fixed(0) }} %. LDA sees the labels and was fitted on the same segments that it shows,
    all {{ n | count }}, so it flatters.
    """,
    pca=right[list(planes)[0]],
    lda=right[list(planes)[1]],
    n=len(segments),
)

# %%
means = pd.DataFrame(separating).groupby(labels).mean()
apart = (means - separating.mean(axis=0)).pow(2).sum(axis=1)
display.figure(
    figures.planes(planes, labels),
    "features-planes",
    f"Segments on two planes, {len(segments):,} in both. A cell has the colour of its most "
    "frequent genre, a mark is a genre's mean. PCA's directions hold "
    f"{100 * pca.explained_variance_ratio_.sum():.0f} % of the variance. The outermost per cent "
    "is not drawn.",
    alt=f"The genres overlap on both planes, less with LDA, where {apart.idxmax()} lies farthest "
    f"from the middle and {apart.idxmin()} nearest to it.",
    data=pd.DataFrame(
        np.round(np.column_stack([variance, separating]), 4),
        columns=["PCA 1", "PCA 2", "LDA 1", "LDA 2"],
    ).assign(genre=labels, segment=segments["filename"]),
)

# %% [markdown] tags=["fold"]
# ## The features table
#
# One line per segment and 60 columns: a name, 58 numbers, a label. `length` is the same in
# every line and so carries no information. It is fed to the network all the same.

# %% [markdown] tags=["paper"]
# (So it is in the paper.)

# %%
display.table(
    segments.iloc[:: max(1, len(segments) // 8), [0, 1, 2, 3, 6, 18, 19, 59]].astype(
        {"length": int}
    ),
    "features-lines",
    f"Some lines and columns of the features table, which has {len(segments):,} lines.",
)

# %%
summary = segments[INPUTS].describe().T[["mean", "std", "min", "max"]]
summary.insert(0, "column", summary.index)
display.table(
    summary,
    "features-columns",
    f"The 58 inputs: mean, standard deviation and range over {len(segments):,} segments.",
    decimals=4,
)

# %% [markdown] tags=["fold"]
# ## Label encoding
#
# Scikit-learn's `LabelEncoder` numbers the genres in alphabetical order.

# %% [markdown] tags=["paper"]
# So it does in the paper. The next two outputs are those of its cells 31 and 32: the last column of
# the table, and its codes.

# %% tags=["paper"]
segments.iloc[:, -1]

# %% tags=["paper"]
encoder = LabelEncoder()
encoder.fit_transform(labels)

# %%
codes = pd.DataFrame({"genre": encoder.classes_, "code": range(len(encoder.classes_))})
display.table(codes, "features-codes", f"Genres and their codes: {len(codes)} genres.")

# %% [markdown] tags=["fold"]
# ## Standard scaling
#
# `StandardScaler` subtracts each column's mean and divides by its standard deviation. Before, the
# columns differ by many orders of magnitude, as the logarithmic axis of the left panel shows.
# Afterwards all columns that vary are on one scale.

# %%
some = [
    "length", "chroma_stft_mean", "rms_mean", "spectral_centroid_mean", "rolloff_var",
    "zero_crossing_rate_mean", "harmony_var", "perceptr_var", "tempo", "mfcc1_mean", "mfcc2_mean",
]  # fmt: skip
display.figure(
    figures.scaling(segments[some], scaled[some]),
    "features-scaling",
    "Eleven of the 58 inputs before and after standard scaling, fitted on all "
    f"{len(segments):,} segments.",
    alt=f"Before scaling, values reach from {segments[some].min(axis=None):,.0f} to "
    f"{segments[some].max(axis=None):,.0f}. Afterwards all boxes lie around 0, and the farthest "
    f"value is {scaled[some].abs().max(axis=None):.0f} standard deviations away.",
    data=summary[summary["column"].isin(some)],
)

# %% [markdown] tags=["fold"]
# ## Correlation
#
# Columns that rise and fall together carry the same information. `length` is constant, has no
# correlation, and is left out.

# %%
correlation = segments[FEATURES].corr()
pairs = correlation.stack()
pairs.index.names = ["one", "other"]
pairs = pairs.rename("correlation").reset_index().query("one < other")
strongest = pairs.loc[pairs["correlation"].abs().nlargest(8).index]
display.figure(
    figures.correlation(correlation, FAMILIES),
    "features-correlation",
    f"Correlation of the 57 features over {len(segments):,} segments, related ones side by side.",
    alt=f"Of {len(pairs):,} pairs, {(pairs['correlation'].abs() > 0.8).sum()} are correlated by "
    f"more than 0.8 or less than -0.8 and {(pairs['correlation'].abs() < 0.2).sum():,} by less "
    "than 0.2 in size.",
    data=pairs,
)

# %%
display.table(
    strongest,
    "features-pairs",
    f"The {len(strongest)} most strongly correlated pairs of {len(pairs):,}.",
    decimals=3,
)

# %% [markdown] tags=["fold"]
# ## Our columns against the published table

# %%
compared = table.comparison(segments, source, given.extracted)
if compared is not None:
    apart, ours = compared
    farthest = apart.nlargest(15, "largest")
    display.say(
        """
        How the published columns were computed is documented nowhere. `music_genre.data.features`
        computes them from audio. The figure shows how far the two differ, in standard deviations
        of each column; the {{ rest }} columns that it leaves out differ by at most
        {{ "%.1e" | format(most) }}.
        """,
        rest=len(apart) - len(farthest),
        most=apart["largest"].drop(farthest.index).max(),
    )
    display.figure(
        figures.deviation(farthest),
        "features-deviation",
        f"Largest difference between the extracted and the published columns: the {len(farthest)} "
        f"that differ most of {len(apart)}, over the {apart['segments'].iloc[0]:,} segments in "
        f"both. Extracted: {ours.label}.",
        alt=f"{(apart['largest'] > 1e-3).sum()} of {len(apart)} columns differ by more than a "
        f"thousandth of a standard deviation; most differs {farthest['column'].iloc[0]}, by "
        f"{farthest['largest'].iloc[0]:.1g}.",
        data=apart,
    )
    display.left_out(ours)
    display.other_files(ours)
