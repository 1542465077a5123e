"""JupyterLab's settings in `make lab`; flags, as in `make lab LAB="--port 9999"`, come first.

Those of its pages stand in labconfig/: a `.py` opens as a notebook, and nothing is asked for that
the notebooks do not need.
"""

import shutil
import subprocess
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDGET = "application/vnd.jupyter.widget-view+json"


def leave_out_widgets(model: dict, **_: object) -> None:
    """Save of a menu only the picture that stands for it: the menu dies with its kernel."""
    if model["type"] == "notebook":
        for cell in model["content"]["cells"]:
            for output in cell.get("outputs", []):
                output.get("data", {}).pop(WIDGET, None)


def tell_git(os_path: str, **_: object) -> None:
    """Have git see, once a notebook is saved, if nothing has changed but what its filter strips.

    Git reports a file of another length as modified without asking its filter. `git add` of what
    it has already stages nothing, and notes the new length.
    """
    git = ["git", "-C", str(ROOT)]
    saved = Path(os_path)
    if saved.parent == ROOT / "notebooks" and saved.suffix == ".ipynb":
        differs = subprocess.run([*git, "diff", "--quiet", "--", saved], capture_output=True)
        if differs.returncode == 0:
            subprocess.run([*git, "add", "--update", "--", saved], capture_output=True)


c = get_config()  # noqa: F821 (Jupyter defines it)
c.ServerApp.root_dir = str(ROOT)  # so that params/ and reports/ are in view
c.ServerApp.allow_root = True  # in a container one is root; to other users it makes no difference
c.LabApp.default_url = "/lab/tree/notebooks"
c.FileContentsManager.pre_save_hook = leave_out_widgets
if shutil.which("git"):
    c.FileContentsManager.post_save_hook = tell_git
# Jupyter sets every hook twice and warns of it.
warnings.filterwarnings("ignore", message="Overriding existing (pre|post)_save_hook")
