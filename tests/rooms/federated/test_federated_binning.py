"""Cutting features into bins."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.federated.binning import BadTable, bins_of, cut
from grainline.federated.candidates import BINS, candidates_of
from grainline.federated.inference import Rules
from grainline.federated.model import condition_of

NUMBERS = st.lists(st.one_of(st.none(), st.floats(allow_nan=True, width=64)), min_size=1, max_size=60)


@given(NUMBERS, st.integers(2, 20))
def test_a_larger_number_is_never_in_a_lower_bin_and_all_bins_hold_somebody(values, bins: int) -> None:
    series = pl.Series("income", values, dtype=pl.Float64)
    cuts, table = cut(pl.DataFrame([series]), bins=bins)
    known = [value for value in values if value is not None and not math.isnan(value)]
    if len(set(known)) + (len(known) < len(values)) < 2:
        assert not cuts
        return
    assert len(set(table[:, 0].tolist())) <= bins
    assert set(table[:, 0].tolist()) == set(range(cuts[0].ordinary + cuts[0].has_missing))
    pairs = sorted((v, b) for v, b in zip(values, table[:, 0].tolist(), strict=True) if v is not None and v == v)
    assert [bin_ for _, bin_ in pairs] == sorted(bin_ for _, bin_ in pairs)
    gone = {b for v, b in zip(values, table[:, 0].tolist(), strict=True) if v is None or v != v}
    assert gone <= {cuts[0].ordinary}


def test_quantiles_share_the_rows_out_and_a_frequent_value_takes_none_of_the_others_share() -> None:
    even, _ = cut(pl.DataFrame({"x": [float(n) for n in range(100)]}), bins=4)
    assert even[0].edges == (24.5, 49.5, 74.5)
    heavy, table = cut(pl.DataFrame({"x": [0.0] * 900 + [float(n) for n in range(1, 101)]}), bins=5)
    assert np.bincount(table[:, 0]).tolist() == [900, 25, 25, 25, 25]
    assert heavy[0].largest == 0
    last, _ = cut(pl.DataFrame({"x": [-1.0, 0.0, 1.0, 1.0, 1.0]}), bins=2)
    assert last[0].edges == (0.5,)


def test_rare_categories_share_a_bin_and_what_is_constant_is_dropped() -> None:
    frame = pl.DataFrame(
        {
            "city": ["a"] * 5 + ["b"] * 4 + [None] * 3 + ["c", "d", "e"],
            "same": [7] * 15,
            "nothing": pl.Series([None] * 15, dtype=pl.Float64),
        }
    )
    cuts, table = cut(frame, bins=4)
    assert [one.name for one in cuts] == ["city"]
    assert cuts[0].categories == ("a", "b", None)
    assert np.bincount(table[:, 0]).tolist() == [5, 4, 3, 3]
    assert bins_of(cuts[0], pl.Series(["z"])).tolist() == [3]


def test_a_column_that_is_neither_numbers_nor_text_is_named() -> None:
    with pytest.raises(BadTable, match="since"):
        cut(pl.DataFrame({"since": pl.Series(["2026-01-01", "2026-01-02"]).str.to_date()}), bins=4)


@given(st.data())
def test_a_split_says_of_a_value_what_it_says_of_its_bin(data) -> None:
    """Training looks at bins, inference at values: both must send every row the same way."""
    rows = data.draw(st.integers(2, 40))
    numbers = data.draw(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=rows, max_size=rows))
    words = data.draw(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=rows, max_size=rows))
    frame = pl.DataFrame({"n": pl.Series(numbers, dtype=pl.Int64), "w": pl.Series(words, dtype=pl.String)})
    cuts, table = cut(frame, bins=data.draw(st.integers(2, 6)))
    candidates = candidates_of(cuts)
    rules = Rules([condition_of(cuts[one.feature], one) for one in candidates.all])
    by_value = rules.lefts(rules.values(frame))
    for place, one in enumerate(candidates.all):
        left = candidates.left_bins(one)
        assert len(left) == BINS
        assert not left[cuts[one.feature].largest], "the left never holds the largest bin"
        assert (by_value[:, place] == left[table[:, one.feature]]).all()
