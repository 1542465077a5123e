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
# # Predict: what genre is it?

# %% tags=["parameters"]
audio: str = ""  # a sound file, a folder of them, or a list of both; empty: a sound to try
model: str = ""  # folder of a finished run or a model for use; empty: your newest, else ours
top: int = 3  # genres to list for each file, likeliest first
output: str = ""  # folder for the results (CSV, JSON); empty: reports/predict

# %%
from pathlib import Path

from music_genre import params, terminal
from music_genre.analysis import predict
from music_genre.data.table import Source
from music_genre.models import portable
from music_genre.paths import display_path
from music_genre.report import display
from music_genre.report.figures import predict as figures

given = params.check("predict", globals())
folder = Path(given.output or predict.FOLDER)
sound = given.audio or predict.made_up(folder)

# %%
place, why = (Path(given.model), "") if given.model else portable.default()
chosen = portable.load(place)
judged = predict.judge(sound, chosen)
results = predict.table(judged, chosen, top=given.top)
csv, note = predict.write(judged, chosen, folder, sound, top=given.top, of=display_path(place))
read = [track for track in judged if not track.problem]
shown = read if len(read) <= predict.PICTURED else []  # of more, the table must do
for line in results.head(predict.PICTURED).itertuples():
    terminal.tell(f"{line.file}: {line.verdict}" + (f" ({line.reason})" if line.reason else ""))

# %% tags=["banner"]
display.say(
    """
    The model: {{ name }}, {{ why or "in " ~ place }}.
    {% if not given.audio %}
    No sound was named: this is one to try, {{ sound | code }}.
    {% endif %}
    """,
    name=chosen.name,
    why=why,
    place=display_path(place),
    given=given,
    sound=display_path(sound) if not given.audio else "",
)

# %% [markdown]
# ## The verdict

# %% tags=["headline"]
genres = chosen.genres
display.say(
    """
    {% for track in shown %}
    {% if track.doubts %}
    **Unsure** what {{ track.name }} is: {{ track.doubts | join("; and ") }}.
    The model itself finds it likeliest to be {{ genres[track.first] }}
    {% else %}
    {{ track.name }} is **{{ genres[track.first] }}**
    {% endif %}
    ({{ (100 * track.whole[track.first]) | fixed(0) }} %); next
    {{ "come" if genres | length > 2 else "comes" }}
    {% for code in (-track.whole).argsort()[1:3] %}
    {{ genres[code] }} ({{ (100 * track.whole[code]) | fixed(0) }} %)
    {{- " and" if not loop.last else "." }}
    {% endfor %}

    {% endfor %}
    {% if judged | length > 1 %}
    Verdicts on {{ judged | length | count }} files:
    {% for verdict, files in verdicts.items() %}
    {{ verdict }} {{ files | count }}
    {{- ", " if not loop.last else "." }}
    {% endfor %}
    {% endif %}
    """,
    shown=shown,
    judged=judged,
    genres=genres,
    verdicts=results["verdict"].value_counts().to_dict(),
)

# %%
display.say(
    """
    {% for line in lines if line.note %}
    - {{ line.file }} was read, but {{ line.note }}.
    {% endfor %}
    {% if problems %}
    Not read:

    {% for line in problems %}
    - {{ line.reason }}
    {% endfor %}
    {% endif %}
    """,
    lines=results.to_dict("records"),
    problems=results[results["verdict"] == predict.NOT_READ].to_dict("records"),
)

# %%
if len(judged) > 1:
    likeliest = [
        ", ".join(
            f"{line[f'genre {i}']} {100 * line[f'probability {i}']:.0f} %"
            for i in range(1, given.top + 1)
            if line["verdict"] != predict.NOT_READ and f"genre {i}" in line
        )
        for line in results.to_dict("records")
    ]
    display.table(
        results[["file", "seconds", "verdict"]].assign(
            **{"likeliest genres": likeliest, "why": results["reason"]}
        ),
        "files",
        f"Genres of {len(judged):,} files, likeliest first, with their probabilities"
        + (", calibrated on held-out tracks." if chosen.temperature != 1 else "."),
    )

# %%
for number, track in enumerate(shown):
    order = (-track.whole).argsort()
    display.figure(
        figures.probabilities(genres, track.whole, threshold=chosen.threshold),
        f"genres-{number}",
        f"Probability of each genre for {track.name}"
        + (". Below the threshold, the verdict is unsure." if chosen.threshold else "."),
        alt=", ".join(f"{genres[code]} {100 * track.whole[code]:.0f} %" for code in order) + ".",
        data=predict.by_genre(track, genres),
    )

# %% [markdown]
# ## Over time
#
# The model judges every three seconds by themselves. Shown is what it says of each, uncalibrated:
# it is often surer of a segment than it is right.

# %%
for number, track in enumerate(shown):
    most, least = track.typical
    first = genres[track.first]
    stretches = predict.stretches(track)
    per_genre = predict.over_time(track, genres)["genre"].value_counts()
    marked = {f"most {first}": most} | ({f"least {first}": least} if least != most else {})
    display.figure(
        figures.over_time(track.each, genres, stretches, marked=marked),
        f"time-{number}",
        f"Genres in {track.name} over time. {len(track.each):,} segments of 3 s; below, the "
        "likeliest genre of each.",
        alt=f"The likeliest genre changes {len(stretches) - 1:,} times. It is "
        + ", ".join(f"{genre} in {n:,} segments" for genre, n in per_genre.items())
        + ".",
        data=predict.over_time(track, genres),
    )
    display.say(
        """
        The most typical part of {{ name }}, by the probability of {{ first }}:
        {{ clock(3 * most) }} to {{ clock(3 * most + 3) }}, with {{ (100 * high) | fixed(0) }} %.
        {% if least != most %}
        The least: {{ clock(3 * least) }} to {{ clock(3 * least + 3) }}, with
        {{ (100 * low) | fixed(0) }} %.
        {% endif %}
        """,
        name=track.name,
        first=first,
        clock=figures.clock,
        most=most,
        least=least,
        high=track.each[most, track.first],
        low=track.each[least, track.first],
    )

# %% [markdown]
# ## Listen
#
# As the model hears it: mono, at 22,050 Hz.

# %%
for track in shown:
    start, samples = predict.excerpt(track)
    end = start + 3 * min(len(track.segments), predict.EXCERPT)
    display.say(
        "{{ name }}, {{ clock(start) }} to {{ clock(end) }}:",
        name=track.name,
        clock=figures.clock,
        start=start,
        end=end,
    )
    display.audio(predict.as_mp3(samples), label=track.name)

# %% [markdown]
# ## Is it like the training data?
#
# A model is always sure of something, also of what it has never met. What is far from the training
# data in many inputs is therefore called unsure, whatever the probabilities say.

# %%
for number, track in enumerate(shown):
    far = predict.farthest(track, chosen)
    strongest = far.iloc[0]
    display.say(
        """
        The distance of {{ name }} is {{ distance | fixed(2) }}: about 1 is usual
        {%- if limit is not none %}, and 99 % of held-out tracks lie within {{ limit | fixed(2) }}
        {%- else %}; how far held-out tracks lie from this model's training data is not known
        {%- endif %}. Its median segment has a level of {{ loudness | fixed(0) }} dB of full scale.
        """,
        name=track.name,
        distance=track.distance,
        limit=chosen.limit,
        loudness=track.loudness,
    )
    display.figure(
        figures.farthest(far),
        f"farthest-{number}",
        f"Features in which {track.name} is farthest from the training data. Means over its "
        "segments; shaded, two standard deviations around the mean.",
        alt=f"Farthest is {strongest['feature']}, {strongest['deviation']:+.1f} standard "
        f"deviations from the mean; {(far['deviation'].abs() > 2).sum()} of {len(far)} are farther "
        "than two.",
        data=far,
    )

# %% [markdown]
# ## What to expect of the model

# %%
card = chosen.card or {}
display.say(
    """
    It tells {{ genres | length }} genres apart: {{ genres | listed }}. It gives every sound one of
    these.
    {% if source and trained %}
    It was trained on {{ trained.tracks | count }} clips ({{ trained.segments | count }} segments)
    of {{ source.label }}. What it says of one of them is no test.
    {% endif %}
    {% if more %}
    It takes {{ inputs | count }} numbers of each segment, those of a second features table among
    them.
    {% endif %}
    {% for test in tests %}
    With a split by {{ test.split }}, it was right on
    {% if "tracks" in test %}
    {{ test.accuracy | fixed(1) }} % of {{ test.tracks | count }} test tracks.
    {% else %}
    {{ test["accuracy by segment"] | fixed(1) }} % of {{ test.segments | count }} test segments.
    {% endif %}
    {% endfor %}
    {% if threshold is none %}
    From which probability on it can be believed is not known.
    {% endif %}
    {% if temperature == 1 %}
    Its probabilities are not calibrated.
    {% endif %}

    The results are in {{ csv | code }} and {{ note | code }}, the latter with every segment.
    """,
    genres=genres,
    tests=card.get("held out", []),
    source=Source(**card["source"]) if "source" in card else None,
    trained=card.get("trained on", {}),
    more=chosen.more,
    inputs=len(chosen.columns),
    threshold=chosen.threshold,
    temperature=chosen.temperature,
    csv=display_path(csv),
    note=display_path(note),
)
