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
# # Explore: what ten genres look like
#
# What does a clip of each genre look like as a wave, as a spectrum and in librosa's numbers, and
# how many segments of each genre are there? This is the paper's Methodology A and B and its
# Fig. 8.

# %% tags=["parameters"]
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample

# %%
from music_genre import params
from music_genre.data import sample, table
from music_genre.report import display
from music_genre.report.figures import explore as figures

run = params.check("explore", globals())

# %%
rows, source = table.load(run.features)

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## The work in one picture
#
# The paper's workflow diagram, drawn from its text.

# %%
steps = [
    "GTZAN\n1,000 clips",
    "3-second\nsegments",
    "librosa\n58 numbers each",
    "label encoding\nstandard scaling",
    "random split\na third held out",
    "three LSTMs\n256, 128, 64",
    "softmax\nten genres",
    "confusion matrix\nprecision, recall, F1",
]
display.figure(
    figures.workflow(steps),
    "The paper's workflow of the RNN model; length of segments and split are our reading.",
    "drawn from the paper's text",
)

# %% [markdown]
# ## One clip per genre
#
# The first track of each genre, its first 15 seconds. The package holds these measures, not the
# music: averages over a tenth of a second, computed with librosa from GTZAN's own audio.

# %%
clips = sample.measures()
genre_of = {clip: clip.split(".")[0] for clip in clips}
pictured = sample.label(clips)

# %% [markdown]
# What librosa measures, in one line per clip: tempo in beats per minute, the rest as means over
# the clip. Spectral contrast is the mean over its seven bands; the loudness coefficient MFCC 1 is
# on librosa's decibel scale.

# %%
display.table(sample.overview(clips), "What librosa measures on one clip per genre.", pictured)

# %% [markdown]
# ### Raw waves
#
# Amplitude over time, as in the paper's *Raw waves of samples*: dense bands are loud and
# compressed, isolated spikes are beats.

# %%
display.figure(
    figures.waveforms(clips), "Raw waves of one sample per genre (the paper's section B).", pictured
)

# %% [markdown]
# ### Spectrograms
#
# Where the energy lies: 64 mel bands, low ones at the bottom.

# %%
display.figure(figures.spectrograms(clips), "Mel spectrograms of one sample per genre.", pictured)

# %% [markdown]
# ### Harmony: chroma CENS
#
# Energy by pitch class, normalised and smoothed: held chords show as bars.

# %%
display.figure(figures.chromagrams(clips), "Chroma CENS of one sample per genre.", pictured)

# %% [markdown]
# ### Timbre: MFCC
#
# The cepstrum's coefficients 2 to 20; the table takes the mean and variance of all twenty.

# %%
display.figure(figures.cepstra(clips), "MFCC of one sample per genre.", pictured)

# %% [markdown]
# ### Brightness over time
#
# Spectral centroid, rolloff and zero-crossing rate rise together with bright and noisy sound.

# %%
display.figure(
    figures.descriptors(clips, genre_of),
    "Spectral centroid, rolloff and zero-crossing rate of one sample per genre.",
    pictured,
)

# %% [markdown]
# ## How many segments of each genre
#
# The paper shows a pie (Fig. 8) and calls the genres equally distributed. Its text lists nine and
# leaves out country; the data has ten. Shares this alike are read more easily from bars.

# %%
counts = rows["label"].value_counts().sort_index()
display.figure(
    figures.genre_shares(counts),
    "Distribution of music genres: the paper's Fig. 8, and the same as bars.",
    source,
)

# %%
fewest = f"{counts.min():,} segments in {counts.idxmin()}"
most = f"{counts.max():,} in {counts.idxmax()}"
display.say(
    f"{len(counts)} genres, "
    + (f"{counts.min():,} segments in each." if counts.nunique() == 1 else f"{fewest} to {most}.")
)
