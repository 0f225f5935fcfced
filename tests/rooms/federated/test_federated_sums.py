"""Packing, joint cells, what may be told: the parts of a sum, each against the plain way to it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from federated_stage import frames
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.binning import cut
from grainline.federated.bits import pack, unpack, unpack_rows
from grainline.federated.candidates import BINS, candidates_of, histogram, tellable
from grainline.federated.cells import grouped, sums_by_bin
from grainline.federated.gradients import BadSum, Sampling, Slots, logistic
from grainline.federated.host_sums import Summing
from grainline.federated.wire import BadMessage


@dataclass
class Counting:
    """Plain numbers in the place of ciphertexts; counts additions."""

    additions: int = 0

    def add(self, one: int, other: int) -> int:
        self.additions += 1
        return one + other

    def total(self, numbers) -> int:
        self.additions += max(0, len(numbers) - 1)
        return sum(numbers)

    def totals(self, numbers, groups, count: int) -> list[int]:
        self.additions += len(numbers) - count
        found = [0] * count
        for number, group in zip(numbers, groups.tolist(), strict=True):
            found[group] += number
        return found


@settings(deadline=None)
@given(st.integers(4, 60).flatmap(lambda rows: st.tuples(frames(rows), st.lists(st.booleans(), min_size=rows,
                                                                                max_size=rows))))  # fmt: skip
def test_sums_by_joint_cell_are_the_histogram_and_left_sums_follow_from_them(case) -> None:
    frame, some = case
    cuts, table = cut(frame, bins=8)
    candidates, rows = candidates_of(cuts), np.flatnonzero(some)
    values = np.arange(100, 100 + len(table), dtype=np.int64)
    plain = histogram(table, rows, values)
    everything = [np.ones(BINS, np.bool_)] * len(cuts)
    by_bin = sums_by_bin(Counting(), grouped(table), rows, values[rows].tolist(), everything)
    for feature in range(len(cuts)):
        assert by_bin.get(feature, {}) == {b: v for b, v in enumerate(plain[feature].tolist()) if v}
    left_bins = np.array([candidates.left_bins(one) for one in candidates.all]).reshape(-1, BINS)
    counts = candidates.left_sums(histogram(table, rows))
    wanted = np.flatnonzero(counts).tolist()
    summing = Summing(Counting(), candidates, grouped(table), left_bins)
    left = summing.left_sums(rows, values[rows].tolist(), wanted)
    expected = candidates.left_sums(plain)
    assert left == {one: expected[one] for one in wanted}
    for one in wanted:
        what = candidates.all[one]
        inside = left_bins[one][table[rows, what.feature]]
        assert expected[one] == values[rows][inside].sum()


def test_features_that_go_together_are_summed_with_a_fraction_of_the_additions() -> None:
    chance = np.random.default_rng(5)
    base = chance.normal(size=4000)
    frame = pl.DataFrame({f"month_{n}": np.round(base + chance.normal(size=4000) / 5, 1) for n in range(6)})
    cuts, table = cut(frame, bins=16)
    key, rows = Counting(), np.arange(4000)
    needed = []
    for one in cuts:
        mask = np.ones(BINS, np.bool_)
        mask[one.largest] = False
        needed.append(mask)
    sums_by_bin(key, grouped(table), rows, rows.tolist(), needed)
    assert key.additions < 6 * 4000 / 2


@settings(deadline=None)
@given(
    st.integers(10, 80).flatmap(
        lambda rows: st.tuples(frames(rows), st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    ),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_between_what_is_told_there_is_nobody_or_enough(case, smallest: int, leaf: int) -> None:
    """Over two levels: whatever sums of one feature are compared, in either sibling none has few rows."""
    frame, sides = case
    cuts, table = cut(frame, bins=10)
    candidates, side = candidates_of(cuts), np.array(sides)
    told = np.ones(len(candidates.all), np.bool_)
    for pair in ((side >= 0, side < 0), (side < 2, side >= 2), (side == 0, side == 1)):
        counted = tuple(histogram(table, np.flatnonzero(mask)) for mask in pair)
        rows = tuple(int(mask.sum()) for mask in pair)
        before, told = told, tellable(candidates, told, counted, rows, smallest=smallest, leaf=leaf)
        assert not (told & ~before).any(), "what was kept back stays back"
        for node, size in zip(counted, rows, strict=True):
            left = candidates.left_sums(node)
            for feature, one in enumerate(cuts):
                own = [p for p in np.flatnonzero(told).tolist() if candidates.all[p].feature == feature]
                assert_apart(one, [(candidates.all[p], int(left[p])) for p in own], size, smallest)
        useful = [(candidates.left_sums(node), size) for node, size in zip(counted, rows, strict=True)]
        for place in np.flatnonzero(told).tolist():
            assert any(leaf <= left[place] <= size - leaf for left, size in useful)


def assert_apart(one, told, size: int, smallest: int) -> None:
    """Compare each two left sums that are nested in one another."""
    if one.is_category:
        sums = [size - count if what.is_above else count for what, count in told]
        assert all(count == 0 or count >= smallest for count in sums)
        assert size - sum(sums) == 0 or size - sum(sums) >= smallest or not told
        return
    for _, count in told:
        assert all(rows == 0 or rows >= smallest for rows in (count, size - count))
    for what, count in told:
        for other, more in told:
            if what.is_above == other.is_above:
                is_alike = what.missing_left == other.missing_left
                assert not is_alike or abs(count - more) == 0 or abs(count - more) >= smallest
    apart = {(what.bin, what.is_above): count for what, count in told if not what.missing_left}
    for what, count in told:
        if what.missing_left and (what.bin, what.is_above) in apart:
            gone = count - apart[what.bin, what.is_above]
            assert gone == 0 or gone >= smallest


@given(st.integers(1, 2**24), st.integers(1, 40), st.data())
def test_no_sum_reaches_the_next_slot(rows: int, weight: int, data) -> None:
    slots = Slots(rows, weight)
    extremes = st.sampled_from([0, 1, rows // 2, rows])
    counts = data.draw(st.lists(extremes, min_size=1, max_size=8))
    signs = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=len(counts), max_size=len(counts)))
    packed, per = 0, len(counts)
    for place, (count, sign) in enumerate(zip(counts, signs, strict=True)):
        [one] = slots.pack(np.array([sign * slots.bound]), np.array([slots.bound // 4]))
        assert one.bit_length() <= slots.bits
        packed += one * count << place * slots.bits
    gradient, hessian = slots.unpack([packed], counts, per)
    assert gradient.tolist() == [sign * slots.bound * count for count, sign in zip(counts, signs, strict=True)]
    assert hessian.tolist() == [slots.bound // 4 * count for count in counts]


def test_a_sum_that_no_rows_can_have_is_refused() -> None:
    slots = Slots(10)
    [one] = slots.pack(np.array([slots.bound]), np.array([slots.bound // 4]))
    with pytest.raises(BadSum):
        slots.unpack([one * 3], [2], 1)


@given(st.lists(st.booleans(), max_size=40), st.lists(st.booleans(), max_size=20))
def test_bits_have_one_spelling(first: list[bool], second: list[bool]) -> None:
    masks = [np.array(one, np.bool_) for one in (first, second)]
    data = b"".join(pack(one) for one in masks)
    assert [one.tolist() for one in unpack_rows(data, [len(first), len(second)])] == [first, second]
    with pytest.raises(BadMessage):
        unpack_rows(data + b"\0", [len(first), len(second)])
    with pytest.raises(BadMessage):
        unpack(b"\xff", 7)


def test_sampling_keeps_the_largest_gradients_and_weighs_the_others_up() -> None:
    score = np.linspace(-4, 4, 1000)
    gradient, _ = logistic(score, score < 0)
    sampled, weight = Sampling(0.2, 0.1).draw(gradient, np.ones(1000, np.bool_), (1, 2))
    largest = np.argsort(-np.abs(gradient), kind="stable")[:200]
    assert sampled[largest].all() and sampled.sum() == 300
    assert set(weight[sampled].tolist()) == {1.0, 8.0} and Sampling(0.2, 0.1).weight_max == 8
    with pytest.raises(ValueError, match="shares"):
        Sampling(0.9, 0.2)
