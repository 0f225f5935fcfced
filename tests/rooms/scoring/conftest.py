"""The shipped people, whole and as a small sample; the files are read, never made up."""

from pathlib import Path

import polars as pl
import pytest

from grainline.scoring import Portfolio, Scores, load_portfolio, score_portfolio
from grainline.scoring.portfolio import checked

SHIPPED = Path(__file__).resolve().parents[3] / "data" / "credit_card_default.parquet"


@pytest.fixture(scope="session")
def shipped() -> Portfolio:
    return load_portfolio(SHIPPED)


@pytest.fixture(scope="session")
def sample(shipped: Portfolio) -> Portfolio:
    return checked(shipped.frame.sample(3_000, seed=5))


@pytest.fixture(scope="session")
def progress_seen() -> list[tuple[int, int]]:
    """What the scoring of the sample reported on its way."""
    return []


@pytest.fixture(scope="session")
def sample_scores(sample: Portfolio, progress_seen: list[tuple[int, int]]) -> Scores:
    return score_portfolio(sample, progress=lambda done, total: progress_seen.append((done, total)))


@pytest.fixture
def frame(shipped: Portfolio) -> pl.DataFrame:
    return shipped.frame.head(1_000)
