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
from music_genre import analysis, display, metrics, params, plots, table, training

run = params.check("errors", globals())
folder = params.report_folder(run.results)
rows, source = table.load(run.features)
runs = analysis.find(folder, source)
predictions = {split: training.load(path)[2] for split, path in runs.items()}

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## By track
#
# Each point is a track by the share of its test segments that are told right.

# %%
for split, of in predictions.items():
    tracks = analysis.by_track(of)
    display.figure(
        plots.tracks(tracks),
        f"Tracks by the share of their test segments told right; split by {split}; "
        f"{len(tracks):,} tracks.",
        source,
    )
    display.say(f"**Split by {split}.** {analysis.describe_tracks(tracks)}")

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
            plots.confusion(metrics.confusion(test["label"], test["predicted"])),
            f"Confusion matrix, split by {split}; {len(test):,} test segments.",
            source,
        )
    display.table(
        analysis.tracks_of_confusion(of, pairs=5),
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
    split: analysis.faults(of, rows, beside=table.find(run.features).parent)
    for split, of in predictions.items()
}
for split, measured in faults.items():
    display.table(
        analysis.fault_table(measured),
        f"Accuracy in per cent on test segments with the fault and without it (equal segments: "
        "against tracks that are no duplicates), with 95 % intervals over tracks, which few tracks "
        f"make too narrow; split by {split}.",
        source,
    )
display.say(analysis.describe_faults(faults))

# %% [markdown]
# ## Which inputs matter
#
# The accuracy that is lost when an input is shuffled among the test rows: mean and variance of a
# descriptor together, and all MFCCs together once more, since related inputs can stand in for one
# another when one is shuffled alone.

# %%
strictest = list(runs)[-1]
drops = analysis.importance_of(runs[strictest], rows)
display.figure(
    plots.importance(drops),
    f"Permutation importance, split by {strictest}: accuracy lost on {analysis.DRAWN:,} test "
    f"segments at most, mean and SD of {analysis.REPEATS} shuffles.",
    source,
)
display.say(analysis.describe_importance(drops))

# %% [markdown]
# ## What the order of the inputs is worth
#
# The network reads the 58 numbers as steps in time, which they are not. The recipe of one row was
# trained once more with the columns in an order drawn once, on the same split.

# %%
order = analysis.order(folder, source)
display.say(analysis.describe_order(order))
