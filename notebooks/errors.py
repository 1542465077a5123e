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
# Examined are the network of the last row and, where it was trained beside it, the same recipe with
# whole tracks held out.

# %% tags=["parameters"]
results: str = ""  # folder of a finished report; empty: reports/table1, else the published one
features: str = ""  # table that it was measured on; empty: found under data/, if it is there

# %%
import pandas as pd

from music_genre import params
from music_genre.analysis import errors, importance
from music_genre.data import find
from music_genre.data.table import has_features
from music_genre.metrics import classification
from music_genre.models import runs
from music_genre.report import display
from music_genre.report.figures import errors as figures
from music_genre.report.figures.evaluate import confusion

given = params.check("errors", globals())
folder = params.report_folder(given.results)
segments, source = runs.measured_on(folder / "rows", given.features)
found = errors.find(folder, source)
predictions = {split: runs.load(run)[2] for split, run in found.items()}

# %% tags=["banner"]
display.banner(source)
display.results(folder, given.results, made_by='make report SPLITS="segment track"')
display.say(
    """
    {% if not at_hand %}
    The table that they were measured on ({{ source.label }}) is not at hand: duplicates are not
    looked for. With the table under `data/`, or named with `features`, they are.
    {% endif %}
    """,
    at_hand=has_features(segments),
    source=source,
)

# %% [markdown]
# ## Do the errors come from a few tracks?

# %%
tracks = {split: errors.by_track(predicted) for split, predicted in predictions.items()}
sums = {split: errors.concentration(of) for split, of in tracks.items()}
display.say(
    """
    {% for split, of in sums.items() %}
    {% if of.wrong %}
    Split by {{ split }}, half of the {{ of.wrong | count }} wrong test segments belong to
    **{{ of.half | count }} of {{ of.tracks | count }} tracks**
    ({{ (100 * of.half / of.tracks) | fixed(0) }} %).
    {% else %}
    Split by {{ split }}, no test segment is classified wrongly.
    {% endif %}
    {% endfor %}
    """,
    sums=sums,
)

# %%
shares = {f"split by {split}": errors.track_shares(of) for split, of in tracks.items()}
display.figure(
    figures.tracks(shares),
    "errors-tracks",
    "Tracks by how many of their test segments are classified correctly: "
    + ", ".join(f"{of['tracks']:,} tracks split by {split}" for split, of in sums.items())
    + ". Numbers in bars: tracks.",
    alt=" ".join(
        f"With the split by {split}, all segments are correct in {of['all_correct']:,} tracks and "
        f"none in {of['none_correct']:,}."
        for split, of in sums.items()
    ),
    data=pd.concat(tracks, names=["split"]).reset_index("split"),
)

# %% [markdown] tags=["fold"]
# ### Tracks as a whole
#
# A track's genre is that with the largest mean of its segments' probabilities.

# %%
display.say(
    """
    {% for split, of in sums.items() %}
    - **Split by {{ split }}.** {{ of.tracks | count }} tracks were tested.
      {{ of.correct | fixed(1) }} % of them are classified correctly as a whole. All segments are
      classified correctly in {{ of.all_correct | count }} tracks, none in
      {{ of.none_correct | count }}.
    {% endfor %}
    """,
    sums=sums,
)

# %% [markdown] tags=["fold"]
# ### Which genres are confused, and by how many tracks?
#
# The confusion matrix of the last row is in its own section. The tables show whether the most
# frequent confusions come from a few tracks.

# %%
for split, predicted in predictions.items():
    test = errors.tested(predicted)
    matrix = classification.confusion(test["label"], test["predicted"])
    confused = errors.tracks_of_confusion(predicted, pairs=5)
    if split != "segment":
        display.figure(
            confusion(matrix),
            f"errors-confusion-{split}",
            f"Confusion matrix, split by {split}: {len(test):,} test segments.",
            alt=(
                f"Off the diagonal, most segments are {confused['label'].iloc[0]} predicted as "
                f"{confused['predicted'].iloc[0]}: {confused['segments'].iloc[0]:,}."
                if len(confused)
                else "All segments lie on the diagonal."
            ),
            data=matrix.rename_axis("true").reset_index(),
        )
    display.table(
        errors.confusion_table(confused),
        f"errors-pairs-{split}",
        f"The genres most often confused, split by {split}: segments so confused, tracks that have "
        "one, tracks of the genre that were tested, and the fewest tracks that have half of these "
        f"segments; {len(test):,} test segments.",
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

# %% [markdown] tags=["paper"]
# ## Are the known faulty clips to blame?

# %% tags=["paper"]
faults = {
    split: errors.faults(
        predicted, segments, table_folder=find.features_table(given.features).parent
    )
    for split, predicted in predictions.items()
}
everything = pd.concat(faults, names=["split"]).reset_index("split")
compared = everything[everything["difference"].notna()]
differing = compared[compared["differs"]]
display.say(
    """
    {% if lowering %}
    The accuracy is lower with {{ lowering | listed }}; of the other known faults that is not
    established.
    {% elif kinds %}
    For none of the known faults is a lower accuracy established.
    {% elif examined %}
    No test segment has a known fault.
    {% else %}
    No fault is known here: neither the features table nor the published lists are at hand.
    {% endif %}
    {% if higher %}
    In {{ higher }} of the {{ kinds }} comparisons below it is higher.
    {% endif %}
    {% if kinds %}
    Of all wrong segments, at most {{ most | fixed(1) }} % have one and the same fault.
    {% endif %}
    """,
    lowering=errors.lowering(faults.values()),
    higher=int((differing["difference"] > 0).sum()),
    kinds=len(compared),
    examined=len(everything),
    most=max(
        100 * of["wrong"].max() / max(1, sums[split]["wrong"]) for split, of in faults.items()
    ),
)

# %% tags=["paper"]
if len(compared):
    display.figure(
        figures.faults(compared),
        "errors-faults",
        "Accuracy with a fault, less that without it: test segments of so many tracks with the "
        "fault. The 95 % intervals over tracks are too narrow if these are few.",
        alt=f"Of {len(compared)} intervals, {len(compared) - len(differing)} include zero or are "
        f"unknown, {(differing['difference'] < 0).sum()} lie below it and "
        f"{(differing['difference'] > 0).sum()} above it.",
        data=everything,
    )

# %% [markdown] tags=["paper", "fold"]
# ### What counts as a fault, and the accuracies
#
# Some of GTZAN's clips occur twice; others are versions of one recording, are distorted, or have a
# disputed genre. Duplicates are found in the features table itself: their segments are equal in
# all 57 features. The other faulty clips are those that the published, fault-filtered partition
# (Kereliuk, Sturm & Larsen 2015) leaves out. They are examined if its lists are available
# (`make data`); the lists do not mark disputed genres separately.
#
# If a fault causes errors, the accuracy on segments with it is lower than on those without it. A
# duplicate may also be easier: an equal segment may have been trained on.

# %% tags=["paper"]
for split, measured in faults.items() if len(everything) else ():
    test = errors.tested(predictions[split])
    display.table(
        errors.fault_table(measured),
        f"errors-fault-accuracies-{split}",
        f"Accuracy with the fault and without it, split by {split}: per cent of test segments (for "
        "duplicates: without it on tracks that are no duplicates), with 95 % intervals over "
        "tracks, which are too narrow if the tracks are few. Of all "
        f"{len(test):,} test segments, {(test['label'] != test['predicted']).sum():,} are "
        "classified wrongly.",
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
""",
    faults={split: measured.to_dict("records") for split, measured in faults.items()},
)

# %% [markdown]
# ## Which inputs matter?

# %%
strictest = list(found)[-1]
drops = importance.of_run(found[strictest], segments)
order = importance.order(folder, source)
display.say(
    """
Shuffling *{{ first.input }}* among the test segments costs most,
**{{ first.drop | fixed(1) }} points of accuracy**.
{% if order %}
With the 58 columns in an order drawn at random, the accuracy on test segments is
{{ order.shuffled | fixed(1) }} % and not {{ order.in_order | fixed(1) }} % (95 % interval of the
difference {{ order.low | signed(1) }} to {{ order.high | signed(1) }}; one order, one seed):
{% if order.favours == "table" %}
the features table's order is better than the drawn one.
{% elif order.favours == "drawn" %}
the drawn order is better than the features table's.
{% else %}
no effect of the order is established.
{% endif %}
{% endif %}
""",
    first=drops.iloc[0].to_dict(),
    order=order,
)

# %%
shown = drops.head(12)
display.figure(
    figures.importance(shown),
    "errors-importance",
    f"Permutation importance, split by {strictest}: the {len(shown)} of {len(drops)} inputs and "
    f"groups that cost most. Accuracy lost on at most {importance.DRAWN:,} test segments, mean and "
    f"SD of {importance.REPEATS} shuffles.",
    alt=f"The longest bar is that of {shown['input'].iloc[0]}, {shown['drop'].iloc[0]:.1f} points; "
    f"the last of the {len(shown)} is {shown['input'].iloc[-1]}, {shown['drop'].iloc[-1]:.1f}.",
    data=drops,
)

# %% [markdown] tags=["fold"]
# ### How the inputs were examined, and all of them
#
# An input matters if accuracy is lost when its values are shuffled among the test segments
# (permutation importance). Related inputs can replace one another when only one of them is
# shuffled; therefore mean and variance of a descriptor are shuffled together, and all MFCCs
# together once more.

# %%
display.say(
    """
After *{{ first.input }}* ({{ first.drop | fixed(1) }} points), the next largest drops are
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
display.table(
    drops,
    "errors-drops",
    f"Accuracy lost by every input or group, split by {strictest}: points, mean and SD of "
    f"{importance.REPEATS} shuffles.",
)

# %% [markdown] tags=["fold", "paper"]
# ### The order of the inputs
#
# The network reads the 58 inputs as steps in time, which they are not. One row's recipe was
# trained once more, on the same split, with the columns in an order drawn at random.

# %% tags=["paper"]
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
{% if not order.favours %}
**The interval includes zero: no effect of the order on test segments is established.**
{% endif %}
Only one other order was tried, with one seed.
{% else %}
Not measured: this report lacks a training on shuffled columns or a row with the same recipe.
{% endif %}
""",
    order=order,
)
