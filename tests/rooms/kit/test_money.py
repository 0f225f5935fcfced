"""Fen are whole, and what is shown or written reads back as what it was."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.money import E8, percent, read_yuan, yuan


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (1_234_567, "12,345.67"), (100_000_000, "1,000,000.00"), (-150, "-1.50")],
)
def test_yuan_has_two_places_and_thousands_apart(fen, text):
    assert yuan(fen) == text


@given(st.integers(-(10**15), 10**15))
def test_yuan_reads_back_to_the_fen(fen):
    assert Decimal(yuan(fen).replace(",", "")) * 100 == fen


@given(st.integers(0, 10**15))
def test_what_is_written_in_yuan_is_read_to_the_fen(fen):
    assert read_yuan(yuan(fen).replace(",", "")) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [("0", 0), ("5", 500), ("5.1", 510), ("0.01", 1), ("007", 700), ("92233720368547758.07", 2**63 - 1)],
)
def test_yuan_may_be_written_without_decimals(text, fen):
    assert read_yuan(text) == fen


NO_AMOUNTS = ("", " ", "all", "-1", "+1", "1e3", "1,000", "1.005", "1.", ".5", "1.5.0", "NaN", "¥5", " 1", "1\n")


@pytest.mark.parametrize("text", [*NO_AMOUNTS, "Infinity", "٣", "²", "92233720368547758.08", "9" * 30])
def test_what_is_no_amount_is_not_read_as_one(text):
    with pytest.raises(ValueError, match="is no amount in yuan with up to two decimals"):
        read_yuan(text)


@pytest.mark.parametrize(
    ("rate_e8", "text"),
    [(50_000, "0.05"), (35_000, "0.035"), (60_000, "0.06"), (20_000, "0.02"), (1_000_000, "1"), (100_000_000, "100")],
)
def test_a_daily_rate_is_shown_without_superfluous_zeros(rate_e8, text):
    assert percent(rate_e8) == text


@given(st.integers(1, 10**9))
def test_a_daily_rate_reads_back_exactly(rate_e8):
    text = percent(rate_e8)
    assert Decimal(text) * E8 / 100 == rate_e8
    assert "." not in text or not text.endswith(("0", "."))
