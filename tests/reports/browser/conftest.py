"""One Chromium for all tests, of the system: none is downloaded.  Every wait is bounded."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.reports.browser.browser_support import many_sided_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 10
MILLISECONDS = 1000 * SECONDS


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Playwright gives it a fresh user-data-dir, and takes it away again."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path is not None, "chromium is needed: make browser-tests installs it where it may"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=list(FLAGS), timeout=3 * MILLISECONDS
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on disk."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(many_sided_page(), encoding="utf-8")
    return path


class Watched:
    """A browser that has nothing but the page: what it asks the network for and complains of is noted."""

    def __init__(self, context: BrowserContext, report: Path) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.report = report
        context.set_default_timeout(MILLISECONDS)
        context.set_default_navigation_timeout(MILLISECONDS)
        self.page: Page = context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, fragment: str = "") -> Page:
        """Open the page from disk."""
        self.page.goto(self.report.as_uri() + fragment)
        return self.page


@pytest.fixture
def watched(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page in a context of its own; `request.param`: the context's options, desktop if there are none."""
    options = {"viewport": {"width": 1280, "height": 900}, **getattr(request, "param", {})}
    context = browser.new_context(**options)
    watching = Watched(context, report)
    yield watching
    context.close()
    assert watching.complaints == []
    assert set(watching.requests) <= {report.as_uri(), "data:,"}
