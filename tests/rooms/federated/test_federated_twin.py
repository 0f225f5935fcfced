"""The plaintext twin against a search that knows no bins or histograms: it tries every way to part the rows."""

import asyncio
import math

import numpy as np
import polars as pl
import pytest
from federated_stage import Parties, cases, ids_of, twin
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.gradients import SCALE
from grainline.federated.inference import Rules as Conditions
from grainline.federated.inference import score_together
from grainline.federated.training import NothingToSplit, OneClass, Rows, Settings, train_twin
from grainline.federated.trees import Leaf, Rules, Split

ANY = Rules(depth=3, learning_rate=0.3, l2=1.0, hessian_min=0.0, leaf_rows_min=1)


def ways(frame: pl.DataFrame) -> list[np.ndarray]:
    """Every set of rows that one question about one column sets apart."""
    found = []
    for series in frame.iter_columns():
        values = series.to_list()
        gone = np.array([value is None for value in values])
        for pivot in {value for value in values if value is not None}:
            if series.dtype == pl.String:
                found.append(np.array([value == pivot for value in values]))
            else:
                below = np.array([value is not None and value <= pivot for value in values])
                found += [below, below | gone]
        found.append(gone)
    return found


def gradients(scores: np.ndarray, label: np.ndarray) -> tuple[list[int], list[int]]:
    chance = [1 / (1 + math.exp(-score)) for score in scores]
    g = [round((p - y) * SCALE) for p, y in zip(chance, label.tolist(), strict=True)]
    return g, [max(1, round(p * (1 - p) * SCALE)) for p in chance]


def term(g: list[int], h: list[int], rows: list[int]) -> float:
    total = sum(g[row] for row in rows) / SCALE
    return total * total / (sum(h[row] for row in rows) / SCALE + ANY.l2)


def gain(g: list[int], h: list[int], rows: list[int], left: np.ndarray) -> float:
    ones, others = [row for row in rows if left[row]], [row for row in rows if not left[row]]
    if not ones or not others:
        return -math.inf
    return term(g, h, ones) + term(g, h, others) - term(g, h, rows)


@settings(deadline=None, max_examples=60)
@given(cases(rows_max=24, hosts_max=2))
def test_no_question_anywhere_gains_more_than_the_one_that_was_chosen(case: tuple[Rows, list[pl.DataFrame]]) -> None:
    rows, hosts = case
    plan = Settings(trees=2, rules=ANY, bins=60, smallest_bin=1)
    trained, grown = asyncio.run(twin(rows, Parties(hosts, ids_of(len(rows.label))), plan))
    lefts = [
        Conditions(conditions).lefts(Conditions(conditions).values(frame))
        for conditions, frame in zip(
            [trained.part.conditions, *(part.conditions for part in grown.parts)], [rows.frame, *hosts], strict=True
        )
    ]
    every_way = [way for frame in (rows.frame, *hosts) for way in ways(frame)]
    scores = np.full(len(rows.label), trained.part.base)
    for tree in trained.part.trees:
        g, h = gradients(scores, rows.label)
        inside = {1: list(range(len(rows.label)))}
        for place in sorted(tree):
            what, own = tree[place], inside[place]
            most = max((gain(g, h, own, way) for way in every_way), default=-math.inf)
            if isinstance(what, Split):
                left = lefts[what.party][:, what.number]
                assert gain(g, h, own, left) == pytest.approx(most, rel=1e-9, abs=1e-12)
                assert most > 0
                inside[2 * place] = [row for row in own if left[row]]
                inside[2 * place + 1] = [row for row in own if not left[row]]
                continue
            assert isinstance(what, Leaf)
            assert place >= 2**ANY.depth or most <= 1e-9, "a leaf that could have been parted"
            weight = -sum(g[row] for row in own) / SCALE / (sum(h[row] for row in own) / SCALE + ANY.l2)
            assert what.weight == pytest.approx(weight * ANY.learning_rate, rel=1e-12, abs=1e-15)
            scores[own] += what.weight
    assert scores == pytest.approx(trained.scores, rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(cases(rows_max=30, hosts_max=3), st.integers(1, 4), st.integers(2, 8))
def test_walking_the_trees_gives_the_scores_of_the_training(case, leaf_rows_min: int, bins: int) -> None:
    rows, hosts = case
    plan = Settings(trees=3, rules=Rules(depth=3, leaf_rows_min=leaf_rows_min, hessian_min=0.0), bins=bins)
    trained, grown = asyncio.run(twin(rows, Parties(hosts, ids_of(len(rows.label))), plan))
    assert (score_together(trained.part, grown.parts, [rows.frame, *hosts]) == trained.scores).all()


def test_training_stops_when_the_validation_loss_gets_no_better_and_later_trees_are_dropped() -> None:
    chance = np.random.default_rng(7)
    noise = pl.DataFrame({f"n{one}": chance.normal(size=300) for one in range(4)})
    rows = Rows(noise, chance.random(300) < 0.5, validating=np.arange(300) % 3 == 0)
    plan = Settings(trees=40, rules=Rules(depth=4, learning_rate=0.5, leaf_rows_min=2), patience=3)
    trained, grown = asyncio.run(train_twin(rows, [noise.select(pl.all().shuffle(1))], plan, model=b"m" * 16))
    best = int(np.argmin(trained.validation_losses))
    assert len(trained.validation_losses) == best + 1 + 3 < 40
    assert len(trained.part.trees) == best + 1
    numbers = {what.number for tree in trained.part.trees for what in tree.values() if isinstance(what, Split)}
    assert len(grown.parts[0].conditions) + len(trained.part.conditions) >= len(numbers)


def test_one_class_and_nothing_to_split_are_refused() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0]})
    for label in ([True] * 3, [False] * 3):
        with pytest.raises(OneClass):
            asyncio.run(train_twin(Rows(frame, np.array(label)), [], Settings(), model=b"m" * 16))
    constant = pl.DataFrame({"x": [1.0, 1.0, 1.0]})
    with pytest.raises(NothingToSplit):
        asyncio.run(train_twin(Rows(constant, np.array([True, False, True])), [constant], Settings(), model=b"m" * 16))
