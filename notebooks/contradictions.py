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
# # The paper, checked against itself
#
# That a place is listed here does not mean that a result was not obtained: a project report can
# easily lose track of which run a figure came from.

# %% tags=["parameters"]
results: str = ""  # folder of a finished report; empty: reports/table1, else the published one
rows: str = ""  # names of its rows, separated by spaces; empty: all in the folder

# %%
from music_genre import params
from music_genre.analysis import contradictions, table1
from music_genre.report import display

given = params.check("contradictions", globals())
folder = params.report_folder(given.results)
trained = table1.load(folder / "rows", given.rows.split())
finished = trained[trained["failed"] == ""]
source = table1.source(trained)
measured = contradictions.measured(folder)
printed = set(finished["paper accuracy"])

# %% tags=["banner"]
display.banner(source)
display.results(folder, given.results, made_by="make report RECIPES=1")

# %%
places = [  # what the paper says, where, what stands against it, and whether we measured it
    (
        "Accuracy 0.4626 after 7 epochs, batch size 128",
        "Experiments C",
        "Table I: 33.45 %.",
        bool(printed & {33.45, 45.92}),
    ),
    (
        "Accuracy 0.5867, batch size 220, epochs of experiment 2",
        "Experiments C",
        "Table I has no such row.",
        bool(measured.at_20),
    ),
    ("600 epochs", "Methodology E", "Table I ends at 120.", bool(measured.longest)),
    (
        "Learning rate 1e-2, later 1e-1",
        "Experiments B",
        "Experiments C raises it elsewhere; rows 3 and 6 have none.",
        bool(measured.printed),
    ),
    ("Dropout", "Methodology E", "The layer table (Fig. 7) lists none.", False),
    ("Recall 46.36, F1 46.36", "Table I, row 2", "Equal in no other row.", 45.92 in printed),
    ("Nine genres", "Experiments A", "Elsewhere ten.", True),
]
gaps = [  # what it leaves open
    ("ReLU in all hidden layers", "Methodology E", "LSTMs usually have tanh.",
     bool(measured.activations)),
    ("91.78 % on a test set", "Methodology F", "Which segments were held out?", True),
    ("K-Means Neighbors", "Methodology E", "No method has this name.", False),
    ("Better than 60 % and 51.88 %", "Conclusion", "On which split and inputs?", True),
]  # fmt: skip
display.say(
    """
    In {{ places | length }} places the paper contradicts itself or looks like a slip, and
    {{ gaps | length }} matters it leaves open; on {{ known }} of these
    {{ (places + gaps) | length }} this report has a measurement.

    It contradicts itself or looks like a slip:

    {% for says, where, against, _ in places %}
    - **{{ says }}** ({{ where }}). {{ against }}
    {% endfor %}

    It leaves open:

    {% for says, where, against, _ in gaps %}
    - **{{ says }}** ({{ where }}). {{ against }}
    {% endfor %}
    """,
    places=places,
    gaps=gaps,
    known=sum(known for *_, known in places + gaps),
)

# %% [markdown] tags=["fold"]
# ## What was measured there
#
# Accuracies measured here are on test segments unless stated otherwise.

# %%
display.say(
    """
- **The model is trained for 600 epochs** (Methodology E). Table I ends at 120 epochs.
{% if measured.longest %}
  - Measured here: {{ measured.longest.accuracy | fixed(2) }} % after
    {{ measured.longest.epochs }} epochs.
{% else %}
  - Measured here: at most {{ rows["epochs"].max() }} epochs.
{% endif %}

- **Accuracy 0.4626 after 7 epochs with batch size 128** (Experiments C). Table I has 33.45 % in
  row 1, and the introduction 33 % at first. The nearest accuracy in Table I is 45.92 %, in row 2,
  after 20 epochs.
{% for name, row in rows.iterrows() if row["paper accuracy"] in [33.45, 45.92] %}
  - Measured here: {{ row["accuracy"] | fixed(2) }} % in row {{ name }}. The 95 % interval,
    {{ row["low"] | fixed(2) }} to {{ row["high"] | fixed(2) }},
    {{ "includes" if row["low"] <= 46.26 <= row["high"] else "excludes" }} 46.26.
{% else %}
  - {{ not_measured }}.
{% endfor %}

- **Accuracy 0.5867 with batch size 220, and the epochs and learning rate of experiment 2**
  (Experiments C). Table I has no row of 20 epochs with batch size 220: with 220 it begins at
  72.37 %, after 40. The nearest accuracy is 57.51 %, in row 3, with 128.
{% for one in measured.at_20 %}
  - Measured here after epoch 20: {{ one.accuracy | fixed(2) }} % ({{ one.recipe }}).
{% else %}
  - {{ not_measured }} (`make report RECIPES=1`).
{% endfor %}

- **Learning rate 1e-2, later 1e-1** (Experiments B and C). With batch size 220 the rate is 1e-1 in
  Experiments B, but at first 1e-2 in Experiments C, which raises it to 1e-1 in the last step only,
  though Experiments B has it for rows 4 and 5 already. No rate is printed for rows 3 and 6. Adam's
  usual rate is 10 to 100 times smaller.
{% for one in measured.printed %}
  - Measured here, with {{ one.recipe }}: of {{ one.trainings }}
    {{ "training" if one.trainings == 1 else "trainings" }} of up to {{ one.epochs }}
    {{ "epoch" if one.epochs == 1 else "epochs" }},
    {{ one.learned }} {{ "ends" if one.learned == 1 else "end" }} above guessing
    {%- if one.diverged %}, and in {{ one.diverged }} the loss became NaN{% endif %}. The best epoch
    of any reaches {{ one.best | fixed }} %.
{% else %}
  - {{ not_measured }} (`make report RECIPES=1`).
{% endfor %}

- **All hidden layers use ReLU** (Methodology E). The usual activation of an LSTM is tanh, the only
  one that its fused GPU kernel has.
{% for one in measured.activations %}
  - Measured here, with batch size {{ one.batch_size }} and rate {{ one.learning_rate }}, after
    epoch {{ one.epoch }}: ReLU {{ one.relu | fixed }} %, tanh {{ one.tanh | fixed }} %.
{% else %}
  - {{ not_measured }} (`make report RECIPES=1`).
{% endfor %}

- **Dropout is used to prevent overfitting** (Methodology E). The layer table (Fig. 7) lists four
  layers, none of them dropout. Neither its rate nor its place is given.
  - Here: {{ "some rows have dropout" if rows["dropout"].any() else "no row has any" }}; the recipe
    study tries it for one recipe of each batch size.

- **Row 2: recall 46.36, F1 46.36** (Table I). The two are equal in no other row; in rows 1 and 3
  they are 3.18 and 1.85 points apart, and the accuracy is nearer to the recall. Perhaps a slip.
{% for _, row in rows.iterrows() if row["paper accuracy"] == 45.92 %}
  - Measured here: recall {{ row["recall"] | fixed(2) }}, F1 {{ row["f1"] | fixed(2) }}.
{% else %}
  - {{ not_measured }}.
{% endfor %}

- **Nine genres are listed** (Experiments A). Elsewhere there are ten; the list lacks country.
  - Here: {{ source.genres }} genres in the features table.

- **An accuracy of 91.78 % on a test set** (Methodology F, Experiments C). The paper does not say
  which segments were held out, or whether the model had been trained on them before.
  - The decimals of Table I fit {{ measured.third.segments | count }} segments, a third of the
    published table: {{ measured.third.possible }} of {{ measured.third.accuracies }} accuracies are
    possible. Of similar numbers of segments, {{ measured.third.chance | fixed }} % allow
    all of them.
  - Measured here: the rows' means over seeds are at most {{ rows["accuracy"].max() | fixed(2) }} %
    on test segments, {{ rows["train accuracy"].max() | fixed(2) }} % on training segments.
{% for one in measured.resplit %}
  - Measured here, with {{ one.recipe }}, so that test segments had been trained on:
    {{ one.accuracy | fixed(2) }} %.
{% endfor %}

- **"K-Means Neighbors"** (Methodology E) is the name of no method. *K-means clustering* stands
  beside it in the list; *k nearest neighbours* may be meant.

- **Better than others' 60 % and 51.88 %, which remain comparable** (Conclusion). Neither the split
  nor the inputs of those results are given, and 51.88 % is of "one of the four genre classification
  approaches", which the text does not name. An accuracy with segments of one track in training and
  test compares only with others of that kind.
  - Measured here: three LSTMs, a fresh model for each row, split by
    {{ rows["split"].unique() | listed }}: at most {{ rows["accuracy"].max() | fixed(2) }} %.
""",
    rows=finished, source=source, measured=measured,
    not_measured="Not measured in this report",
)  # fmt: skip
