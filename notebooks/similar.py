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
# # Similar: tracks that sound alike
#
# For a track of the table, or a file of your own: the nearest tracks by the network's last state,
# which is what its last layer before the softmax says of them, and by the scaled features. No
# listener has judged them. What is measured is how many of them have the query's genre.

# %% tags=["parameters"]
track: str = ""  # a track of the table, such as blues.00042; empty: the first that is held out
audio: str = ""  # a sound file of your own, instead of a track
results: str = ""  # folder of a report with trained splits; empty: reports/table1
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample

# %%
import pandas as pd

from music_genre import params
from music_genre.analysis import similar
from music_genre.analysis.similar import SCALED, STATE, K
from music_genre.data import find, table
from music_genre.data.splits import SPLITS
from music_genre.paths import display_path
from music_genre.report import display
from music_genre.report.figures import similar as figures

given = params.check("similar", globals())
folder = params.report_folder(given.results)
segments, source = table.load(given.features)
tracks = similar.tracks(segments, find.features_table(given.features).parent)
similar.check_query(given.track, given.audio, tracks)
networks, left_out = similar.load(folder, segments, source)
network = next(reversed(networks.values()), None)  # of the strictest split
scaler = similar.scaler(segments)
scaled = similar.scaled(segments, scaler)
spaces = {SCALED: scaled} if network is None else {STATE: network.states, SCALED: scaled}

# %% tags=["banner"]
display.banner(source)

# %%
display.say(
    """
    {% for name, reason in left_out.items() %}
    - The network of the split by {{ name }} is left out: {{ reason }}
    {% endfor %}

    {% if not networks %}
    **Here, tracks are compared by their features only:** in {{ folder | code }} there is no network
    of this table that was trained with whole tracks held out. `make report SPLITS="segment track"`
    trains one.
    {% endif %}

    {% if unknown %}
    The names of {{ unknown | count }} segments do not tell their track. Each of these counts as a
    track of its own, so its neighbours may be of the same recording.
    {% endif %}
    """,
    left_out=left_out,
    networks=networks,
    folder=display_path(folder),
    unknown=int(table.tracks(segments).isna().sum()),
)

# %%
measured = similar.measure(tracks, scaled, networks)
main = measured[0]
scores, differences = similar.scores(measured), similar.differences(measured)
at_k = scores[scores["k"] == K].reset_index(drop=True)
precisions = similar.precisions(at_k)
display.say(
    """
    {% if main.split %}
    **Of the {{ k }} tracks nearest by the network's last state, {{ best[STATE] | fixed }} % have
    the query's genre; of those nearest by the scaled features, {{ best[SCALED] | fixed }} %.**
    {% else %}
    **Of the {{ k }} tracks nearest by the scaled features, {{ best[SCALED] | fixed }} % have the
    query's genre.**
    {% endif %}
    Of tracks drawn at random, {{ chance | fixed }} % would have it
    {%- if most < 99.95 %}; the numbers of tracks allow {{ most | fixed }} % at most{% endif %}.
    {% if main.split %}
    The difference is {{ between.difference | signed }} points (95 % interval
    {{ between.low | signed }} to {{ between.high | signed }}):
    {% if between.favours == STATE %}
    the network puts genres together better than the features do.
    {% elif between.favours == SCALED %}
    the features put genres together better than the network does.
    {% else %}
    no difference between the two is established.
    {% endif %}
    {% endif %}

    {% if main.split %}
    Queries and candidates are the {{ n | count }} tracks that test in the split by
    {{ main.split }}: the network, the last row's recipe trained once, had
    {{ SPLITS[main.split].held_out }} held out.
    {% else %}
    Queries and candidates are all {{ n | count }} tracks of the table.
    {% endif %}
    {% if main.other_artists %}
    Tracks of the query's artist are no candidates
    {%- if unknown %} (of {{ unknown }} of the {{ n | count }} tracks the artist is not known)
    {%- endif %}.
    {% else %}
    Tracks of the query's artist are candidates too
    {%- if unknown == n %}, as artists are not known{% endif %}.
    {% endif %}

    {% for (split, part, artists), of in precisions.items() %}
    {% if split == main.split and part == main.part and artists != main_artists %}
    - **With the query's artist among the candidates:**
    {% if STATE in of %}
      {{ of[STATE] | fixed }} % by the state,
    {% endif %}
      {{ of[SCALED] | fixed }} % by the features.
    {% if of[SCALED] > best[SCALED] %}
      Part of what seems to be a genre's sound is an artist's.
    {% endif %}
    {% elif part == "test" and split != main.split and artists == main_artists %}
    - **With {{ SPLITS[split].held_out }} held out:** {{ of[STATE] | fixed }} % by the state,
      {{ of[SCALED] | fixed }} % by the features. This network may have been trained on other tracks
      of the same artists.
    {% elif part == "train" and split == main.split and artists == main_artists %}
    - **Among the tracks that the network was trained on:** {{ of[STATE] | fixed }} % by the state,
      {{ of[SCALED] | fixed }} % by the features. The network was told the genres of these tracks,
      so this says nothing about music that is new to it.
    {% endif %}
    {% endfor %}
    """,
    k=K, STATE=STATE, SCALED=SCALED, SPLITS=SPLITS, main=main, n=len(main.tracks),
    precisions=precisions, best=precisions[similar.key(main)],
    main_artists=at_k["artists"].iloc[0], chance=at_k["chance"].iloc[0],
    most=at_k["best"].iloc[0],
    unknown=int(main.tracks["artist"].isna().sum()),
    between=differences[differences["k"] == K].iloc[0].to_dict() if networks else None,
)  # fmt: skip

# %%
PART = {
    "test": "held out by {split}",
    "train": "trained on, split by {split}",
    "": "the whole table",
}
ARTISTS = {"other": "other artists", "any": "any artist"}
at_k["measured on"] = [
    f"{PART[part].format(split=split)}, {ARTISTS[artists]}"
    for split, part, artists in at_k[["split", "part", "artists"]].to_numpy()
]
shares = {space: at_k[at_k["space"] == space].sort_values("precision") for space in spaces}
display.figure(
    figures.precision(at_k, "measured on"),
    "similar-precision",
    f"Nearest tracks that have the query's genre: per cent of the {K} nearest, with 95 % intervals "
    "over tracks (over artists where these are held out). Grey lines: expected of tracks drawn at "
    "random.",
    alt=" ".join(
        f"By the {space}, the share is smallest for {of['measured on'].iloc[0]} "
        f"({of['precision'].iloc[0]:.1f} %) and largest for {of['measured on'].iloc[-1]} "
        f"({of['precision'].iloc[-1]:.1f} %)."
        for space, of in shares.items()
    ),
    data=at_k,
)

# %% [markdown] tags=["fold"]
# ## The nearest of one track

# %%
# Results of another table, which the default folder may hold, are not replaced.
kept = folder / similar.NEIGHBOURS if networks or given.results else None
every = similar.all_nearest(kept, segments, source, tracks, spaces, network)
if given.audio:
    name, points = similar.of_file(given.audio, scaler, network)
    without = [name, *tracks.index[tracks["artist"] == tracks["artist"].get(name)]]
    lists = {
        space: similar.described(
            similar.nearest_to(point, spaces[space], without=without), tracks, segments
        )
        for space, point in points.items()
    }
else:
    name = given.track or similar.example(tracks, network)
    lists = {
        space: every[(every["track"] == name) & (every["space"] == space)].drop(
            columns=["space", "track"]
        )
        for space in spaces
    }
display.say(
    """
    {% if audio %}
    The query is the file *{{ audio }}*.
    {% if known %}
    The table's track {{ name }} has its name, and is left out.
    {% endif %}
    {% if network and STATE not in lists %}
    The network is not in {{ run | code }}, so the file is compared by its features only.
    {% endif %}
    {% else %}
    The query is **{{ name }}** ({{ known.label }}
    {%- if known.artist is string %}, {{ known.artist }}{% endif %}).
    {% for space, own in lists.items() %}
    By the {{ space }}, {{ (own.genre == known.label).sum() }} of its {{ own | length }} nearest are
    {{ known.label }}.
    {% endfor %}
    {% endif %}
    {% if lists | length == 2 %}
    {{ both }} {{ "track is" if both == 1 else "tracks are" }} in both lists.
    {% endif %}
    Candidates are all tracks of the table
    {%- if network and STATE in lists %}, also those that the network was trained on{% endif %}
    {%- if artists and known %}, but not those of its artist, where that is known{% endif %}.

    For another one: `papermill notebooks/similar.ipynb out.ipynb -p track NAME`, or
    `-p audio FILE`.
    {% if file %}
    The nearest of every track are in {{ file | code }}.
    {% else %}
    With `-p results FOLDER`, the nearest of every track are written to that folder.
    {% endif %}
    """,
    audio=find.given(given.audio).name if given.audio else "", name=name, lists=lists, STATE=STATE,
    known=tracks.loc[name].to_dict() if name in tracks.index else None, network=network is not None,
    run=display_path(network.run) if network else "", artists=tracks["artist"].notna().any(),
    both=len(set.intersection(*(set(own["neighbour"]) for own in lists.values()))),
    file=display_path(kept) if kept else "",
)  # fmt: skip
for space, own in lists.items():
    display.table(
        own,
        "similar-nearest-" + ("state" if space == STATE else "features"),
        f"The nearest by the {space}: Euclidean distance between means over segments"
        + ("." if given.audio else ", and segments that are equal to one of the query's."),
    )

# %% [markdown]
# ## By genre

# %%
genres = similar.by_genre(main)
genres_at_k = genres[genres["k"] == K]
sorted_genres = {
    space: genres_at_k[genres_at_k["space"] == space].sort_values("precision") for space in spaces
}
display.figure(
    figures.precision(genres_at_k, "genre"),
    "similar-genres",
    f"Nearest tracks that have the query's genre, by genre: per cent of the {K} nearest, with 95 % "
    f"intervals, {len(main.tracks):,} tracks, {at_k['measured on'].iloc[0]}.",
    alt=" ".join(
        f"By the {space}, the share is smallest for {of['genre'].iloc[0]} "
        f"({of['precision'].iloc[0]:.1f} %) and largest for {of['genre'].iloc[-1]} "
        f"({of['precision'].iloc[-1]:.1f} %)."
        for space, of in sorted_genres.items()
    ),
    data=genres,
)

# %% [markdown] tags=["fold"]
# ### Five and ten nearest, by genre
#
# *chance* is the expected value of tracks drawn at random; *best*, what the numbers of tracks
# allow, as a genre of few tracks, or of few artists, cannot fill a list.

# %%
display.table(
    genres,
    "similar-by-genre",
    f"Precision at 5 and 10 by genre: per cent of the k nearest, {at_k['measured on'].iloc[0]}. "
    "The 95 % intervals of a genre resample few tracks or artists.",
    decimals=1,
)

# %% [markdown] tags=["fold"]
# ### Hubs and duplicates
#
# In a space of many dimensions, some tracks are among the nearest of very many others: hubs. Others
# are among those of none. A recommender would name the hubs again and again. The more unequal the
# tracks, the larger the skewness of the number of lists that each is in.

# %%
unfiltered = next(one for one in measured if not one.other_artists)
n = len(unfiltered.tracks)
every_hub, expected = similar.hubs(measured, segments), similar.at_random(n)
hubs = similar.hubs([unfiltered], segments).to_dict("records")
display.say(
    """
    {% if n <= k + 1 %}
    With only {{ n }} tracks, each is in the lists of all others: there is nothing to compare.
    {% else %}
    {% for of in hubs %}
    - **By the {{ of.space }}**, the skewness is {{ of.skewness | fixed(2) }}. The largest hub,
      {{ of.hub }}, is in {{ of["in lists"] }} of {{ n | count }} lists, and
      {{ of["in no list"] | fixed }} % of the tracks are in none.
    {% endfor %}
    - **Drawn at random**, the skewness would be {{ expected.skewness | fixed(2) }}, and
      {{ expected["in no list"] | fixed }} % of the tracks would be in no list.
    {% endif %}
    - **Duplicates:** some tracks have segments that are equal to another track's. Among the
      {{ whole.neighbours | count }} neighbours of all {{ tracks | count }} tracks by the features,
      {{ whole.duplicates | count }} are such duplicates of the query.
    """,
    hubs=hubs,
    n=n,
    k=K,
    expected=expected,
    whole=every_hub.iloc[-1].to_dict(),
    tracks=len(tracks),
)
counts = pd.DataFrame(
    {
        space: similar.occurrences(found, unfiltered.tracks.index)
        for space, found in unfiltered.lists.items()
    }
)
display.figure(
    figures.occurrences(counts, expected["tracks"]),
    "similar-hubs",
    f"In how many lists of {K} nearest a track is: {n:,} tracks, "
    f"{PART[unfiltered.part].format(split=unfiltered.split)}, any artist.",
    alt=" ".join(
        f"By the {of['space']}, the bars reach to {of['in lists']} lists, and the line of lists "
        f"drawn at random to {expected['most']}."
        for of in hubs
    ),
    data=counts.rename_axis("track").reset_index(),
)

# %% [markdown] tags=["fold"]
# ### All numbers, and how they were measured
#
# A track is described by the mean over its segments: of the network's last state, or of the 57
# features, each scaled by its mean and standard deviation over all segments of the table. The
# nearest are those at the smallest Euclidean distance. A query's own segments are in its own mean,
# so none of them is a neighbour.
#
# A network knows the genres of the tracks that it was trained on. Numbers that speak of new music
# are therefore those of held-out tracks, where queries and candidates are both from the test part.
# The intervals resample queries, with the candidates as they are: whole artists where the split is
# by artist (a track whose artist is not known counts as one), else tracks. What is drawn at random
# has an expected share of exactly the candidates that have the query's genre, at any length of the
# list.

# %%
display.table(
    scores.replace("", None),
    "similar-scores",
    "Precision at 5 and 10: per cent of the k nearest that have the query's genre, with 95 % "
    "intervals. Part test was held out from the network, train was trained on. –: the whole table.",
    decimals=1,
)
if networks:
    display.table(
        differences,
        "similar-differences",
        "The two spaces compared: precision by the state minus that by the features in percentage "
        "points, and which of the two the 95 % interval favours (–: neither).",
        decimals=1,
    )
display.table(
    every_hub.replace("", None),
    "similar-all-hubs",
    f"Hubness of all lists of {K}: skewness of the number of lists that a track is in, the largest "
    "hub, per cent of tracks in no list; neighbours in all lists, and duplicates among them.",
)
