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
# # A model for use
#
# Which model names the genre of music best that it has not heard, how sure may one be of its
# answer, and when should it say that it does not know? Simple models are compared on whole tracks,
# and whole artists, held out. The best one is trained on all usable clips and written to a folder
# that Keras 3.8 and every newer version loads.

# %% tags=["parameters"]
splits: str = "track artist"  # ways to hold music out, the stricter one decides: track, artist
folds: int = 5  # of the other tracks: each is predicted by the model trained on the others
test_size: float = 0.33  # share of the tracks that test, above 0 and below 1; not for split artist
seed: int = 0  # of the splits, the folds and the networks
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
output: str = ""  # folder for the model; empty: a new one under reports/manual/

# %%
import pandas as pd

from music_genre import params
from music_genre.data import find, table
from music_genre.data.splits import SPLITS, artists, tracks
from music_genre.metrics import calibration
from music_genre.models import portable, use
from music_genre.paths import display_path
from music_genre.report import display, readme
from music_genre.report.figures import use as figures

given = params.check("use", globals())
folder = params.output_folder(given.output)
segments, source = table.load(given.features)

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## Which model is best on music that it has not heard?
#
# Each model takes the 57 features of a segment; a track's genre is the one with the highest mean
# log-probability over its segments. First, a part of the music is set aside to test: a share of the
# tracks, or the test part of the published partition by artist. The rest is cut into folds that
# keep tracks, or artists, whole, and each fold is predicted by the model trained on the others.
# The model with the lowest log loss of its tracks is chosen, and only that one is tested. (Which
# models are candidates was decided on GTZAN with test scores in view: there, these may flatter the
# chosen one a little.)

# %%
table_folder = find.features_table(given.features).parent
parts, left_out = use.draw(
    segments, given.splits.split(), test_size=given.test_size, folds=given.folds,
    seed=given.seed, table_folder=table_folder,
)  # fmt: skip
of_table = {"source": source, "seed": given.seed}
candidates = use.compare(folder, segments, parts, **of_table)
split, name = use.choose(candidates)
measured = use.measure(folder, segments, parts, name, **of_table)
calibrated = use.calibrate(measured, split)
names, known = tracks(segments), artists(segments, table_folder)
artist_of = dict(zip(names[known.notna()], known[known.notna()], strict=True))
expected = use.expect(measured, calibrated, artist_of)
strictest = expected.iloc[-1]
held = measured[measured["split"] == split]
in_folds, tested = (held[held["part"] == part] for part in ("folds", "test"))
display.say(
    """
    **The best is {{ name }}.** Trained on the folds, it names the genre of
    {{ test.accuracy | fixed }} % of the {{ test.tracks | count }} test tracks correctly, with
    {{ held_out }} held out (95 % interval {{ test.low | fixed }} to {{ test.high | fixed }}).
    {% if looser %}
    With {{ looser_held_out }} held out, but artists that it may know, these are
    {{ looser.accuracy | fixed }} % of {{ looser.tracks | count }}.
    {% endif %}
    {% for other, reason in left_out.items() %}
    - Music was not held out by {{ other }}: {{ reason }}
    {% endfor %}
    """,
    name=name,
    test=strictest,
    held_out=SPLITS[split].held_out,
    looser=expected.iloc[0].to_dict() if len(expected) > 1 else {},
    looser_held_out=SPLITS[expected["split"].iloc[0]].held_out,
    left_out=left_out,
)

# %%
scores = candidates.pivot(index="model", columns="split", values=["log loss", "accuracy"])
scores = scores.loc[
    list(use.CANDIDATES), [(of, by) for of in ("log loss", "accuracy") for by in parts]
]
scores.columns = [f"{'right' if of == 'accuracy' else of}, by {by}" for of, by in scores.columns]
chosen = candidates[(candidates["split"] == split) & (candidates["model"] == name)].iloc[0]
display.table(
    scores.sort_values(f"log loss, by {split}").reset_index(),
    "use-candidates",
    "Models compared in "
    f"{given.folds} folds of the tracks that do not test: log loss of the tracks (lower is "
    "better), and the tracks named correctly in per cent ("
    + ", ".join(
        f"{(measured[['split', 'part']] == [by, 'folds']).all(axis=1).sum():,} tracks by {by}"
        for by in parts
    )
    + "). C is the inverse strength of the penalty on weights. All but one transform the inputs "
    "first so that they are nearly normal (Yeo-Johnson); each network is the mean of three with "
    "different seeds, with dropout, label smoothing and weight decay.",
    decimals=3,
)
display.say(
    """
    {% if second.model != name %}
    The second best, {{ second.model }}, has a log loss of {{ second["log loss"] | fixed(4) }}
    against {{ chosen["log loss"] | fixed(4) }}: models that are so near may change places with
    other folds.
    {% endif %}
    {% if looser and looser.model != name %}
    Where artists may be known, {{ looser.model }} is best. That a model is better there may mean
    that it knows artists, so the stricter split decides.
    {% endif %}
    """,
    name=name, chosen=chosen,
    second=candidates[candidates["split"] == split].nsmallest(2, "log loss").iloc[1],
    looser=candidates[candidates["split"] != split].nsmallest(1, "log loss").to_dict("records")[0]
    if len(parts) > 1 else {},
)  # fmt: skip

# %% [markdown]
# ## Is it as often right as it is sure?
#
# A softmax is always sure of something, and the mean over segments does not mend that. So the
# log-probabilities of a track are divided by a temperature: the one with which the tracks in the
# folds fit best. It does not change which genre is the likeliest.

# %%
sure = {
    "tracks in the folds": calibration.with_temperature(in_folds, calibrated["temperature"]),
    "test tracks": calibration.with_temperature(tested, calibrated["temperature"]),
}
before, after = calibration.reliability(tested), calibration.reliability(sure["test tracks"])
display.figure(
    figures.reliability(before, after),
    "use-reliability",
    f"Reliability before and after calibration: {len(tested):,} test tracks, split by {split}, in "
    "bins of ten per cent of confidence.",
    alt="The points, accuracy over confidence, lie "
    f"{strictest['calibration error']:.1f} percentage points from the diagonal on average before, "
    f"and {strictest['calibrated']:.1f} with the temperature.",
    data=pd.concat({"before": before, "with the temperature": after}, names=["calibration"])
    .reset_index("calibration")
    .rename(columns={"segments": "tracks"}),
)
display.say(
    """
    The temperature is {{ temperature | fixed(2) }}:
    {{ "the model is surer than it should be" if temperature > 1
       else "the model is less sure than it could be" }}.
    On the test tracks, which it was not fitted on, the expected error of the confidence
    {% if test.calibrated < test["calibration error"] %}
    falls from {{ test["calibration error"] | fixed }} to {{ test.calibrated | fixed }} percentage
    points.
    {% else %}
    does not fall: it is {{ test["calibration error"] | fixed }} percentage points before, and
    {{ test.calibrated | fixed }} after.
    {% endif %}
    {% if looser and looser.calibrated > looser["calibration error"] %}
    Where it may know the artists (split by {{ looser.split }}) it is then too modest: there, the
    error rises from {{ looser["calibration error"] | fixed }} to {{ looser.calibrated | fixed }}.
    {% endif %}
    """,
    temperature=calibrated["temperature"],
    test=strictest,
    looser=expected.iloc[0].to_dict() if len(expected) > 1 else {},
)

# %% [markdown]
# ## When is it unsure?
#
# A track is *unsure* if its likeliest genre has a probability below a threshold. It is the lowest
# with which, of the tracks in the folds that are at least as sure, three of four are right.

# %%
curves = {name: calibration.coverage(of) for name, of in sure.items()}
threshold = calibrated["threshold"]
display.figure(
    figures.coverage(curves, threshold, sure=100 * calibration.SURE),
    "use-coverage",
    "How many tracks are right if the least sure are left unanswered: "
    f"{len(in_folds):,} tracks in the folds, by which the threshold (points) was chosen, and "
    f"{len(tested):,} test tracks, split by {split}.",
    alt=" ".join(
        f"Of the {name}, {curve['accuracy'].iloc[0]:.0f} % are right if all are answered"
        + ("." if threshold is None else
           f", and {at['accuracy'].iloc[0]:.0f} % of the {at['covered'].iloc[0]:.0f} % that are "
           "as sure as the threshold.")
        for name, curve in curves.items()
        for at in [curve[curve["threshold"] >= (threshold or 0)]]
    ),
    data=pd.concat(curves, names=["tracks"]).reset_index("tracks"),
)  # fmt: skip
display.say(
    """
    {% if threshold is none %}
    At no confidence are three of four tracks right, so there is no threshold.
    {% else %}
    The threshold is {{ (100 * threshold) | fixed(0) }} %. Of the test tracks,
    {{ test.sure | fixed(0) }} % are as sure. Of these, {{ test["accuracy if sure"] | fixed }} % are
    right
    {%- if test.sure < 100 %}, of the others {{ test["if unsure"] | fixed }} %{% endif %}.
    {% endif %}
    """,
    threshold=threshold,
    test=strictest,
)
display.table(
    expected,
    "use-expected",
    f"What to expect of {name}: test tracks of each split, the share that is right with its 95 % "
    "interval (over artists, where known), the share that is sure and the share of these, and of "
    "the others, that is right, the share outside the training data, all in per cent; the expected "
    "error of the confidence before and after calibration, in percentage points. Temperature, "
    f"threshold and limit are those of the split by {split}.",
    decimals=1,
)

# %% [markdown] tags=["fold"]
# ## What is outside the training data?
#
# The model answers whatever it is given, noise and speech too. So each segment has a distance from
# the training data: Mahalanobis' distance of its features, over the root of their number, so that
# it is about 1 for music that is like the training's. A track's distance is the median of its
# segments'. It is outside if it lies farther away than 99 % of the tracks in the folds, none of
# which the model in question was trained on.

# %%
display.say(
    """
    The limit is {{ limit | fixed(2) }}; the median of the tracks in the folds is
    {{ median | fixed(2) }}. Of the test tracks, {{ test.outside | fixed }} % are outside. The
    farthest is {{ farthest.track }}, at {{ farthest.distance | fixed(2) }}.
    """,
    limit=calibrated["limit"],
    median=in_folds["distance"].median(),
    test=strictest,
    farthest=tested.loc[tested["distance"].idxmax()],
)

# %% [markdown] tags=["fold"]
# ## The model
#
# The chosen model is trained once more, on all clips that are usable: by the published lists, where
# they are at hand, those that are neither faulty nor a repetition of another one. What it is worth
# on new music was measured above, on the same model trained on fewer clips.

# %%
used = use.usable(parts)
card = use.about(
    name,
    segments[used],
    source=source,
    seed=given.seed,
    known={
        "split": split,
        "chosen on": {"models": len(candidates) // len(parts), "folds": given.folds,
                      "tracks": len(in_folds), "accuracy": chosen["accuracy"]},
        "held out": expected.to_dict("records"),
        "left out": sorted(set(names[~used])),
    },
)  # fmt: skip
finished = use.finished(folder, card, calibrated)
model = finished or use.train(name, segments[used], card, calibrated, seed=given.seed)
told = readme.card(model)
if not finished or (folder / "README.md").read_text(encoding="utf-8") != told:
    portable.save(folder, model, readme=told)
display.say(
    """
    It was trained on {{ on.tracks | count }} clips ({{ on.segments | count }} segments)
    {%- if left_out %}; {{ left_out | length | count }} were left out{% endif %}. The model and its
    card are in {{ folder | code }}: {{ "model.json" | code }}, {{ "weights.npz" | code }} and
    {{ "README.md" | code }}, with no code in them.
    """,
    on=model.card["trained on"],
    left_out=model.card["left out"],
    folder=display_path(folder),
)
