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
# # Explore: what is classified

# %% tags=["parameters"]
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
music: str = ""  # folder of music to look at; empty: data/ if there is some, else the sample
clip: str = ""  # name of the clip to look at first; empty: the first

# %%
import pandas as pd

from music_genre import params
from music_genre.data import closeup, sample, table
from music_genre.report import display
from music_genre.report.figures import explore as figures

given = params.check("explore", globals())

# %%
segments, source = table.load(given.features)

# %% tags=["banner"]
display.banner(source)
display.other_files(source)

# %% [markdown]
# What is classified is a segment: three seconds of a clip.

# %% [markdown] tags=["paper"]
# (The paper's Methodology A and B.)

# %%
counts = segments["label"].value_counts().sort_index()
display.say(
    """
    The table has {{ total | count }} segments,
    {% if fewest == most %}
    {{ most | count }} segments each of {{ counts | length }} genres.
    {% else %}
    of {{ counts | length }} genres between {{ fewest | count }} ({{ counts.idxmin() }}) and
    {{ most | count }} ({{ counts.idxmax() }}) each.
    {% endif %}
    Always naming the most frequent genre is correct for {{ (100 * most / total) | fixed(1) }} %.
    """,
    counts=counts,
    fewest=counts.min(),
    most=counts.max(),
    total=counts.sum(),
)

# %%
if source.collection:
    tracks = table.tracks(segments).groupby(segments["label"]).nunique()
    display.figure(
        figures.genre_sizes(counts),
        "explore-genres",
        f"How many segments each genre has: {len(segments):,} in {len(counts)} genres.",
        alt=f"The longest bar is that of {counts.idxmax()}, {counts.max():,} segments of "
        f"{tracks[counts.idxmax()]:,} clips; the shortest that of {counts.idxmin()}, "
        f"{counts.min():,} of {tracks[counts.idxmin()]:,}.",
        data=pd.DataFrame({"segments": counts, "clips": tracks}).reset_index(names="genre"),
    )

# %% tags=["paper"]
clips = sample.measures()
first = next(iter(clips))
pictured = f"{len(clips)} clips of GTZAN from the embedded sample, the first {sample.SECONDS} s"
display.figure(
    figures.segments(first, clips[first], counts),
    "explore-segments",
    f"What a segment is, and how many each genre has. Above {first}, a clip of the embedded "
    f"sample; below all {len(segments):,} segments of the table.",
    alt=f"A wave of {sample.SECONDS} seconds is cut every three seconds, its first piece marked. "
    f"The bars of {len(counts)} genres reach from {counts.min():,} to {counts.max():,} segments.",
    data=counts.rename("segments").rename_axis("genre").reset_index(),
)

# %% [markdown] tags=["paper", "fold"]
# ## The paper's workflow
#
# The paper's workflow diagram, redrawn from its text.

# %% tags=["paper"]
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
    "explore-workflow",
    "The paper's workflow for the RNN model, drawn from its text. The length of segments and the "
    "split are our reading.",
    alt="Boxes in a row of arrows: " + ", then ".join(step.replace("\n", ": ") for step in steps),
)

# %% [markdown] tags=["paper", "fold"]
# ## One clip per genre: waves, spectrograms, harmony, timbre, brightness
#
# The first 15 seconds of each genre's first track. The package holds measures, not music: averages
# over a tenth of a second, computed with librosa from GTZAN's audio.
#
# What librosa measures, one line per clip: the tempo in beats per minute, otherwise means over the
# clip. Spectral contrast is the mean over its seven bands. MFCC 1 reflects loudness and is on
# librosa's decibel scale.

# %% tags=["paper"]
overview = sample.overview(clips)
measured = overview.set_index("clip")
display.table(
    overview, "explore-clips", f"What librosa measures on one clip per genre. Shown: {pictured}."
)

# %% [markdown] tags=["paper"]
# ### Raw waves
#
# Amplitude over time, as in the paper's *Raw waves of samples*. Dense bands are loud, compressed
# music; isolated spikes are beats.

# %% tags=["paper"]
height = pd.Series({clip: of["envelope"][1].mean() for clip, of in clips.items()})
display.figure(
    figures.waveforms(clips),
    "explore-waves",
    f"Raw waves of one sample per genre, as in the paper's section B: {pictured}.",
    alt=f"The wave of {height.idxmax()} fills its panel most, that of {height.idxmin()} least: "
    f"its peaks are {height.max() / height.min():.0f} times lower on average.",
)

# %% [markdown] tags=["paper"]
# ### Spectrograms
#
# Where the energy lies in 64 mel bands, the lowest at the bottom.

# %% tags=["paper"]
display.figure(
    figures.spectrograms(clips),
    "explore-spectrograms",
    f"Mel spectrograms of one sample per genre: {pictured}.",
    alt=f"The energy reaches highest in {measured['rolloff [Hz]'].idxmax()} and stays lowest in "
    f"{measured['rolloff [Hz]'].idxmin()}.",
)

# %% [markdown] tags=["paper"]
# ### Harmony: chroma CENS
#
# Energy by pitch class, normalised and smoothed. Held chords show as bars.

# %% tags=["paper"]
strongest = pd.Series({clip: of["chroma_cens"].max(axis=0).mean() for clip, of in clips.items()})
display.figure(
    figures.chromagrams(clips),
    "explore-chroma",
    f"Chroma CENS of one sample per genre: {pictured}.",
    alt=f"In {strongest.idxmax()} one pitch class at a time stands out as a bar; in "
    f"{strongest.idxmin()} the energy is spread over the pitch classes most evenly.",
)

# %% [markdown] tags=["paper"]
# ### Timbre: MFCC
#
# Cepstral coefficients 2 to 20. The features table holds the mean and variance of all twenty.

# %% tags=["paper"]
display.figure(
    figures.cepstra(clips),
    "explore-mfcc",
    f"MFCC of one sample per genre: {pictured}.",
    alt="The lowest row, MFCC 2, is strongest throughout. It is highest in "
    f"{measured['MFCC 2'].idxmax()} and lowest in {measured['MFCC 2'].idxmin()}.",
)

# %% [markdown] tags=["paper"]
# ### Brightness over time
#
# Spectral centroid, rolloff and zero-crossing rate rise together when the sound gets brighter or
# noisier. The rate is drawn as the frequency of a sine wave that crosses zero as often.

# %% tags=["paper"]
display.figure(
    figures.brightness(clips),
    "explore-brightness",
    f"Spectral centroid, rolloff and zero-crossing rate of one sample per genre: {pictured}.",
    alt="In each clip the rolloff lies above the centroid, the zero crossings mostly below it. "
    f"The centroid is highest in {measured['centroid [Hz]'].idxmax()} and lowest in "
    f"{measured['centroid [Hz]'].idxmin()}.",
)

# %% [markdown] tags=["paper", "fold"]
# ## The paper's Fig. 8: the genres' shares
#
# The paper shows a pie chart and calls the genres equally distributed. Its text lists nine genres
# and leaves out country; GTZAN has ten. Bars, as in the figure above, make shares this similar
# easier to compare.

# %% tags=["paper"]
shares = 100 * counts / counts.sum()
display.figure(
    figures.genre_shares(counts),
    "explore-shares",
    f"Distribution of music genres, the paper's Fig. 8: {len(segments):,} segments.",
    alt=f"The slices of {len(counts)} genres take from {shares.min():.2f} to {shares.max():.2f} %.",
    data=shares.rename("per cent").rename_axis("genre").reset_index(),
)

# %% [markdown] tags=["fold"]
# ## A closer look at one clip
#
# Its wave, spectrogram and harmony, and the features in which it differs most from the others. In
# JupyterLab, menus choose the clip, and its sound can be played.

# %%
at_hand = closeup.at_hand(given.music)
files = {name: path for of_genre in at_hand.values() for name, path in of_genre.items()}
chosen = closeup.named(given.clip, files)
silent = files[chosen] is None
display.say(
    """
    {% if silent %}
    There is no music at hand to play: the clips are those of the embedded sample. `make data`
    downloads GTZAN; `music` names a folder of yours, with a folder in it for each genre.
    {% endif %}
    """,
    silent=silent and not source.collection,
)


# %%
def look(name: str, *, playing: bool) -> None:
    """Show a clip's figure, its sound where it can be played, and the features it differs in."""
    one = closeup.load(name, files[name], segments)
    pitches = one.measures["chroma_cens"].mean(axis=1)
    display.figure(
        figures.closeup(one.measures),
        "explore-closeup",
        f"{name}: wave, mel spectrogram and chroma CENS of its first {one.seconds:.0f} s.",
        alt=f"The wave reaches {abs(one.measures['envelope']).max():.2f} of full scale. The "
        f"strongest pitch class is {figures.PITCHES[pitches.argmax()]}.",
    )
    if playing and one.sound is not None:
        display.player(one.sound)
    if len(one.segments):
        apart = closeup.apart(one.segments, segments).head(8)
        display.table(
            apart.assign(**{of: apart[of].map("{:.4g}".format) for of in ("clip", "table")}),
            "explore-closeup-features",
            f"The features in which {name} differs most from the table: means over "
            f"{len(one.segments)} segments of it and all {len(segments):,}; difference in standard "
            "deviations of all.",
        )


if not (silent and source.collection):  # the sample's clips are none of the collection's
    display.choose(at_hand, look, first=chosen)
