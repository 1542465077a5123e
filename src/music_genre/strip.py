"""Strip a notebook of what running and saving it adds: outputs, counts, an editor's metadata.

Git runs this file as a filter on whatever is committed (`.gitattributes`; `make lab` sets it up),
with whichever Python 3 it finds and from any commit. So it needs nothing beside itself.
"""

import json
import subprocess
import sys


def strip(notebook: dict) -> dict:
    """Return a notebook with what its `.py` holds too, and its cells' ids: nothing else.

    Raises
    ------
    KeyError, TypeError
        ``notebook`` is no notebook of format 4.
    """
    cells = []
    for cell in notebook["cells"]:
        tags = {key: value for key, value in cell["metadata"].items() if key == "tags"}
        bare = {**cell, "metadata": tags}
        if cell["cell_type"] == "code":
            bare.update(outputs=[], execution_count=None)
        cells.append(bare)
    kept = ("kernelspec", "jupytext")
    metadata = {key: notebook["metadata"][key] for key in kept if key in notebook["metadata"]}
    return {**notebook, "cells": cells, "metadata": metadata}


def strip_file(content: bytes) -> bytes:
    """Return a notebook file stripped, byte for byte as Jupyter would write that.

    A file that is no notebook, such as one with a merge's conflict markers, stays as it is.
    """
    try:
        notebook = strip(json.loads(content.decode("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return content
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def unstripped(folder: str = ".") -> list:
    """Return the notebooks of a checkout that are in git's index with more than that."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", "-C", str(folder), *arguments], stdout=subprocess.PIPE).stdout

    paths = git("ls-files", "-z", "notebooks/*.ipynb").decode().split("\0")[:-1]
    staged = {path: git("show", f":./{path}") for path in paths}
    return [path for path, content in staged.items() if strip_file(content) != content]


def main() -> None:
    if sys.argv[1:] != ["check"]:
        sys.stdout.buffer.write(strip_file(sys.stdin.buffer.read()))
    elif found := unstripped():
        sys.exit(
            f"error: git has outputs or an editor's metadata of {', '.join(found)}: run `make lab` "
            "once, which sets up git's filter, then `git add --renormalize notebooks`"
        )


if __name__ == "__main__":
    main()
