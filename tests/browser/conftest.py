"""A browser, and one platform for all that walk in it."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from walk import LANGUAGE, PHONE_SIZE, Walk

from chromium import launch_arguments, need_chromium
from grainline.entry.settings import PROJECT_ROOT
from platform_process import PlatformProcess, run_platform

# What a browser does on its own account would otherwise be told from what our pages do only by its address.
QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


# A module's, not the session's: while it lives, Playwright's event loop is the thread's, and no other can run.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = need_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*launch_arguments(), *QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running() -> Iterator[PlatformProcess]:
    if not (PROJECT_ROOT / "web" / "borrower" / "dist" / "index.html").is_file():
        pytest.fail("the pages are not built; `make web` builds them")
    # As root PostgreSQL is another user, who must be able to pass through the folder.
    with tempfile.TemporaryDirectory(prefix="grainline-walk-") as folder:
        Path(folder).chmod(0o711)
        with run_platform(Path(folder)) as platform:
            yield platform


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder named by GRAINLINE_SCREENSHOTS, or a temporary one."""
    named = os.environ.get("GRAINLINE_SCREENSHOTS")
    folder = Path(named).absolute() if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def walk(chromium: Browser, running: PlatformProcess, screenshots: Path) -> Iterator[Callable[[str], Walk]]:
    """Begin a walk under a name, in a browser that knows nothing yet; at the end nothing may have gone wrong."""
    begun: list[Walk] = []

    def begin(name: str) -> Walk:
        width, height = PHONE_SIZE
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale=LANGUAGE,
            timezone_id="Europe/Lisbon",
            base_url=running.url,
        )
        begun.append(Walk(running, context.new_page(), screenshots, name))
        return begun[-1]

    yield begin
    for each in begun:
        each.page.context.close()
        each.check_nothing_went_wrong()
