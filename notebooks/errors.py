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
# # Errors: where they fall, and which inputs matter
#
# Do the errors come from a few tracks, and are these the clips of GTZAN that are known to be
# faulty? Which of the 58 inputs does the network rely on, and does their order matter? The
# networks examined are Table I's last row and, if it was trained, the same recipe with whole
# tracks held out.

# %% tags=["parameters"]
results: str = ""  # folder of a report with finished rows; empty: reports/table1
features: str = ""  # table it was measured on; empty: GTZAN's under data/ if there, else the sample

# %%
from music_genre import params
from music_genre.analysis import errors, importance
from music_genre.data import find, table
from music_genre.metrics import classification
from music_genre.models import runs
from music_genre.report import display
from music_genre.report.figures import errors as figures
from music_genre.report.figures.evaluate import confusion

given = params.check("errors", globals())
folder = params.report_folder(given.results)
segments, source = table.load(given.features)
found = errors.find(folder, source)
predictions = {split: runs.load(run)[2] for split, run in found.items()}

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## Do the errors come from a few tracks?
#
# Each point is a track, placed by the share of its test segments that are classified correctly.

# %%
for split, predicted in predictions.items():
    tracks = errors.by_track(predicted)
    display.figure(
        figures.tracks(tracks),
        "Tracks by the share of their test segments that are classified correctly; "
        f"split by {split}; {len(tracks):,} tracks.",
        source,
    )
    display.say(
        """
        **Split by {{ split }}.** {{ tracks | count }} tracks were tested. By the mean of their
        segments' probabilities, {{ correct | fixed(1) }} % of them are classified correctly. All
        segments are classified correctly in {{ all_correct | count }} tracks, none in
        {{ none_correct | count }}.
        {% if wrong %}
        Half of the {{ wrong | count }} wrong segments belong to {{ half | count }}
        {{ "track" if half == 1 else "tracks" }} ({{ (100 * half / tracks) | fixed(0) }} %).
        {% endif %}
        """,
        split=split,
        **errors.concentration(tracks),
    )

# %% [markdown]
# ## Which genres are confused, and by how many tracks?
#
# The confusion matrix for the split by segment is in the last row's own section; here is the one
# with whole tracks held out. The tables show whether the most frequent confusions come from a few
# tracks.

# %%
for split, predicted in predictions.items():
    test = errors.tested(predicted)
    if split != "segment":
        display.figure(
            confusion(classification.confusion(test["label"], test["predicted"])),
            f"Confusion matrix, split by {split}; {len(test):,} test segments.",
            source,
        )
    confused = errors.tracks_of_confusion(predicted, pairs=5)
    display.table(
        errors.confusion_table(confused),
        f"The genres most often confused, split by {split}: segments so confused, tracks that have "
        "one, tracks of the genre that were tested, and the fewest tracks that have half of these "
        "segments.",
        source,
    )
    display.say(
        """
        {% if halves %}
        In each of these confusions, half of the segments belong to {{ halves | min }}
        {% if halves | min < halves | max %}
        to {{ halves | max }}
        {% endif %}
        {{ "track" if halves | max == 1 else "tracks" }}.
        {% else %}
        No segment was predicted as another genre.
        {% endif %}
        """,
        halves=confused["half"].to_list(),
    )

# %% [markdown]
# ## Are the known faulty clips to blame?
#
# Some of GTZAN's clips occur twice; others are versions of one recording, are distorted, or have a
# disputed genre. Duplicates are found in the features table itself: their segments are equal in
# all 57 features. The other faulty clips are those that the published, fault-filtered partition
# (Kereliuk, Sturm & Larsen 2015) leaves out. They are examined if its lists are available
# (`make data`); the lists do not mark disputed genres separately.
#
# If a fault causes errors, the accuracy on segments with it is lower than on those without it. A
# duplicate may also be easier: an equal segment may have been trained on.

# %%
faults = {
    split: errors.faults(
        predicted, segments, table_folder=find.features_table(given.features).parent
    )
    for split, predicted in predictions.items()
}
for split, measured in faults.items():
    test = errors.tested(predictions[split])
    display.table(
        errors.fault_table(measured),
        "Accuracy in per cent on test segments with the fault and without it (for duplicates: on "
        "tracks that are no duplicates), with 95 % intervals over tracks, which are too narrow if "
        f"the tracks are few; split by {split}; {(test['label'] != test['predicted']).sum():,} of "
        f"all {len(test):,} test segments are classified wrongly.",
        source,
    )
display.say(
    """
{% for split, kinds in faults.items() %}
- **Split by {{ split }}.** The accuracy with the fault, compared with that without it:
{% for kind in kinds %}
  *{{ kind.fault }}*,
{% if kind.differs %}
  {{ kind.difference | abs | fixed(1) }} points {{ "higher" if kind.difference > 0 else "lower" }}
  (95 % interval of the difference {{ kind["difference low"] | signed(1) }} to
  {{ kind["difference high"] | signed(1) }})
{%- else %}
  no difference established
{%- endif %}
{{ "." if loop.last else ";" }}
{% endfor %}
{% endfor %}

{% if lowering %}
**The accuracy is lower with {{ lowering | listed }}.**
{% else %}
**For none of these faults is a lower accuracy established.**
{% endif %}
""",
    faults={split: measured.to_dict("records") for split, measured in faults.items()},
    lowering=errors.lowering(faults.values()),
)

# %% [markdown]
# ## Which inputs matter?
#
# An input matters if accuracy is lost when its values are shuffled among the test segments
# (permutation importance). Related inputs can replace one another when only one of them is
# shuffled; therefore mean and variance of a descriptor are shuffled together, and all MFCCs
# together once more.

# %%
strictest = list(found)[-1]
drops = importance.of_run(found[strictest], segments)
display.figure(
    figures.importance(drops),
    f"Permutation importance, split by {strictest}: accuracy lost on at most {importance.DRAWN:,} "
    f"test segments, mean and SD of {importance.REPEATS} shuffles.",
    source,
)
display.say(
    """
Shuffling *{{ first.input }}* costs most, {{ first.drop | fixed(1) }} points of accuracy; the next
largest drops are
{% for input in others %}
*{{ input.input }}* ({{ input.drop | fixed(1) }}){{ "." if loop.last else "," }}
{% endfor %}
{% if within_noise %}
For {{ within_noise | length }} of the {{ n }} inputs and groups, the drop is less than twice its
standard deviation over the shuffles: {{ within_noise | listed }}.
{% endif %}
{% if unused %}
No shuffle of {{ unused | listed }} changes the accuracy at all.
{% endif %}
""",
    first=drops.iloc[0].to_dict(),
    others=drops[1:4].to_dict("records"),
    within_noise=importance.within_noise(drops),
    unused=importance.unused(drops),
    n=len(drops),
)

# %% [markdown]
# ## Does the order of the inputs matter?
#
# The network reads the 58 inputs as steps in time, which they are not. One row's recipe was
# trained once more, on the same split, with the columns in an order drawn at random.

# %%
display.say(
    """
{% if order %}
With the recipe of row {{ order.row }} ({{ order.epochs }} epochs), the accuracy on test segments is
{{ order.in_order | fixed(2) }} % with the columns in the features table's order and
{{ order.shuffled | fixed(2) }} % in the drawn order, a difference of
{{ order.difference | signed(2) }} points (95 % interval {{ order.low | signed(2) }} to
{{ order.high | signed(2) }}).
On training segments it is {{ order.train_in_order | fixed(2) }} and
{{ order.train_shuffled | fixed(2) }} %.
{% if order.learnt_in_order and order.learnt_shuffled %}
While training, the accuracy first reaches {{ order.learnt | fixed(0) }} % in epoch
{{ order.learnt_in_order }} with the table's order and in epoch {{ order.learnt_shuffled }} with the
drawn one.
{% endif %}
{% if order.favours == "table" %}
**The features table's order is better than the drawn one.**
{% elif order.favours == "drawn" %}
**The drawn order is better than the features table's.**
{% else %}
**The interval includes zero: no effect of the order on test segments is established.**
{% endif %}
Only one other order was tried, with one seed.
{% else %}
Not measured: this report lacks a training on shuffled columns or a row with the same recipe.
{% endif %}
""",
    order=importance.order(folder, source),
)
