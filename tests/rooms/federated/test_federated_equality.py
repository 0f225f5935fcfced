"""Federated training over real encryption comes to the twin's model bit for bit, whatever the tables are."""

import asyncio
import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from federated_stage import MODEL, Local, Parties, cases, federated, ids_of, secret, twin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grainline.federated import messages as says
from grainline.federated.gradients import BadSum, Sampling
from grainline.federated.he import BadCiphertext
from grainline.federated.host import BinsTooSmall, OutOfTurn, RowsDiffer
from grainline.federated.inference import UnknownApplicant, score
from grainline.federated.model import BadModel
from grainline.federated.training import Alignment, OneClass, Rows, Settings, train
from grainline.federated.trees import Leaf, Rules
from grainline.federated.wire import BadMessage


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(
    cases(rows_max=40, hosts_max=3),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([None, Sampling(0.3, 0.3)]),
    st.booleans(),
    st.booleans(),
)
def test_the_federated_model_is_the_twins(
    case, leaf_rows: int, smallest: int, sampling, first: bool, held: bool
) -> None:
    rows, hosts = case
    if held:
        rows = replace(rows, validating=np.arange(len(rows.label)) % 4 == 3)
    rules = Rules(depth=3, learning_rate=0.3, leaf_rows_min=leaf_rows, hessian_min=0.0)
    plan = Settings(
        trees=2, rules=rules, bins=6, smallest_bin=smallest, sampling=sampling, is_guest_first=first, patience=1
    )
    parties = Parties(hosts, ids_of(len(rows.label)))
    try:
        expected, grown = asyncio.run(twin(rows, parties, plan))
    except OneClass:
        return
    trained = asyncio.run(federated(rows, parties, plan))
    assert trained.part.dump() == expected.part.dump()
    assert [parties.parts[number].dump() for number in range(len(hosts))] == [part.dump() for part in grown.parts]
    assert (trained.scores == expected.scores).all()
    scored = asyncio.run(score(trained.part, rows.frame, parties.ids, parties.inference()))
    assert (scored == trained.scores).all(), "inference says what training said"


def separable() -> tuple[Rows, Parties, Settings]:
    chance = np.random.default_rng(3)
    signal = chance.normal(size=120)
    rows = Rows(pl.DataFrame({"noise": chance.normal(size=120)}), signal + chance.normal(size=120) / 2 > 0)
    parties = Parties([pl.DataFrame({"signal": signal})], ids_of(120))
    return rows, parties, Settings(trees=2, rules=Rules(depth=2))


def test_one_applicant_is_scored_in_one_round_trip_to_each_host() -> None:
    rows, parties, plan = separable()
    trained = asyncio.run(federated(rows, parties, plan))
    channels = parties.inference()
    scored = asyncio.run(score(trained.part, rows.frame[7:8], parties.ids[7:8], channels))
    assert scored.tolist() == [trained.scores[7]]
    assert [len(one.frames) for one in channels] == [2]
    with pytest.raises(UnknownApplicant):
        asyncio.run(score(trained.part, rows.frame[:1], [b"nobody"], channels))
    with pytest.raises(BadModel):
        asyncio.run(score(replace(trained.part, host_hashes=[bytes(32)]), rows.frame[:1], parties.ids[:1], channels))
    with pytest.raises(BadModel):
        asyncio.run(score(trained.part, rows.frame[:1], parties.ids[:1], []))


def test_a_first_tree_of_the_lender_alone_asks_the_hosts_nothing() -> None:
    rows, parties, plan = separable()
    trained = asyncio.run(federated(rows, parties, replace(plan, is_guest_first=True)))
    owners = [{what.party for what in tree.values() if not isinstance(what, Leaf)} for tree in trained.part.trees]
    assert 1 not in owners[0]
    assert 1 in owners[1]


def test_a_host_that_is_made_again_from_its_checkpoint_goes_on_as_if_nothing_had_been() -> None:
    rows, parties, plan = separable()
    expected, _ = asyncio.run(twin(rows, parties, plan))

    class Dying(Local):
        """After the beginning of each tree, a host made from the checkpoint takes the place of the one before."""

        async def ask(self, message):
            answered = await super().ask(message)
            point = living[-1].checkpoint()
            assert (point is not None) == isinstance(message, says.TreeBegins)
            if point is not None:
                living.append(parties.host(0, os.urandom, point))
                self.answer = living[-1].answer
            return answered

    living = [parties.host(0)]
    trained = asyncio.run(training_over(Dying(living[0].answer), rows, plan))
    assert len(living) == 1 + plan.trees
    assert trained.part.dump() == expected.part.dump()


def training_over(channel: Local, rows: Rows, plan: Settings, aligned: int | None = None):
    used = np.ones(len(rows.label) if aligned is None else aligned, np.bool_)
    return train(
        rows, [Alignment(bytes(16), used)], [channel], plan, secret=secret(), model=MODEL, random_bytes=os.urandom
    )


def test_a_label_of_one_class_is_refused_before_a_host_is_asked() -> None:
    rows, parties, plan = separable()
    channel = parties.training()[0]
    with pytest.raises(OneClass):
        asyncio.run(training_over(channel, replace(rows, label=np.ones(120, np.bool_)), plan))
    assert not channel.frames


def test_a_host_with_other_rows_declines() -> None:
    rows, parties, plan = separable()
    with pytest.raises(RowsDiffer):
        asyncio.run(training_over(parties.training()[0], rows, plan, aligned=119))


def test_a_host_tells_of_no_smaller_bins_than_it_allows() -> None:
    rows, parties, plan = separable()
    host = parties.host(0)
    host.smallest_bin_min = plan.smallest_bin + 1
    with pytest.raises(BinsTooSmall):
        asyncio.run(training_over(Local(host.answer), rows, plan))
    host.smallest_bin_min = plan.smallest_bin
    asyncio.run(training_over(Local(host.answer), rows, plan))


def test_a_host_whose_features_are_constant_takes_part_and_has_no_split() -> None:
    rows, _, plan = separable()
    parties = Parties([pl.DataFrame({"same": [1.0] * 120}), pl.DataFrame({"also": ["x"] * 120})], ids_of(120))
    asyncio.run(federated(rows, parties, plan))
    assert [len(part.conditions) for part in parties.parts.values()] == [0, 0]


def garbled(change) -> Local:
    """A host that answers as it should, but for one change on the way."""
    host = separable()[1].host(0)
    return Local(lambda message: change(host.answer(message)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: replace(one, ciphertexts=b"\1" * len(one.ciphertexts)) if isinstance(one, says.Sums) else one,
         (BadCiphertext, BadSum)),
        (lambda one: replace(one, ciphertexts=one.ciphertexts[256:]) if isinstance(one, says.Sums) else one,
         BadMessage),
        (lambda one: replace(one, counts=one.counts[:-1]) if isinstance(one, says.Sums) else one, BadMessage),
        (lambda one: replace(one, counts=tuple(n + 500 for n in one.counts)) if isinstance(one, says.Sums) else one,
         BadMessage),
        (lambda one: replace(one, lefts=one.lefts[1:]) if isinstance(one, says.SplitsMade) else one, BadMessage),
        (lambda one: replace(one, numbers=tuple(n + 1 for n in one.numbers)) if isinstance(one, says.SplitsMade)
         else one, BadMessage),
        (lambda one: says.Taken(9) if isinstance(one, says.Taken) else one, BadMessage),
    ],
)  # fmt: skip
def test_what_no_honest_host_says_ends_the_training(change, expected) -> None:
    rows, _, plan = separable()
    with pytest.raises(expected):
        asyncio.run(training_over(garbled(change), rows, plan))


def test_a_host_refuses_what_does_not_follow() -> None:
    rows, parties, plan = separable()
    fresh = parties.host(0)
    for message in (says.TreeBegins(0, bytes(15)), says.SumsAsked(0, (), b""), says.TrainingEnds(0)):
        with pytest.raises(OutOfTurn):
            fresh.answer(message)
    host, asked = parties.host(0), []

    def note(message):
        asked.append(message)
        return host.answer(message)

    asyncio.run(training_over(Local(note), rows, plan))
    begins = next(one for one in asked if isinstance(one, says.TrainingBegins))
    gradients = next(one for one in asked if isinstance(one, says.Gradients))
    with pytest.raises(OutOfTurn):
        host.answer(begins)
    again = parties.host(0)
    again.answer(begins)
    again.answer(next(one for one in asked if isinstance(one, says.TreeBegins)))
    with pytest.raises(OutOfTurn):
        again.answer(says.SumsAsked(0, (), b""))
    again.answer(gradients)
    with pytest.raises(OutOfTurn):
        again.answer(gradients)
    again.answer(says.SumsAsked(0, (), b""))
    for message in (says.SumsAsked(0, (), b""), says.SumsAsked(0, (5,), b"\0"), says.SumsAsked(1, (), b"")):
        with pytest.raises(OutOfTurn):
            again.answer(message)
    with pytest.raises(OutOfTurn):
        again.answer(says.SplitsChosen(0, (1,), (1,), (100_000,)))
