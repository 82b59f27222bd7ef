"""A Chromium of the machine, driven by Playwright; nothing is downloaded, and no page reaches the network."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (  # it speaks to nobody by itself; as root its own sandbox is not to be had
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """The program, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def missing() -> str:
    """What a page cannot be rendered for, and the way out; "" where it can."""
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed: pip install playwright"
    return "" if find() else f"there is no Chromium here (looked for {', '.join(NAMES)}): apt-get install chromium"


@contextlib.contextmanager
def opened() -> Iterator[Browser]:
    """A headless browser with a profile of its own that is thrown away."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()
