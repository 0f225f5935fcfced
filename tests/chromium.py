"""Finds a browser for the tests that walk the pages; run as a program, it also installs one where it may."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# where they are even if the PATH does not say so
APPLICATIONS = (
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PACKAGES = ("chromium", "fonts-noto-cjk")
VARIABLE = "GRAINLINE_CHROMIUM"


def find_chromium() -> str | None:
    """Return the path of a Chromium that starts, the one named by GRAINLINE_CHROMIUM first, or None."""
    named = os.environ.get(VARIABLE)
    candidates = [named] if named else [*map(shutil.which, COMMANDS), *APPLICATIONS, *_playwrights_own()]
    return next((path for path in candidates if path and _starts(path)), None)


def need_chromium() -> str:
    """Return the path of a Chromium, or skip the test that asks; where CI=true its absence is a failure."""
    found = find_chromium()
    if found is None:
        reason = f"no Chromium here; install one, or name it with {VARIABLE}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def launch_arguments() -> list[str]:
    """Return what Chromium must be told: as root, and in containers, it cannot make its sandbox."""
    return ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else ["--disable-dev-shm-usage"]


def _playwrights_own() -> list[str]:
    caches = (Path.home() / ".cache" / "ms-playwright", Path.home() / "Library" / "Caches" / "ms-playwright")
    return [str(path) for cache in caches for path in sorted(cache.glob("chromium-*/chrome-*/chrome"), reverse=True)]


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *command], env=environment, capture_output=True, check=False)


def main() -> None:
    """Say nothing when there is a browser; else install one if this is Debian and we are root."""
    if find_chromium() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stderr.write("Installing Chromium for the browser tests …\n")
        _install()
    if find_chromium() is None:
        sys.stderr.write("No Chromium: the browser tests will be skipped (or fail where CI=true).\n")


if __name__ == "__main__":
    main()
