"""Write a version of the holiday table from the wheel of the PyPI package `chinesecalendar`.

    python tools/make_holiday_table.py [VERSION]

The package follows the yearly notices of the State Council's General Office. Its wheel is downloaded without its
dependencies and is never installed; its one table is read. A version that is there is never written over: loans are
computed by it. For a new release, change PACKAGE and VERSION.
"""

import runpy
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from textwrap import fill

PACKAGE = "chinesecalendar==1.11.0"
VERSION = "cn-2025-11-04"  # the country, and the day on which the release was made
MEMBER = "chinese_calendar/constants.py"
FOLDER = Path(__file__).resolve().parents[1] / "src" / "grainline" / "kit" / "holiday_tables"
SATURDAY = 5
HEAD = """\
# Working days of mainland China. Of a year: the days from Monday to Friday on which nobody works, and the Saturdays and
# Sundays on which people do. Made by tools/make_holiday_table.py; a version is never changed, a later one is added.
source = "{source}"
"""


def table_of_wheel(folder: Path) -> tuple[set[date], set[date]]:
    """Download the wheel into `folder`; return the free days and the days that are worked all the same."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = runpy.run_path(archive.extract(MEMBER, folder))
    return set(names["holidays"]), set(names["workdays"])


def written(free: set[date], worked: set[date]) -> str:
    """Write the table: only what differs from a plain week."""
    parts = [HEAD.format(source=f"{PACKAGE} (MIT), after the State Council's yearly notices")]
    for year in range(min(free).year, max(free).year + 1):
        days_off = {day for day in free - worked if day.year == year and day.weekday() < SATURDAY}
        days_worked = {day for day in worked if day.year == year and day.weekday() >= SATURDAY}
        if not days_off:
            raise SystemExit(f"{PACKAGE} has no holidays in {year}")
        parts.append(f"\n[{year}]\ndays_off = [\n{_listed(days_off)}\n]\ndays_worked = [\n{_listed(days_worked)}\n]\n")
    return "".join(parts)


def _listed(days: Iterable[date]) -> str:
    text = ", ".join(day.isoformat() for day in sorted(days))
    return fill(text, 118, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False) + ","


def main() -> None:
    """Make the table and put it where the platform reads it."""
    target = FOLDER / f"{sys.argv[1] if len(sys.argv) > 1 else VERSION}.toml"
    if target.exists():
        raise SystemExit(f"{target} is there already; a version is never changed")
    with tempfile.TemporaryDirectory() as folder:
        target.write_text(written(*table_of_wheel(Path(folder))), encoding="utf-8")
    print(f"wrote {target}")  # noqa: T201


if __name__ == "__main__":
    main()
