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
# # One model over splits drawn again
#
# What accuracy does a session report in which the split is drawn again while the same model is
# trained on? This happens where the cell that splits is run again and the one that builds the model
# is not. The model is then tested on segments that it was trained on. The recipe study compares
# such trainings with Table I; the notebook `train` is the training of a model on one split.

# %% tags=["parameters"]
resplit_after: list = [10]  # epochs after which the split is drawn again, in rising order
epochs: int = 20  # passes over the training segments, all draws together
batch_size: int = 128  # segments per gradient step
learning_rate: float = 0.001  # of Adam, above 0
activation: str = "tanh"  # of the LSTMs: tanh, or relu as the paper says
dropout: float = 0.0  # share of each LSTM's outputs dropped in training, 0 to 0.9
test_size: float = 0.33  # share of the segments held out, above 0 and below 1
split: str = "segment"  # segment or track (artist is published: drawn again, it is the same)
scale_on: str = "all"  # segments the scaling is fitted on: all (the paper's) or train
shuffle_columns: bool = False  # the 58 inputs in a random order, the same in every training
seed: int = 0  # of the first draw, the initial weights and the order of batches
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
output: str = ""  # folder for the results; empty: a new one under reports/manual/
resume: bool = True  # go on from the longest earlier training of the same recipe, if any
score_after: list = []  # earlier epochs whose predictions to keep too

# %%
from music_genre import params
from music_genre.analysis import resplit
from music_genre.data import find, table
from music_genre.models import networks, runs, training
from music_genre.paths import display_path
from music_genre.report import display
from music_genre.report.figures import train as figures

run = params.check("resplit", globals())

# %%
segments, source = table.load(run.features)

# %% [markdown]
# ## Draws
#
# The first split is that of `train` with the same seed. Each later one has a seed of its own.

# %%
drawn = resplit.draw(
    segments,
    run.split,
    draws=1 + len(run.resplit_after),
    test_size=run.test_size,
    seed=run.seed,
    table_folder=find.features_table(run.features).parent,
    scale_on=run.scale_on,
    shuffle_columns=run.shuffle_columns,
)
display.say(
    """
    The split is drawn {{ draws }} times. {{ met | fixed(1) }} % of the last draw's test segments
    were training segments of an earlier draw.
    """,
    draws=len(drawn),
    met=100 * resplit.met_before(drawn),
)

# %% [markdown]
# ## Training
#
# A training that is finished in the output folder is shown and not repeated; `-p resume False`
# starts at the first epoch.

# %%
model = networks.build(
    drawn[0].x.shape[1:],
    len(drawn[0].genres),
    activation=run.activation,
    dropout=run.dropout,
    learning_rate=run.learning_rate,
    seed=run.seed,
)
folder = params.output_folder(run.output)
of_run = {
    "source": source,
    "given": {**vars(run), "paper": {}},  # no row of Table I
    "identity": runs.identity(model, drawn[0]),
}
finished = runs.finished(folder, **of_run) if run.resume else None
after = {}  # predictions after the epochs of score_after
if finished:
    result, history, _ = finished
else:
    history = resplit.fit(
        model,
        drawn,
        until=[*run.resplit_after, run.epochs],
        batch_size=run.batch_size,
        seed=run.seed,
        resume=run.resume,
        stops=run.score_after,
        at_stop=lambda epoch, data: after.update({epoch: training.predict(model, data, segments)}),
    )
    result = runs.save(
        folder,
        model=model,
        data=drawn[-1],
        history=history,
        predictions=training.predict(model, drawn[-1], segments),
        after=after,
        **of_run,
    )

# %%
after = ", ".join(map(str, run.resplit_after))
last = history.iloc[-1]
display.figure(
    figures.curves(history),
    "resplit-curves",
    f"Loss and accuracy over {len(history)} epochs: the split drawn again after "
    f"epoch{'s' if len(run.resplit_after) > 1 else ''} {after}; "
    f"batch size {run.batch_size}, learning rate {run.learning_rate:g}.",
    alt=f"After the last epoch the accuracy is {100 * last['accuracy']:.0f} % on training segments "
    f"and {100 * last['test_accuracy']:.0f} % on test segments; the highest on test segments is "
    f"{100 * history['test_accuracy'].max():.0f} %.",
    data=history,
)

# %%
display.say(
    """
    {% if again %}
    This training was finished before ({{ provenance.created[:10] }}, commit
    {{ provenance.commit }}) and is not repeated.
    {% endif %}
    {% if diverged %}
    **The loss became NaN or infinite in epoch {{ epochs_run }}. Training ended there, and the
    scores are those of a broken model.**
    {% endif %}
    The accuracy is {{ parts.test.accuracy | fixed(2) }} % on the last draw's
    {{ parts.test.segments | count }} test segments and {{ parts.train.accuracy | fixed(2) }} % on
    its {{ parts.train.segments | count }} training segments. The results are in
    {{ folder | code }}.
    """,
    **result,
    again=bool(finished),
    folder=display_path(folder),
)
