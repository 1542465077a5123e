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
# # Tune: a search for settings
#
# Which settings let a network name most genres of tracks right that it has not heard? Each trial is
# trained on training tracks and scored by validation tracks. No test segment takes part.

# %% tags=["parameters"]
models: str = "mlp"  # networks to choose from, separated by spaces: names in networks.NETWORKS
trials: int = 30  # settings to try in all; those tried before count
split: str = "track"  # track, or artist (published); by segment, tracks would be on both sides
test_size: float = 0.33  # share of the tracks that test, and take no part; not for split artist
validation_size: float = 0.25  # share of the other tracks that score; not for split artist
seed: int = 0  # of the split, of the trials, and of every training
features: str = ""  # features table (CSV); empty: GTZAN's under data/ if there, else the sample
more: str = ""  # second features table (CSV), of the same segments: further inputs; empty: none
output: str = ""  # folder for <split>.csv and <split>.yaml; empty: a new one under reports/manual/

# %%
import yaml

from music_genre import params, terminal
from music_genre.data import find, splits, table
from music_genre.exceptions import InputError
from music_genre.models import networks, runs, tuning
from music_genre.paths import atomic, display_path
from music_genre.report import display

given = params.check("tune", globals())
if not splits.SPLITS[given.split].disjoint_by:
    raise InputError(f"split {given.split} leaves no track unheard: choose track or artist.")
chosen_from = networks.named(given.models)
folder = params.output_folder(given.output)
segments, source = table.load(given.features)
more = table.load_more(given.more, segments)
name = f"{given.split}{'' if more is None else find.WITH_MORE}"

# %% tags=["banner"]
display.banner(source)

# %%
parts = splits.split(
    segments, given.split, test_size=given.test_size, seed=given.seed,
    table_folder=find.features_table(given.features).parent,
)  # fmt: skip
if "validation" not in parts:
    parts = splits.set_aside(
        segments, parts, given.split, share=given.validation_size, seed=given.seed
    )
found = tuning.search(
    lambda settings: tuning.on_validation(settings, segments, parts, seed=given.seed, more=more),
    folder / f"{name}.csv",
    models=chosen_from,
    trials=given.trials,
    seed=given.seed,
    identity={
        "source": source,
        "more": runs.second_table(given.more),
        **{name: vars(given)[name] for name in ("split", "test_size", "validation_size")},
    },
)
best = tuning.best(found)
with atomic(folder / f"{name}.yaml") as temporary:
    temporary.write_text(
        f"# The best of {len(found)} trials, by validation tracks.\n"
        + yaml.safe_dump(best, sort_keys=False),
        encoding="utf-8",
    )

# %%
display.table(
    found.sort_values(tuning.SCORE, ascending=False, kind="stable").head(10),
    f"tune-{name}",
    f"The ten best of {len(found)} trials, split by {given.split}: settings, accuracy by track on "
    "validation tracks in per cent, and seconds to train.",
    decimals=4,
)
display.say(
    """
    The best of {{ n }} trials has {{ score | fixed(2) }} % of the validation tracks right. Its
    settings are in {{ path | code }}; {{ command | code }} trains it again and tests it once.
    {% if more %}
    Each trial takes {{ more | count }} more numbers of each segment beside the 58.
    {% endif %}
    """,
    n=len(found),
    score=found[tuning.SCORE].max(),
    path=display_path(folder / f"{name}.yaml"),
    command="make beyond" if more is None else "make beyond MORE=1",
    more=0 if more is None else more.shape[1],
)
terminal.tell(
    f"best of {len(found)} trials, split by {given.split}: {found[tuning.SCORE].max():.2f} % of "
    "validation tracks"
)
