"""What `make report` does: `python -m music_genre.build report MAKE`.

It checks all that was typed, extracts features where there is music, writes the plan
(:mod:`music_genre.build.plan`), has make follow it and shows how far it is. `check` only checks
what was typed; `clean` removes a report: they need the standard library only. What was typed is
taken from the environment.
"""

import dataclasses
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from threading import Thread

from music_genre import names, pairs, terminal
from music_genre.build import done, estimate, plan, typed
from music_genre.data import find
from music_genre.exceptions import InputError
from music_genre.paths import DATA, REPORTS, ROOT, display_path, remove_leftovers

LOCK = REPORTS / ".lock"


def asked_for(only: str = "") -> tuple[typed.Options, Path, Path | None]:
    """Return the options of a report, the features table and the clips to describe."""
    asked = typed.options(os.environ, splits=plan.split_names())
    features, music = features_and_music(asked)
    if name := find.collection(features, music):
        asked = typed.of_collection(asked, name, os.environ)
    more = find.more_table(find.EXTRACTED if music else features)
    more_table = plan.as_given(more) if asked.more and (music or more.is_file()) else ""
    return dataclasses.replace(asked, only=only, more_table=more_table), features, music


def features_and_music(asked: typed.Options) -> tuple[Path, Path | None]:
    """Find the features table and the clips to describe, as :mod:`music_genre.data.find` does."""
    try:
        features, music = find.features_and_music(asked.features, asked.music)
    except OSError as error:
        raise InputError(
            f"{asked.music or display_path(DATA)} cannot be searched for music ({error.strerror}: "
            f"{error.filename}): name the folder of the music itself with MUSIC=."
        ) from error
    try:
        str(features).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"the path of {features.name} is not UTF-8: rename its folder, or link to it."
        ) from error
    return features, music


def check_files(planned: list[plan.Step]) -> None:
    """Check the parameters of each step whose file has changed since it was done."""
    checked = set()
    for step in planned:
        if step.file:
            then = done.content_of(step.target).get(display_path(step.file))
            same = then == done.sha256_of_source(step.file)
            if not same and (step.notebook, step.file) not in checked:
                from music_genre import params  # it takes a second, and PyYAML

                params.check_file(step.notebook, step.file)
                checked.add((step.notebook, step.file))


def extraction(music: Path, *, strict: bool) -> dict:
    """Describe the extraction of features from music, by all that determines the table."""
    module = plan.SOURCES / "data" / "extraction.py"
    return {
        "music": str(music.resolve()),
        "strict": strict,
        "files": find.state(music),
        "content": {
            display_path(path): done.sha256_of_source(path)
            for path in [module, *sorted(plan.imported(module))]
        },
        "target": display_path(find.EXTRACTED),
        "results": [display_path(find.EXTRACTED.with_suffix(".problems.json"))],
        "shows": [],
    }


def extract(music: Path, *, strict: bool, dry: bool, more: bool = False) -> None:
    """Extract features from music if they are not those of its files as they are now."""
    step = json.loads(json.dumps(extraction(music, strict=strict)))
    # The second table is noted apart: the first one is the same with it and without.
    further = {**step, "target": display_path(find.more_table(find.EXTRACTED)), "results": []}
    steps = [step, *([further] if more else [])]
    if all(map(done.up_to_date, steps)):
        return
    command = [sys.executable, "-m", "music_genre.data.extraction", str(music), step["target"]]
    if dry:
        print("python -m music_genre.data.extraction")
        return
    os.environ |= {"STRICT": "1" if strict else "", "MORE": "1" if more else ""}
    start = time.monotonic()
    if code := _run(command):
        sys.exit(code)
    for it in steps:
        done.note(it)
    targets = ", ".join(it["target"] for it in steps)
    print(f"{targets}: {terminal.duration(time.monotonic() - start)}", flush=True)


def said_of(asked: typed.Options, features: Path, music: Path | None) -> str:
    """Say what a report is made on, and why."""
    name = plan.as_given(features)
    if asked.features:
        why = "as FEATURES says"
    elif asked.music:
        why = f"as {asked.music_by} says"
    elif features != find.SAMPLE_TABLE:
        why = "the data under data/"
    else:
        name, why = "the embedded sample", "as data/ holds no music and no table"
        if find.EXTRACTED.exists():
            why += f"; FEATURES={display_path(find.EXTRACTED)} takes the features extracted last"
    clips = f" and the clips in {plan.as_given(music)}" if music else ""
    about = f"; it is about {asked.collection}, as that is not GTZAN" if asked.collection else ""
    return names.readable(f"reports/{asked.table}: on {name}{clips}, {why}{about}.")


# ---- The commands.


def report(make: str, only: str = "") -> int:
    """Make the report that the environment asks for, with a job for each core by default.

    ``only`` asks for something else in its place: the trainings and the notebook ``beyond``, or the
    searches of ``tune``.

    Returns
    -------
    int
        The exit status: 0 if the report was made and shows all that was asked for.
    """
    from music_genre.build import show  # rich, which `check` does without

    start = time.monotonic()
    flags = os.environ.get("MAKEFLAGS", "").split(" -- ")[0]  # variables follow, which make must
    dry = "n" in flags.split(" ")[0].removeprefix("-").split("-")[0]  # not expand
    asked, features, music = asked_for(only)
    with nullcontext() if dry else _alone(asked.table):
        _bring_pairs_into_agreement()
        planned = plan.steps(asked)
        check_files(planned)
        print(said_of(asked, features, music), flush=True)
        if music:
            extract(music, strict=asked.strict, dry=dry, more=asked.more)
        if asked.more and not asked.more_table:
            print(f"MORE is left out: there is no music, and no {find.more_table(features).name}.")
        if only:
            plan.check_more(asked, features)
        extracted = bool(music) or features == find.EXTRACTED
        described = plan.specs(asked, planned, features, extracted=extracted)
        rules, targets = plan.write(asked, planned, described)
        if not only:
            _say_what_is_replaced(described[-1])
        given = re.search(r"(?:^| )-j ?(\d*)|--jobserver", flags)
        jobs = int(given[1] or 0) if given else 0
        took = estimate.seconds(planned, described)
        print(show.plan(targets, len(described), took, jobs=jobs or os.cpu_count()), flush=True)
        if targets:
            os.environ |= {"MAKEFLAGS": flags, "PYTHON": sys.executable}
            command = [make, "--no-print-directory", "-rf", display_path(rules)]
            command += [] if given else [f"-j{os.cpu_count()}"]
            events = rules.with_name(".events.jsonl")
            code = _run(command) if dry else _follow(command, events, due=len(targets))
            if code:
                return code
        if dry:
            return 0
        print(f"{only or 'report'}: {described[-1]['target']}", flush=True)
        if not only:
            rows = {step.row: ROOT / step.given["output"] for step in planned if step.row}
            show.table(rows, of_paper=not asked.collection)
        print(f"total: {terminal.duration(time.monotonic() - start)}", flush=True)
    return _not_trained(planned)


def _bring_pairs_into_agreement() -> None:
    written, problems = pairs.check()
    print("".join(f"{line}\n" for line in written), end="")
    if problems:
        raise InputError("\n".join(problems))


def _say_what_is_replaced(page: dict) -> None:
    before = done.content_of(ROOT / page["target"])
    if before and before.get("table") != page["content"]["table"]:
        print("It replaces a report on another features table.", flush=True)


def _not_trained(planned: list[plan.Step]) -> int:
    outputs = [ROOT / step.given["output"] / "failed.json" for step in planned if step.trains]
    failed = [display_path(path) for path in outputs if path.exists()]
    if failed:
        print(f"error: not trained, see {' '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


@contextmanager
def _alone(table: str) -> Iterator[None]:
    """Keep a second report out of this checkout while one is made; clear up after killed ones."""
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise InputError(
                f"`make report` is already at work in this checkout ({file.read().strip()}): wait "
                "for its end, or use another clone."
            ) from error
        except OSError as error:  # such as some network file systems
            print(f"Start no second report in this checkout: it cannot be locked ({error}).")
        file.truncate(0)
        file.write(f"process {os.getpid()}, reports/{table}, since {datetime.now():%H:%M:%S}\n")
        file.flush()
        os.set_inheritable(file.fileno(), True)  # should this process be killed, the steps hold it
        folders = [REPORTS / table, ROOT / ".cache", find.EXTRACTED.with_suffix("")]
        remove_leftovers(path for folder in folders for path in folder.rglob(".*-*"))
        remove_leftovers(DATA.glob(".*-*"))
        yield


def _follow(command: list[str], events: Path, *, due: int) -> int:
    """Run make to its end, and show what its steps do."""
    from music_genre.build import show

    events.write_text("")
    os.environ[terminal.EVENTS] = str(events)
    steps = show.Steps(events, folder=display_path(events.parent), due=due)
    read, write = os.pipe()

    def hand_on() -> None:  # what make says itself, and what a step says past the events
        with open(read, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123
            for line in lines:
                steps.error(line.rstrip("\n"))

    others = Thread(target=hand_on, daemon=True)
    others.start()
    with steps.shown():
        code = _run(command, output=write, meanwhile=steps.update)
        os.close(write)
        others.join(timeout=1)
    events.unlink(missing_ok=True)
    return code


def _run(
    command: list[str], *, output: int | None = None, meanwhile: Callable[[], None] = lambda: None
) -> int:
    """Run a command to its end; end it if the make that this process was started by is gone."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the command too: it clears up
    # make hands job slots on by descriptors
    process = subprocess.Popen(command, stdout=output, stderr=output, close_fds=False)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        meanwhile()
        try:
            return process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            if os.getppid() != parent:
                process.terminate()


def clean() -> None:
    """Remove the report that TABLE names."""
    folder = typed.report_folder(os.environ)
    if folder.exists():
        shutil.rmtree(folder)


def main(command: str, *arguments: str) -> int:
    """Run a command; ``check`` is of all variables, and of the targets' that follow."""
    typed.check(os.environ)
    sys.stdout.reconfigure(errors="backslashreplace")  # names may hold what it cannot write
    if command == "report":
        return report(*arguments)
    if command == "clean":
        clean()
    for only in ("", "beyond", "tune"):
        if (only or "report") in arguments:
            plan.steps(asked_for(only)[0])
    if "predict" in arguments:
        typed.prediction(os.environ)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
