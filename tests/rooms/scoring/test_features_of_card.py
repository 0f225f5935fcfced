"""One person's features are those of a portfolio's row, to the bit: a decision sees what its model was fitted to."""

import struct
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.scoring import FeatureMissing, FeatureOutOfRange, Portfolio, features_of_card, load_portfolio
from grainline.scoring.features import AS_THEY_ARE, FEATURES, features_of
from grainline.scoring.portfolio import COLUMNS

PORTFOLIO = Path(__file__).resolve().parents[3] / "data" / "credit_card_default.parquet"
BOUNDS = {column.name: st.integers(column.least, column.most) for column in COLUMNS if column.name in AS_THEY_ARE}


def bits(row: dict[str, float]) -> bytes:
    return struct.pack(f"{len(FEATURES)}d", *(row[name] for name in FEATURES))


def test_everybody_in_the_portfolio_has_the_same_bits_alone() -> None:
    portfolio = load_portfolio(PORTFOLIO)
    cards = portfolio.frame.select(AS_THEY_ARE).to_dicts()
    together = features_of(portfolio).to_dicts()
    assert len(cards) == 30_000
    differ = [
        n
        for n, (card, row) in enumerate(zip(cards, together, strict=True))
        if bits(features_of_card(card)) != bits(row)
    ]
    assert differ == []


@given(st.fixed_dictionaries(BOUNDS))
def test_whatever_a_card_may_hold_has_the_same_bits_alone(card: dict[str, int]) -> None:
    one = pl.DataFrame({name: [card[name]] for name in AS_THEY_ARE}, schema=dict.fromkeys(AS_THEY_ARE, pl.Int64))
    alone = features_of_card(card)
    assert list(alone) == list(FEATURES)
    assert bits(alone) == bits(features_of(Portfolio(one)).row(0, named=True))


def test_a_card_without_a_month_or_without_a_limit_has_no_features() -> None:
    card = dict.fromkeys(AS_THEY_ARE, 1)
    with pytest.raises(FeatureMissing):
        features_of_card({name: value for name, value in card.items() if name != "paid_4"})
    with pytest.raises(FeatureOutOfRange):
        features_of_card(card | {"card_limit": 0})
