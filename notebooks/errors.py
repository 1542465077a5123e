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
# # Errors: where they fall, and by which inputs
#
# Is it a few tracks that are taken for another genre, are they the ones known to be faulty, and
# which of the 58 numbers does the network go by? Looked at are Table I's last row and, where it
# was trained, the same recipe with whole tracks held out.

# %% tags=["parameters"]
results: str = ""  # folder of a report whose rows are trained; empty: reports/table1
features: str = ""  # table measured on; empty: GTZAN's under data/ if there, else the sample

# %%
from music_genre import params
from music_genre.analysis import errors
from music_genre.data import find, table
from music_genre.metrics import classification
from music_genre.models import runs
from music_genre.report import display
from music_genre.report.figures import errors as figures

run = params.check("errors", globals())
folder = params.report_folder(run.results)
rows, source = table.load(run.features)
found = errors.find(folder, source)
predictions = {split: runs.load(path)[2] for split, path in found.items()}

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## By track
#
# Each point is a track by the share of its test segments that are told right.

# %%
for split, of in predictions.items():
    tracks = errors.by_track(of)
    display.figure(
        figures.tracks(tracks),
        f"Tracks by the share of their test segments told right; split by {split}; "
        f"{len(tracks):,} tracks.",
        source,
    )
    display.say(f"**Split by {split}.** {errors.describe_tracks(tracks)}")

# %% [markdown]
# ## By genre
#
# The confusion matrix of the paper's kind of split stands with each row; here is that of whole
# tracks held out, and for both splits whether a pair of genres is confused because of a few tracks.

# %%
for split, of in predictions.items():
    test = of[of["part"] == "test"]
    if split != "segment":
        display.figure(
            figures.confusion(classification.confusion(test["label"], test["predicted"])),
            f"Confusion matrix, split by {split}; {len(test):,} test segments.",
            source,
        )
    display.table(
        errors.tracks_of_confusion(of, pairs=5),
        f"The pairs of genres most confused, split by {split}: segments so confused, how many of "
        "the genre's tested tracks have one, the fewest tracks that have half of them, and which.",
        source,
    )

# %% [markdown]
# ## Known faults of GTZAN
#
# Some clips are in the collection twice; others are versions of a recording, are distorted, or bear
# a genre that is disputed. The first are found in the table itself: equal in all 57 features. Those
# that the published, fault-filtered partition (Kereliuk, Sturm & Larsen 2015) leaves out are looked
# at where its lists are at hand (`make data`); disputed genres have no list of their own there.

# %%
faults = {
    split: errors.faults(of, rows, table_folder=find.features_table(run.features).parent)
    for split, of in predictions.items()
}
for split, measured in faults.items():
    display.table(
        errors.fault_table(measured),
        f"Accuracy in per cent on test segments with the fault and without it (equal segments: "
        "against tracks that are no duplicates), with 95 % intervals over tracks, which few tracks "
        f"make too narrow; split by {split}.",
        source,
    )
display.say(errors.describe_faults(faults))

# %% [markdown]
# ## Which inputs matter
#
# The accuracy that is lost when an input is shuffled among the test rows: mean and variance of a
# descriptor together, and all MFCCs together once more, since related inputs can stand in for one
# another when one is shuffled alone.

# %%
strictest = list(found)[-1]
drops = errors.importance_of(found[strictest], rows)
display.figure(
    figures.importance(drops),
    f"Permutation importance, split by {strictest}: accuracy lost on {errors.DRAWN:,} test "
    f"segments at most, mean and SD of {errors.REPEATS} shuffles.",
    source,
)
display.say(errors.describe_importance(drops))

# %% [markdown]
# ## What the order of the inputs is worth
#
# The network reads the 58 numbers as steps in time, which they are not. The recipe of one row was
# trained once more with the columns in an order drawn once, on the same split.

# %%
order = errors.order(folder, source)
display.say(errors.describe_order(order))
