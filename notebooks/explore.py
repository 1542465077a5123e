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
# What does a clip of each genre look like as a wave, as a spectrum and in librosa's numbers? How
# many segments does each genre have? This is the paper's Methodology A and B with its Fig. 8.

# %% tags=["parameters"]
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample

# %%
from music_genre import params
from music_genre.data import sample, table
from music_genre.report import display
from music_genre.report.figures import explore as figures

given = params.check("explore", globals())

# %%
segments, source = table.load(given.features)

# %% tags=["banner"]
display.banner(source)
display.other_files(source)

# %% [markdown]
# ## The workflow
#
# The paper's workflow diagram, redrawn from its text.

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
    "The paper's workflow for the RNN model; the length of segments and the split are our reading.",
    "drawn from the paper's text",
)

# %% [markdown]
# ## One clip per genre
#
# The first 15 seconds of each genre's first track. The package holds measures, not music: averages
# over a tenth of a second, computed with librosa from GTZAN's audio.

# %%
clips = sample.measures()
genre_of = {clip: clip.split(".")[0] for clip in clips}
pictured = sample.label(clips)

# %% [markdown]
# What librosa measures, one line per clip: the tempo in beats per minute, otherwise means over the
# clip. Spectral contrast is the mean over its seven bands. MFCC 1 reflects loudness and is on
# librosa's decibel scale.

# %%
display.table(sample.overview(clips), "What librosa measures on one clip per genre.", pictured)

# %% [markdown]
# ### Raw waves
#
# Amplitude over time, as in the paper's *Raw waves of samples*. Dense bands are loud, compressed
# music; isolated spikes are beats.

# %%
display.figure(
    figures.waveforms(clips), "Raw waves of one sample per genre (the paper's section B).", pictured
)

# %% [markdown]
# ### Spectrograms
#
# Where the energy lies in 64 mel bands, the lowest at the bottom.

# %%
display.figure(figures.spectrograms(clips), "Mel spectrograms of one sample per genre.", pictured)

# %% [markdown]
# ### Harmony: chroma CENS
#
# Energy by pitch class, normalised and smoothed. Held chords show as bars.

# %%
display.figure(figures.chromagrams(clips), "Chroma CENS of one sample per genre.", pictured)

# %% [markdown]
# ### Timbre: MFCC
#
# Cepstral coefficients 2 to 20. The features table holds the mean and variance of all twenty.

# %%
display.figure(figures.cepstra(clips), "MFCC of one sample per genre.", pictured)

# %% [markdown]
# ### Brightness over time
#
# Spectral centroid, rolloff and zero-crossing rate rise together when the sound gets brighter or
# noisier.

# %%
display.figure(
    figures.descriptors(clips, genre_of),
    "Spectral centroid, rolloff and zero-crossing rate of one sample per genre.",
    pictured,
)

# %% [markdown]
# ## Segments of each genre
#
# The paper shows a pie chart (Fig. 8) and calls the genres equally distributed. Its text lists nine
# genres and leaves out country; GTZAN has ten. Bars make shares this similar easier to compare.

# %%
counts = segments["label"].value_counts().sort_index()
display.figure(
    figures.genre_shares(counts),
    "Distribution of music genres: the paper's Fig. 8, and the same numbers as bars.",
    source,
)

# %%
display.say(
    """
    {% if fewest == most %}
    The {{ counts | length }} genres have {{ most | count }} segments each.
    {% else %}
    The {{ counts | length }} genres have between {{ fewest | count }} ({{ counts.idxmin() }}) and
    {{ most | count }} ({{ counts.idxmax() }}) segments.
    {% endif %}
    """,
    counts=counts,
    fewest=counts.min(),
    most=counts.max(),
)
