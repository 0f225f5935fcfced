"""No sum runs over into the slot above it, not even of rows that are all as large, or as small, as they may be."""

import numpy as np
import pytest
from he_keys import Counted, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.gradients import BadSum, Slots, logistic
from grainline.federated.host_sums import compressed

KEY = key_of("okamoto-uchiyama")
sizes = st.builds(Slots, rows=st.integers(1, 10**7), weight_max=st.integers(1, 20))


def sums_of(slots: Slots, gradients: list[int], hessians: list[int], times: int) -> int:
    """Return the plaintext sum over these rows, each taken so many times."""
    return times * sum(slots.pack(np.array(gradients), np.array(hessians)))


@settings(deadline=None)
@given(sizes, st.sampled_from([-1, 0, 1]), st.sampled_from([0, 1]))
def test_all_rows_at_their_bounds_stay_in_their_slots(slots, sign, full):
    gradient, hessian = sign * slots.bound, full * (slots.bound // 4)
    total = sums_of(slots, [gradient], [hessian], slots.rows)
    assert 0 <= total < 2**slots.bits
    found = slots.unpack([total], [slots.rows], 1)
    assert [int(part[0]) for part in found] == [slots.rows * gradient, slots.rows * hessian]


@settings(deadline=None)
@given(sizes, st.data())
def test_sums_side_by_side_keep_to_their_own_bits(slots, data):
    per_ciphertext = KEY.public.plaintext_bits // slots.bits
    counts = data.draw(st.lists(st.integers(0, slots.rows), min_size=1, max_size=2 * per_ciphertext))
    gradients = [data.draw(st.sampled_from([-slots.bound, 0, 1, slots.bound])) for _ in counts]
    hessians = [data.draw(st.sampled_from([0, 1, slots.bound // 4])) for _ in counts]
    rows = zip(gradients, hessians, counts, strict=True)
    sums = [sums_of(slots, [gradient], [hessian], count) for gradient, hessian, count in rows]
    starts = range(0, len(sums), per_ciphertext)
    plaintexts = [
        sum(one << place * slots.bits for place, one in enumerate(sums[start : start + per_ciphertext]))
        for start in starts
    ]
    assert all(plaintext < 2**KEY.public.plaintext_bits for plaintext in plaintexts)
    found = slots.unpack(plaintexts, counts, per_ciphertext)
    assert found[0].tolist() == [one * count for one, count in zip(gradients, counts, strict=True)]
    assert found[1].tolist() == [one * count for one, count in zip(hessians, counts, strict=True)]


@settings(deadline=None, max_examples=10)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=30), st.integers(1, 9), st.integers(0, 2**32))
def test_what_a_host_sends_back_decrypts_to_the_exact_sums(scores, groups, seed):
    labels = np.random.default_rng(seed).integers(0, 2, len(scores)).astype(bool)
    group_of = np.random.default_rng(seed).integers(0, groups, len(scores))
    gradient, hessian = logistic(np.array(scores), labels)
    slots = Slots(len(scores))
    rows = KEY.encrypt(slots.pack(gradient, hessian), Counted())
    sums = KEY.public.totals(rows, group_of, groups)
    back = compressed(KEY.public, sums, slots.bits, Counted())
    per_ciphertext = KEY.public.plaintext_bits // slots.bits
    counts = np.bincount(group_of, minlength=groups).tolist()
    found = slots.unpack(KEY.decrypt(back), counts, per_ciphertext)
    for part, values in zip(found, (gradient, hessian), strict=True):
        assert part.tolist() == [int(values[group_of == group].sum()) for group in range(groups)]


@pytest.mark.parametrize(("gradient", "hessian"), [(2**17 + 1, 0), (-(2**17) - 1, 0), (0, 2**15 + 1)])
def test_a_sum_that_no_row_can_have_is_refused(gradient, hessian):
    slots = Slots(100)
    plaintext = (gradient + slots.bound) << slots.hessian_bits | hessian
    with pytest.raises(BadSum):
        slots.unpack([plaintext], [1], 1)
