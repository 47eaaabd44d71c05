"""Takes the picture of a page that the docs show: python -m tests.reports.browser.shoot PAGE PNG."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.reports.browser.conftest import FLAGS, MILLISECONDS


def shoot(page: Path, picture: Path) -> None:
    """Open the page from disk and write its beginning as a PNG."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        view = browser.new_page(viewport={"width": 1100, "height": 1250}, color_scheme="light")
        view.set_default_timeout(MILLISECONDS)
        view.goto(page.resolve().as_uri())
        view.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    shoot(Path(sys.argv[1]), Path(sys.argv[2]))
