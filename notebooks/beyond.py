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
# # Beyond the paper
#
# "Our future aim is to improve our accuracy by using more LSTM layers, adding dense layers and
# combining CNN-RNN model", the paper ends. How far do these lead, and how far can one honestly go
# with its numbers?

# %% tags=["parameters"]
results: str = ""  # folder with <split>/<seed>/<row>; empty: reports/table1/beyond
features: str = ""  # table it was measured on; empty: GTZAN's under data/ if there, else the sample

# %%
from music_genre import params, terminal
from music_genre.analysis import beyond
from music_genre.data import find
from music_genre.data.splits import SPLITS
from music_genre.models import runs
from music_genre.report import display
from music_genre.report.figures import beyond as figures

given = params.check("beyond", globals())
folder = params.report_folder(given.results, "beyond")
rows, settings, left_out = beyond.load(folder)
segments, source = runs.measured_on(folder, given.features)
table_folder = find.features_table(given.features).parent

# %% tags=["banner"]
display.banner(source)

# %%
display.results(folder, given.results, made_by="make beyond")
for split, setting in settings.items():
    of_split = beyond.classical(folder / split, segments, source, setting, table_folder)
    rows[split] |= of_split
    rows[split] |= beyond.averages(rows[split])
scores = beyond.scores(rows, table_folder=table_folder)
display.say(
    """
    {% for name, reason in left_out.items() %}
    - There is no {{ name }}: {{ reason }}
    {% endfor %}
    """,
    left_out=left_out,
)

# %%
# Where tracks are on both sides, a segment is what is classified; where they are not, a track is.
headline = [beyond.verdict(scores, split, "track" if SPLITS[split].disjoint_by else "segment")
            for split in rows]  # fmt: skip
display.say(
    """
    {% for one in verdicts %}
    - **Split by {{ one.split }}, the highest accuracy by {{ one.measure }} is
      {{ one.accuracy | fixed(1) }} %** ({{ one.model }}; 95 % interval {{ one.low | fixed(1) }} to
      {{ one.high | fixed(1) }}).
    {% if one.paper is not none %}
      The paper's network and recipe reach {{ one.paper | fixed(1) }} %
      {{- " on average over " ~ one.seeds ~ " seeds (SD " ~ one.SD | fixed(1) ~ ")"
      if one.seeds > 1 }}.
    {% endif %}
    {% if one.future %}
      Of what it plans, the best is {{ one.future | code }} with
      {{ one.future_accuracy | fixed(1) }} %.
    {% endif %}
    {% if one.published %}
      The highest published figure that we know, on
      {{ "the same partition" if "artists" in disjoint[one.split] else "a similar split" }}, is
      {{ one.published_accuracy | fixed(1) }} % ({{ one.published }}).
    {% endif %}
    {% endfor %}

    The highest of {{ n }} rows flatters itself: on other music, expect less. No row was trained on
    validation segments or chosen by test segments.
    """,
    n=scores["model"].nunique(),
    verdicts=headline,
    disjoint={split: SPLITS[split].disjoint_by for split in rows},
)  # fmt: skip

# %%
shown = beyond.in_short(scores)
display.figure(
    figures.by_row(shown, beyond.PUBLISHED, bold="paper"),
    "beyond-rows",
    "Every row on every split: accuracy with 95 % intervals, by segment on the split by segment, "
    "otherwise by track ("
    + ", ".join(
        f"{len(of['filenames']):,} test segments by {name}" for name, of in settings.items()
    )
    + "). Hollow: what others published.",
    alt=" ".join(
        f"Split by {one['split']}, {one['model']} is on top with {one['accuracy']:.1f} %, and the "
        "paper's network "
        + (f"has {one['paper']:.1f} %." if one["paper"] is not None else "was not trained.")
        for one in headline
    ),
    data=shown,
)

# %% [markdown] tags=["fold"]
# ### What the rows are
#
# - **Networks** are trained as `params/beyond/<row>.yaml` says, each seed on the same split. All
#   but `paper` share what one would do today: a power transform before the scaling, which is fitted
#   on training segments; a learning rate that falls to 0 along a cosine; dropout, weight decay and
#   label smoothing. `paper` has Table I's last recipe; `paper-tuned` is its network with the rest.
#   `track-lstm` reads a track's segments one after another: the only sequence in time. `tuned` is
#   what a search found (below), where one was made.
# - **Classical models** see the same transformed columns. *Of tracks* means that a track is
#   described by the mean of its segments (LDA), or by mean and deviation (SVM), and is classified
#   whole. Their settings were chosen with training and validation tracks of the split by artist.
# - **Averages** are of probabilities: of a network's seeds; of the two models of tracks; and of all
#   rows, each network with the average of its seeds. Nothing about them was chosen.

# %% tags=["fold"]
for split in rows:
    display.table(
        beyond.as_table(scores, split),
        f"beyond-{split}",
        f"Table II, split by {split}: accuracies in per cent on test segments, by segment and by "
        "track (the genre of the highest mean probability), means over seeds, with 95 % intervals "
        f"that resample {'artists' if 'artists' in SPLITS[split].disjoint_by else 'tracks'}; the "
        "numbers a network has learnt, and seconds to train, on whatever machine that was.",
    )

# %% [markdown] tags=["fold"]
# ### What others published
#
# Only the figures on the split by artist are of the very same partition. Those on the other splits
# have other shares held out, and the models other inputs.

# %% tags=["fold"]
display.table(
    beyond.published(),
    "beyond-published",
    "What others published: accuracy in per cent, on the split that is nearest to ours.",
    decimals=1,
)

# %% [markdown] tags=["fold"]
# ### A search for settings
#
# `make tune` tries settings of the dense network, drawn by Optuna, and scores each by the accuracy
# by track on validation tracks. The winner is then trained again and tested once: the row `tuned`.

# %% tags=["fold"]
for split, trials in beyond.trials(folder.parent / "tune").items():
    display.table(
        trials.head(10),
        f"beyond-tune-{split}",
        f"The ten best of {len(trials)} trials of the search, split by {split}: settings, accuracy "
        "by track on validation tracks in per cent, and seconds to train.",
        decimals=4,
    )

# %%
for one in headline:
    terminal.tell(
        f"split by {one['split']}: {one['model']} has {one['accuracy']:.2f} % by {one['measure']}"
        + ("" if one["paper"] is None else f", the paper's network {one['paper']:.2f} %")
    )
