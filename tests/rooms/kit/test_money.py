"""Fen are whole, half a fen goes up, and what is shown reads back as what it was."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.money import E8, percent, round_half_up, yuan


@pytest.mark.parametrize(
    ("amount_e8", "fen"),
    [(0, 0), (49_999_999, 0), (50_000_000, 1), (149_999_999, 1), (150_000_000, 2), (250_000_000, 3)],
)
def test_half_a_fen_goes_up_whether_the_fen_before_it_is_odd_or_even(amount_e8, fen):
    assert round_half_up(amount_e8) == fen


@given(st.integers(0, 10**22))
def test_rounding_is_decimals_half_up(amount_e8):
    assert round_half_up(amount_e8) == (Decimal(amount_e8) / E8).quantize(Decimal(1), rounding=ROUND_HALF_UP)


@given(st.integers(0, 10**20), st.integers(0, 10**20))
def test_rounding_never_turns_less_into_more(one, other):
    low, high = sorted((one, other))
    assert round_half_up(low) <= round_half_up(high)


def test_what_is_owed_is_never_negative():
    with pytest.raises(ValueError, match="owed"):
        round_half_up(-1)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (1_234_567, "12,345.67"), (100_000_000, "1,000,000.00"), (-150, "-1.50")],
)
def test_yuan_has_two_places_and_thousands_apart(fen, text):
    assert yuan(fen) == text


@given(st.integers(-(10**15), 10**15))
def test_yuan_reads_back_to_the_fen(fen):
    assert Decimal(yuan(fen).replace(",", "")) * 100 == fen


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
