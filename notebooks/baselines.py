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
# # Baselines: how well do simpler models do?
#
# Does it take three LSTMs? The paper names other methods without running them. Here these methods,
# and others that one would try first, learn from the same 58 inputs and are tested on the same
# segments.

# %% tags=["parameters"]
split: str = "segment"  # segment (the paper's: tracks on both sides), track, or artist (published)
test_size: float = 0.33  # share of the segments held out, above 0 and below 1; not for split artist
seed: int = 0  # of the split (not artist) and of each model
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
output: str = ""  # folder for the results; empty: a new one under reports/manual/

# %%
from music_genre import params
from music_genre.data import find, splits, table
from music_genre.models import baselines
from music_genre.paths import display_path
from music_genre.report import display

given = params.check("baselines", globals())
segments, source = table.load(given.features)

# %% tags=["banner"]
display.banner(source)

# %% [markdown]
# ## Split
#
# Hyperparameters are chosen on the validation segments if the split has some, otherwise in three
# folds of the training segments that keep tracks whole. The test segments influence neither this
# choice nor the scaling.

# %%
table_folder = find.features_table(given.features).parent
parts = splits.split(
    segments, given.split, test_size=given.test_size, seed=given.seed, table_folder=table_folder
)
leaks = splits.leaks(segments, parts, splits.artists(segments, table_folder))
display.say(
    """
    The models are trained on {{ train | count }} segments and tested on {{ test | count }}.
    {% if validation %}
    Hyperparameters are chosen on another {{ validation | count }}.
    {% endif %}
    {% if unused %}
    The split leaves {{ unused | count }} unused.
    {% endif %}
    {% for pair, shared in leaks.items() %}
    Shared by {{ pair }}:
    {%- for what, n in shared.items() %}
     {{ n | count if n is number else "an unknown number of" }} {{ what }}{{ "," if not loop.last }}
    {%- endfor %}.
    {% endfor %}
    {% if artists_known %}
    Artists are those that Sturm's index names.
    {% endif %}
    """,
    **splits.sizes(parts),
    leaks=leaks.to_dict("index"),
    artists_known=leaks["artists"].notna().any(),
)

# %% [markdown]
# ## Training
#
# Each model takes the inputs scaled to mean 0 and variance 1. The CNN and the RNN read them as a
# sequence, one number a step, as the paper's LSTMs do. A cluster of K-means is named after the most
# frequent genre of its training segments. If the output folder holds results of the same models on
# the same split of the same table, these are shown, and nothing is fitted again.

# %%
folder = params.output_folder(given.output)
identity = baselines.identity(segments, parts, seed=given.seed)
of_run = {"source": source, "given": vars(given), "identity": identity}
finished = baselines.finished(folder, **of_run)
if not finished:
    baselines.save(folder, baselines.fit_all(segments, parts, seed=given.seed), **of_run)
content, scores, _ = baselines.load(folder)

# %% [markdown]
# ## Results
#
# Scores are in per cent. By segment, each test segment counts. By track, the mean probabilities of
# a track's test segments decide. Times are those to train once, with the hyperparameters chosen,
# and to predict one segment among many. They are measured on one thread, but the back end of the
# CNN and the RNN has threads of its own, and their time to train includes compilation.

# %%
display.table(
    scores,
    "baselines-scores",
    f"Simpler models, split by {given.split}: scores on {(parts == 'test').sum():,} test segments, "
    "times, and the hyperparameters chosen.",
)
display.say(
    """
    {% if finished %}
    These models were fitted before ({{ made.created[:10] }}, commit {{ made.commit }}) and are not
    fitted again.
    {% endif %}
    Of {{ scores | length }} models, {{ by_segment.model }} has the highest accuracy by segment,
    {{ by_segment.accuracy | fixed(2) }} %
    {%- if by_track is not none %}, and {{ by_track.model }} the highest by track,
    {{ by_track["track accuracy"] | fixed(2) }} %{% endif %}. The results are in
    {{ folder | code }}.
    """,
    finished=finished,
    made=content["provenance"],
    scores=scores,
    by_segment=scores.loc[scores["accuracy"].idxmax()],
    by_track=scores.loc[scores["track accuracy"].idxmax()]
    if scores["track accuracy"].notna().all()
    else None,
    folder=display_path(folder),
)
