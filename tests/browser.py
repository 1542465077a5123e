"""Pages in a real browser: Debian's Chromium or another one, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_browser = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium is installed to open a page with"
)


@contextmanager
def opened(
    path: Path, *, width: int = 1280, scheme: str = "light", scripts: bool = True
) -> Iterator[Page]:
    """Open a file without a network; whatever the browser complains of fails the test."""
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            reduced_motion="reduce",  # nothing moves while it is measured
            offline=True,
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert complaints == []
