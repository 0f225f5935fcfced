"""Each option of a training does what it says, and the same in the plaintext twin, bit for bit."""

import asyncio
import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from federated_stage import MODEL, Parties, federated, ids_of, twin
from hypothesis import given
from hypothesis import strategies as st

from grainline.federated.gradients import Sampling
from grainline.federated.keys import make_keys
from grainline.federated.training import (
    Alignment,
    NothingToValidate,
    Rows,
    Settings,
    Trained,
    train,
    validation_rows,
)
from grainline.federated.trees import Leaf, Rules

ROWS = 160
IDS = ids_of(ROWS)


def tables() -> tuple[Rows, Parties]:
    chance = np.random.default_rng(5)
    signal = chance.normal(size=ROWS)
    label = signal + chance.normal(size=ROWS) > 0
    guest = pl.DataFrame({"age": chance.normal(size=ROWS) + signal / 3})
    return Rows(guest, label), Parties([pl.DataFrame({"spent": signal, "noise": chance.normal(size=ROWS)})], IDS)


PLAIN = Settings(trees=3, rules=Rules(depth=3, learning_rate=0.3, leaf_rows_min=3), bins=10, smallest_bin=3)


def both(rows: Rows, parties: Parties, plan: Settings) -> Trained:
    """Train with encryption and without, see that nothing differs, and return what came of it."""
    trained, (plain, grown) = asyncio.run(federated(rows, parties, plan)), asyncio.run(twin(rows, parties, plan))
    assert trained.part.dump() == plain.part.dump()
    assert parties.parts[0].dump() == grown.parts[0].dump()
    assert (trained.scores == plain.scores).all()
    assert trained.validation_losses == plain.validation_losses
    return trained


def test_early_stopping_keeps_the_best_count_of_trees_and_validates_on_rows_that_were_not_trained_on() -> None:
    rows, parties = tables()
    mask = validation_rows(IDS, share=0.3, key=b"7")
    rows = replace(rows, validating=mask)
    plan = replace(PLAIN, trees=30, patience=2, rules=replace(PLAIN.rules, learning_rate=1.0))
    trained = both(rows, parties, plan)
    best = int(np.argmin(trained.validation_losses))
    assert len(trained.part.trees) == best + 1 < 30
    assert len(trained.validation_losses) == best + 1 + 2
    other = both(
        replace(rows, label=np.where(mask, ~rows.label, rows.label)), parties, replace(plan, patience=None, trees=2)
    )
    same = both(rows, parties, replace(plan, patience=None, trees=2))
    assert other.part.dump() == same.part.dump(), "labels of validating rows are in no tree"


def test_the_rows_that_validate_depend_on_id_and_key_only() -> None:
    mask = validation_rows(IDS, share=0.3, key=b"7")
    assert (validation_rows(IDS[::-1], share=0.3, key=b"7") == mask[::-1]).all()
    assert (validation_rows(IDS[10:20], share=0.3, key=b"7") == mask[10:20]).all()
    assert (validation_rows(IDS, share=0.3, key=b"8") != mask).any()
    assert (validation_rows(IDS, share=0.6, key=b"7") >= mask).all()


@given(st.floats(0.05, 0.5))
def test_about_the_share_that_was_asked_for_validates(share: float) -> None:
    ids = ids_of(2000)
    assert validation_rows(ids, share=share, key=b"k").mean() == pytest.approx(share, abs=0.06)


def test_a_validation_without_rows_is_refused_before_a_host_is_asked() -> None:
    rows, parties = tables()
    with pytest.raises(NothingToValidate):
        asyncio.run(federated(replace(rows, validating=np.zeros(ROWS, np.bool_)), parties, PLAIN))
    with pytest.raises(NothingToValidate):
        asyncio.run(twin(replace(rows, validating=np.zeros(ROWS, np.bool_)), parties, PLAIN))
    assert parties.parts == {}


@pytest.mark.parametrize(
    "change",
    [
        {"sampling": Sampling(0.2, 0.1)},
        {"is_guest_first": True},
        {"rules": replace(PLAIN.rules, leaf_rows_min=30)},
        {"rules": replace(PLAIN.rules, depth=1)},
        {"rules": replace(PLAIN.rules, learning_rate=0.05)},
        {"bins": 2},
        {"smallest_bin": 40},
        {"trees": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_option_changes_the_model_and_the_twin_alike(change: dict[str, object]) -> None:
    rows, parties = tables()
    plain = asyncio.run(twin(rows, parties, PLAIN))[0].part.dump()
    trained = both(rows, parties, replace(PLAIN, **change))
    assert trained.part.dump() != plain


def test_no_leaf_has_fewer_rows_than_the_least() -> None:
    rows, parties = tables()
    trained = both(rows, parties, replace(PLAIN, trees=1, rules=replace(PLAIN.rules, leaf_rows_min=30)))
    _, counts = np.unique(trained.scores, return_counts=True)
    assert min(counts) >= 30


def test_a_first_tree_of_the_guest_alone_has_no_split_of_a_host() -> None:
    rows, parties = tables()
    trained = both(rows, parties, replace(PLAIN, is_guest_first=True))
    owners = [{what.party for what in tree.values() if not isinstance(what, Leaf)} for tree in trained.part.trees]
    assert owners[0] == {0}
    assert 1 in owners[1] | owners[2]


@pytest.mark.parametrize(("scheme", "bits"), [("okamoto-uchiyama", 3072), ("paillier", 2048)])
def test_the_key_changes_nothing_in_the_model(scheme: str, bits: int) -> None:
    rows, parties = tables()
    plan = replace(PLAIN, trees=1)
    used = [Alignment(bytes(16), np.ones(ROWS, np.bool_))]
    secret = make_keys(scheme, bits, os.urandom)
    trained = asyncio.run(
        train(rows, used, parties.training(), plan, secret=secret, model=MODEL, random_bytes=os.urandom)
    )
    assert trained.part.dump() == asyncio.run(twin(rows, parties, plan))[0].part.dump()
