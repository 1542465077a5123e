"""What the README and CONTRIBUTING.md name is there, and the README names every module."""

import re

import pandas as pd
import pytest

from music_genre.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = ["README.md", "CONTRIBUTING.md", "reports/README.md"]


def tree() -> dict[str, str]:
    """Return the paths of the README's tree, folders with a slash at their end, and their text."""
    found, folders = {}, []
    block = re.search(r"## Where things are\n\n```\n(.*?)```", README, re.DOTALL)[1]
    for line in block.splitlines():
        indent, name, text = re.fullmatch(r"( *)(\S+) +(.+)", line).groups()
        folders = [*folders[: len(indent) // 2], name]
        found["".join(folders)] = text
    return found


def code(text: str) -> list[str]:
    """Return what a page sets as code, in blocks and in lines."""
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    spans = re.findall(r"`([^`]+)`", re.sub(r"```\n.*?```", "", text, flags=re.DOTALL))
    return [
        *(line for block in blocks for line in block.splitlines()),
        *(" ".join(span.split()) for span in spans),
    ]


def results(mark: str) -> pd.DataFrame:
    """Return one of the README's tables of results, as text, by its first column."""
    table = re.search(rf"<!-- {mark}: make publish -->\n(.*?)\n\n", README, re.DOTALL)[1]
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
    ]
    return pd.DataFrame(rows, columns=head).set_index(head[0])


def test_every_path_of_the_tree_is_there():
    for name, text in tree().items():
        path = ROOT / name
        assert path.exists() or "not in git" in text, name
        assert path.is_dir() == name.endswith("/") or not path.exists(), name


def test_the_tree_names_every_module_and_notebook():
    named = tree()
    sources = ROOT / "src" / "music_genre"
    for path in [*sources.rglob("*.py"), *(ROOT / "notebooks").glob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        if path.name.startswith("__"):
            continue
        if path.parent.name == "figures":  # of the notebooks' names, or named in the folder's line
            notebook = (ROOT / "notebooks" / path.name).exists()
            assert notebook or path.name in named["src/music_genre/report/figures/"], name
        else:
            assert name in named, f"give {name} a line in the README's tree"


def test_every_notebook_of_the_tree_is_a_pair():
    for name in tree():
        if name.startswith("notebooks/") and name.endswith(".py"):
            assert (ROOT / name).with_suffix(".ipynb").exists(), name


@pytest.mark.parametrize("page", PAGES)
def test_make_has_every_target_that_is_named(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    option = r'(?:-j\d+|-n|[A-Z_]+=(?:"[^"]*"|\S+))'
    named = [
        target
        for line in code((ROOT / page).read_text(encoding="utf-8"))
        for target in re.findall(rf"^(?:{option} )*make(?: {option})* ([a-z][a-z-]*)", line)
    ]
    assert named
    assert set(named) <= set(targets)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_a_file_leads_somewhere(page):
    path = ROOT / page
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", path.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [
                re.sub(r"[^\w\- ]", "", it).lower().replace(" ", "-") for it in headings
            ]


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_source_that_is_named_is_there(text):
    for span in code(text):
        if re.fullmatch(r"(src|tests|notebooks)/[\w/.-]+", span) and "yours" not in span:
            assert (ROOT / span).exists(), span
        if re.fullmatch(r"music_genre(\.\w+)+", span):
            module = ROOT / "src" / span.replace(".", "/")
            assert module.is_dir() or module.with_suffix(".py").exists(), span


def test_the_verdict_at_the_top_is_that_of_the_table():
    difference = results("table 1")["difference"].astype(float)
    assert difference["1"] > 5  # above the paper's
    assert difference["2":"5"].abs().max() < 5  # close to it
    assert difference["6":"7"].max() < -10  # far below it
    paper, drawn = (results("table 1")[of].astype(float) for of in ("paper", "re-drawn third"))
    assert (drawn - paper)["6":"7"].abs().max() < 1  # close to it if the third is drawn anew
    assert "9,990 segments" in (ROOT / "README.md").read_text()


def test_several_simpler_models_are_more_accurate_on_every_split():
    models = results("splits").astype(float)
    assert ((models > models.loc["three LSTMs"]).sum() >= 3).all()
    assert (models.loc["three LSTMs"].diff().dropna() < 0).all()  # lower on unheard music
