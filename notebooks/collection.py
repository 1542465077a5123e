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
# # How well can these genres be told apart?
#
# Simple models are trained on part of the tracks and tested on the others, until every track was
# tested once. Whole tracks are held out, and then, where artists are known, whole artists.

# %% tags=["parameters"]
results: str = ""  # folder of a report on a collection; empty: reports/collection
rows: str = ""  # names of the rows whose networks to show, separated by spaces; empty: all
features: str = ""  # table it was measured on; empty: GTZAN's under data/ if there, else the sample

# %%
from pathlib import Path

import pandas as pd

from music_genre import params
from music_genre.analysis import collection
from music_genre.data import artists, find, table
from music_genre.metrics import classification
from music_genre.models import crossvalidation
from music_genre.paths import REPORTS, natural_key
from music_genre.report import display
from music_genre.report.figures.evaluate import confusion
from music_genre.report.figures.leakage import by_split

given = params.check("collection", globals())
folder = Path(given.results) if given.results else REPORTS / "collection"
found_rows = sorted((path.name for path in folder.glob("rows/*")), key=natural_key)
segments, source = table.load(given.features)
path = find.features_table(given.features)
name = source.collection or source.path

# %% tags=["banner"]
display.banner(source)

# %%
twins = collection.duplicates(segments, path)
artist, known_by = artists.of_table(segments, path)
together = collection.groups(segments, artist, twins)
of_tracks = collection.counts(segments, collection.clips(segments))
of_artists = collection.counts(segments, artist)
folds = {split: collection.folds(segments, together[split]) for split in together}
held_out = {
    split: crossvalidation.held_out(
        folder / "collection" / f"{split}.csv", segments, tests, source=source
    )
    for split, tests in folds.items()
    if tests
}
named = together.set_index(segments["filename"])
networks, failed = collection.networks(folder, given.rows.split() or found_rows, named)
simple = collection.scores(held_out, named)
scores = pd.concat([of for of in (networks, simple) if len(of)] or [simple], ignore_index=True)
order = {split: i for i, split in enumerate(["segment", "track", "artist"])}
scores = scores.sort_values("split", key=lambda of: of.map(order), kind="stable", ignore_index=True)

# %%
few = of_tracks[of_tracks < collection.FEW]
if held_out:
    best = collection.best(simple)
    split = best["split"]
    by_model = dict(list(held_out[split].groupby("model")))
    voted = collection.by_track(by_model[best["model"]])
    confused = collection.confusions(voted)
    suspects = collection.mislabelled(held_out["track"])

# %% tags=["headline"]
display.say(
    """
    **{{ name }}** has {{ tracks | length }} genres ({{ tracks.index[:most] | listed }}
    {%- if tracks | length > most %}, ...{% endif %}), {{ source.clips | count }} clips and
    {{ source.segments | count }} segments of three seconds.
    {% if source.left_out %}
    Left out {{ "was" if source.left_out | length == 1 else "were" }}
    {{ source.left_out | length | count }} more
    {{ "clip" if source.left_out | length == 1 else "clips" }}, for the reasons above.
    {% endif %}
    """,
    name=name,
    tracks=of_tracks,
    source=source,
    most=12,
)
if held_out:
    display.say(
        """
        {% if best.split == "artist" %}
        **Of music by artists that it has not heard**, the best of the simple models
        {% else %}
        **Of tracks that it has not heard**, the best of the simple models
        {% endif %}
        ({{ best.model }}) names the genre of {{ best.accuracy | fixed(0) }} % correctly
        (95 % interval {{ best.low | fixed(0) }} to {{ best.high | fixed(0) }}; always naming the
        most frequent genre: {{ best.guessing | fixed(0) }} %).
        {% if pairs %}
        Most often confused: {{ (100 * pairs[0].share) | fixed(0) }} % of the tracks of
        {{ pairs[0].label }} are taken for {{ pairs[0].predicted }}.
        {% endif %}
        [{{ suspects | length | count }}](#tab-collection-mislabelled)
        {{ "track looks" if suspects | length == 1 else "tracks look" }} mislabelled, and
        [{{ twins | length | count }}](#tab-collection-duplicates)
        {{ "pair of tracks looks" if twins | length == 1 else "pairs of tracks look" }} like
        duplicates.
        """,
        best=best,
        pairs=confused.to_dict("records"),
        suspects=suspects,
        twins=twins,
    )

# %%
display.say(
    """
    {% if not measured %}
    **This cannot be measured: fewer than two genres have two tracks or more.** Add tracks.
    {% endif %}
    {% if few %}
    **Too few for firm answers:** {% for genre, n in few %}
    {{ genre }} has {{ n }} {{ "track" if n == 1 else "tracks" }}
    {{- "." if loop.last else "; " }}{% endfor %}

    With fewer than {{ least }} tracks, what is said of a genre rests on a handful of them.
    {% if 1 in numbers %}
    A genre of one track cannot be both trained on and tested, and is left out here.
    {% endif %}
    {% endif %}
    {% if not all_tracks %}
    The names in this table do not tell which segments are of one track: each counts as a track.
    {% endif %}
    """,
    measured=bool(held_out),
    few=[*few.items()][:20],
    numbers=few.to_list(),
    least=collection.FEW,
    all_tracks=bool(source.clips),
)

# %% [markdown]
# ## By track and by artist

# %%
if held_out:
    display.figure(
        by_split(scores, bold=best["model"]),
        "collection-scores",
        "Accuracy of each model: per cent of the tracks whose genre it names, with 95 % intervals; "
        + "; ".join(
            f"{of['tracks'].iloc[0]:,} tracks by {split}"
            for split, of in simple.groupby("split", sort=False)
        )
        + "".join(
            f"; {one.tracks:,} by {one.split} for {one.model}" for one in networks.itertuples()
        )
        + ".",
        alt=" ".join(
            f"By {split}, the most accurate is {of.loc[of['accuracy'].idxmax(), 'model']} with "
            f"{of['accuracy'].max():.1f} %, the least {of.loc[of['accuracy'].idxmin(), 'model']} "
            f"with {of['accuracy'].min():.1f} %."
            for split, of in scores.groupby("split", sort=False)
        ),
        data=scores,
    )

# %%
display.say(
    """
    {% if artists_known == tracks %}
    All artists are known:
    {% elif artists_known %}
    The artists of {{ artists_known | count }} of {{ tracks | count }} tracks are known:
    {% else %}
    No artist is known, by tags or by folders (*genre/artist/album/song*), so it is not known how
    much of the accuracy comes from knowing the artist.
    {% endif %}
    {% if artists_known %}
    {{ artists | count }} artists, of {{ by.tag | count }} tracks by tags and of
    {{ by.folder | count }} by folders.
    {% if artists_known < tracks %}
    Tracks of unknown artists are left out where artists are held out.
    {% endif %}
    {% if alone %}
    Genres of fewer than two artists are left out there too: {{ alone | listed }}.
    {% endif %}
    {% if not by_artist %}
    Fewer than two genres have two artists or more, so artists cannot be held out.
    {% endif %}
    {% endif %}

    {% if drop %}
    On the {{ drop.tracks | count }} tracks that were tested in both ways, the {{ model }} names
    {{ drop.track | fixed }} % of the genres with whole tracks held out and
    {{ drop.artist | fixed }} % with whole artists held out (95 % interval of the difference
    {{ drop.low | signed }} to {{ drop.high | signed }} points):
    {% if drop.low > 0 %}
    part of what it knows of a track is its artist.
    {% elif drop.high < 0 %}
    knowing other tracks of an artist does not help it here.
    {% else %}
    that knowing the artist helps it is not established.
    {% endif %}
    {% endif %}
    {% for row, reason in failed.items() %}

    The network of row {{ row }} could not be trained: {{ reason }}
    {% endfor %}
    """,
    tracks=int(of_tracks.sum()),
    artists_known=sum(known_by.values()),
    artists=artist.nunique(),
    by=known_by,
    alone=[genre for genre, n in of_artists.items() if n < 2],
    by_artist="artist" in held_out,
    model=best["model"] if held_out else "",
    drop=(
        collection.drop(held_out, best["model"], named["artist"])
        if {"track", "artist"} <= set(held_out)
        else {}
    ),
    failed=failed,
)

# %% [markdown] tags=["fold"]
# ### How it was measured, and all scores
#
# Tracks that look like duplicates are held out together, so that none is recognised by its copy. A
# track's genre is that with the highest mean probability over its segments. Logistic regression
# comes after a power transform that makes each input nearly normal; no model's settings were chosen
# on this music. The intervals resample what was held out: tracks or artists. The network is trained
# on part of the tracks and tested on the rest; how, is in its own section.

# %%
if held_out:
    display.table(
        scores,
        "collection-all-scores",
        "All models: accuracy by track and by segment in per cent, each with its 95 % interval.",
        decimals=1,
    )

# %% [markdown]
# ## Which genres are confused?

# %%
if held_out:
    matrix = classification.confusion(voted["label"], voted["predicted"])
    display.figure(
        confusion(matrix),
        "collection-confusion",
        f"Confusion matrix of the {best['model']}, held out by {split}: {len(voted):,} tracks, "
        "true genres down, predicted ones across.",
        alt=(
            "Most often confused: "
            + ", ".join(
                f"{one.label} taken for {one.predicted} ({one.tracks} tracks, "
                f"{100 * one.share:.0f} %)"
                for one in confused.itertuples()
            )
            + "."
            if len(confused)
            else "All tracks lie on the diagonal."
        ),
        data=matrix.reset_index(names="true", allow_duplicates=True),
    )
    recalls = classification.per_genre(voted["label"], voted["predicted"])
    display.say(
        """
        Recognised best is {{ best.genre }} ({{ best.recall | fixed(0) }} % of its
        {{ best.segments }} tracks), worst {{ worst.genre }} ({{ worst.recall | fixed(0) }} % of
        {{ worst.segments }}).
        {% if pairs %}
        Most often confused are{% for pair in pairs %}
         {{ pair.label }} with {{ pair.predicted }} ({{ pair.tracks }}
        {{ "track" if pair.tracks == 1 else "tracks" }}, {{ (100 * pair.share) | fixed(0) }} %)
        {{- "." if loop.last else ";" }}
        {%- endfor %}
        {% endif %}
        """,
        best=recalls.loc[recalls["recall"].idxmax()].to_dict(),
        worst=recalls.loc[recalls["recall"].idxmin()].to_dict(),
        pairs=confused.to_dict("records"),
    )

# %% [markdown]
# ## Which tracks look mislabelled?
#
# **This is a suspicion, not a finding:** models that did not hear a track name another genre than
# its label, and are sure of it. Listen before you change a label.

# %%
if held_out:
    display.say(
        """
        {% if n %}
        {{ n | count }} of {{ tracks | count }} tracks {{ "looks" if n == 1 else "look" }}
        mislabelled.
        {% if n > most %}
        The table shows the {{ most }} surest.
        {% endif %}
        {% else %}
        No track does.
        {% endif %}
        """,
        n=len(suspects),
        tracks=simple.loc[simple["split"] == "track", "tracks"].iloc[0],
        most=50,
    )
    if len(suspects):
        display.table(
            suspects[:50],
            "collection-mislabelled",
            "Tracks whose label held-out predictions contradict: confidence is the probability of "
            "the predicted genre in per cent, by the mean of two models, the surest first.",
            decimals=0,
        )

# %% [markdown] tags=["fold"]
# ### How they were found
#
# Logistic regression and extra trees predict each track in the fold in which it tests. Where genres
# are hard to tell apart, correct labels are listed too. A mistake that is made for a whole album
# may be learnt, and not be found.

# %%
if held_out:
    display.say(
        """
        A track is listed if both models name the same other genre and it is at least {{ odds }}
        times as probable as the label, by the mean of both over the track's segments.
        """,
        odds=collection.ODDS,
    )

# %% [markdown]
# ## Which tracks look like duplicates?

# %%
display.say(
    """
    {% if n %}
    {{ n | count }} {{ "pair of tracks looks" if n == 1 else "pairs of tracks look" }} like
    duplicates
    {%- if other %}; **{{ other | count }} of them
    {{ "has" if other == 1 else "have" }} two different labels**{% endif %}.
    {% if n > most %}
    The table shows the {{ most }} surest.
    {% endif %}
    {% else %}
    No two tracks do.
    {% endif %}
    """,
    n=len(twins),
    other=int((twins["genre"] != twins["other genre"]).sum()),
    most=50,
)
if len(twins):
    display.table(
        twins[:50],
        "collection-duplicates",
        "Pairs of tracks that look like duplicates: files with the same bytes; tracks with equal "
        "segments; tracks that are each other's nearest, with the ratio of the distance between "
        "them to that to the nearest third one.",
    )

# %% [markdown] tags=["fold"]
# ### How duplicates were found
#
# Equal are segments that agree in all 57 features, to within rounding; at least half of the shorter
# track's must be.

# %%
display.say(
    """
    Alike are two tracks if at least {{ (100 * most) | fixed(0) }} % of the segments of each have
    their nearest segment in the other one, and that is, by the median, nearer than {{ alike }}
    times the distance to any third track. The same recording in another format mostly is, and so
    are versions of it; one that was squeezed hard, or cut otherwise, may not be found.
    """,
    most=collection.MOST,
    alike=collection.ALIKE,
)
