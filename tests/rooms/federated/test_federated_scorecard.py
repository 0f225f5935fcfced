"""The federated scorecard is the plaintext twin's, bit for bit, and what a scorecard promises holds."""

import asyncio
import os

import numpy as np
import polars as pl
import pytest
from federated_stage import cases, ids_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scorecard_stage import MODEL, SMALL, CardParties, asking, made, telling
from sklearn.linear_model import LogisticRegression

from grainline.federated.scorecard_bins import binned, characteristics_of, shuffled
from grainline.federated.scorecard_fit import FitRules, NothingTells, weights_of_evidence
from grainline.federated.scorecard_inference import points, points_together
from grainline.federated.scorecard_model import log_odds, read_scorecard_guest_part, read_scorecard_host_part
from grainline.federated.scorecard_training import ScorecardSettings, make_twin_scorecard
from grainline.federated.training import OneClass, Rows


def by_name(made_card, parts) -> dict[str, list[int]]:
    """Return the points of each feature's bins, the bins in an order that does not depend on their numbers."""
    part = made_card.part
    found = {}
    for kept, of_bins in [
        (part.characteristics, part.points),
        *zip([one.characteristics for one in parts], part.host_points, strict=True),
    ]:
        for one, values in zip(kept, of_bins, strict=True):
            found[one.feature] = [[*values, None][place] for place in (*one.ranges, one.others)]
    return found


@given(cases(rows_max=24, hosts_max=2))
@settings(max_examples=12, deadline=None)
def test_it_is_the_twins_bit_for_bit(case) -> None:
    rows, frames = case
    parties = CardParties(frames)
    try:
        twin, together = asyncio.run(make_twin_scorecard(rows, frames, SMALL, model=MODEL))
    except NothingTells:
        with pytest.raises(NothingTells):
            asyncio.run(made(rows, parties))
        return
    ours = asyncio.run(made(rows, parties))
    kept = [parties.parts[number] for number in range(len(frames))]
    assert ours.scores.tobytes() == twin.scores.tobytes()
    assert ours.fitted.base == twin.fitted.base
    assert sorted(ours.fitted.coefficients.values()) == sorted(twin.fitted.coefficients.values())
    assert by_name(ours, kept) == by_name(twin, together.parts)
    assert ours.part.base == twin.part.base
    assert ours.part.host_hashes == [one.sha256 for one in kept]


def test_points_asked_under_encryption_are_those_of_all_parts_together() -> None:
    rows, frames = telling()
    parties = CardParties(frames)
    card = asyncio.run(made(rows, parties))
    kept = [parties.parts[number] for number in range(len(frames))]
    found = asyncio.run(points(card.part, rows.frame, ids_of(120), parties.inference(), asking()))
    assert found.tolist() == points_together(card.part, kept, [rows.frame, *frames]).tolist()
    assert {"limit", "spent", "city"} <= by_name(card, kept).keys()
    # whole points: each feature's, and the base, are off by half a point at most
    assert np.abs(log_odds(found.sum(axis=1)) - card.scores).max() < 0.5 * 5 * np.log(2) / 20
    alone = asyncio.run(points(card.part, rows.frame[7:8], ids_of(120)[7:8], parties.inference(), asking()))
    assert alone.tolist() == found[7:8].tolist()


def test_the_coefficients_are_those_of_logistic_regression() -> None:
    rows, frames = telling(rows=2000)
    plan = ScorecardSettings(bins=5, smallest_bin=20, rules=FitRules(tolerance=1e-9))
    card, together = asyncio.run(make_twin_scorecard(rows, frames, plan, model=MODEL))
    features = sorted(card.fitted.coefficients)
    values = np.stack(
        [np.array(card.fitted.evidence[p, n])[together.parties[p].table[:, n]] / 2**16 for p, n in features], axis=1
    )
    other = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(values, rows.label)
    assert [card.fitted.coefficients[one] for one in features] == pytest.approx(other.coef_[0].tolist(), abs=1e-3)
    assert card.fitted.base == pytest.approx(float(other.intercept_[0]), abs=1e-3)


def test_no_coefficient_has_the_wrong_sign_and_constant_features_are_dropped() -> None:
    chance = np.random.default_rng(3)
    signal = chance.normal(size=400)
    label = signal + chance.normal(size=400) > 0
    echo = signal + chance.normal(size=400) / 3 - 0.5 * label  # tells alone, and the other way beside the signal
    frames = [pl.DataFrame({"signal": signal, "echo": echo, "always": np.ones(400)})]
    plan = ScorecardSettings(bins=5, smallest_bin=10, rules=FitRules(information_min=0.02))
    rows = Rows(pl.DataFrame({"limit": np.ones(400)}), label)
    card, together = asyncio.run(make_twin_scorecard(rows, frames, plan, model=MODEL))
    names = [one.feature for one in together.parties[1].characteristics]
    assert names == ["signal", "echo"]
    assert set(card.fitted.information) == {(1, 0), (1, 1)}
    assert all(value > 0 for value in card.fitted.coefficients.values())
    assert set(card.fitted.coefficients) == {(1, 0)}


def test_labels_of_one_class_and_features_that_tell_nothing_are_refused_before_a_host_knows_more() -> None:
    rows, frames = telling()
    parties = CardParties(frames)
    channels = parties.making()
    with pytest.raises(OneClass):
        asyncio.run(made(Rows(rows.frame, np.ones(120, np.bool_)), parties, channels=channels))
    assert not any(channel.frames for channel in channels)
    with pytest.raises(NothingTells):
        asyncio.run(made(rows, parties, ScorecardSettings(5, 3, FitRules(information_min=50.0))))
    assert not parties.parts


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_bin_is_small_and_every_value_has_its_bin(data) -> None:
    rows = data.draw(st.integers(5, 60))
    numbers = st.lists(st.one_of(st.none(), st.integers(0, 9).map(float)), min_size=rows, max_size=rows)
    names = st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), min_size=rows, max_size=rows)
    frame = pl.DataFrame(
        {"n": pl.Series(data.draw(numbers), dtype=pl.Float64), "t": pl.Series(data.draw(names), dtype=pl.String)}
    )
    smallest = data.draw(st.integers(1, 12))
    plain = characteristics_of(frame, bins=6, smallest=smallest)
    lot = shuffled(plain, os.urandom)
    for one in (*plain, *lot):
        counts = binned(frame, [one]).counts[0]
        assert len(counts) == one.bins >= 2
        assert counts.min() >= smallest and counts.sum() == rows
    for one in lot:
        before = next(other for other in plain if other.feature == one.feature)
        pairs = set(zip(before.codes(frame[one.feature]).tolist(), one.codes(frame[one.feature]).tolist(), strict=True))
        assert len(pairs) == one.bins


def test_what_no_bin_was_made_for_gives_no_points() -> None:
    frame = pl.DataFrame({"n": [1.0, 2.0] * 10, "t": ["a", "b"] * 10})
    number, text = characteristics_of(frame, bins=4, smallest=2)
    assert number.codes(pl.Series([None, 1.0, 9.0])).tolist() == [2, 0, 1]
    assert text.codes(pl.Series(["z", None, "b"])).tolist() == [2, 2, 1]


def test_weights_of_evidence_by_hand() -> None:
    woe, information = weights_of_evidence(np.array([30, 70]), np.array([20, 10]), 30, 70)
    shares = [(20.5 / 31, 10.5 / 71), (10.5 / 31, 60.5 / 71)]
    assert [one / 2**16 for one in woe] == pytest.approx([np.log(bad / good) for bad, good in shares], abs=1e-5)
    assert information == pytest.approx(sum((bad - good) * np.log(bad / good) for bad, good in shares))


def test_parts_are_read_back_and_say_that_they_are_useless_alone() -> None:
    rows, frames = telling()
    parties = CardParties(frames)
    part = asyncio.run(made(rows, parties)).part
    data, kept = part.dump(), parties.parts[1].dump()
    assert read_scorecard_guest_part(data).dump() == data
    assert read_scorecard_host_part(kept).dump() == kept
    assert b"Useless alone" in data and b"Useless alone" in kept
    assert not any(name in data for name in (b"spent", b"city", b"harbour"))
    assert not any(name in kept for name in (b'points"', b"limit", b"base"))
