"""A town of 3,000 residents over 18 months, written once."""

from datetime import date
from pathlib import Path

import pytest
from town_files import Files

from grainline.sandbox.lives import generate


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("lives") / "town"
    generate(folder, residents=3_000, seed=11, until=date(2026, 11, 30))
    return Files(Path(folder))
