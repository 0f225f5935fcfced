"""What a replay finds: nothing where nothing was touched, and whatever was, in the record or in what it names."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from deciding_stage import applicant, cast
from grainline.entry.model_keys import models_of
from grainline.entry.settings import Settings
from grainline.kit.db import Tx, transaction
from grainline.underwriting.deciding import Occasion, Verdict
from grainline.underwriting.decisions_store import Decision, add_decision, decision_named
from grainline.underwriting.replaying import Replayed, replay_since, together
from grainline.underwriting.shelf import Shelf
from sandbox_process import SECRET
from stage import Stage, new_key

pytestmark = pytest.mark.anyio

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
PEOPLE = 8


@pytest.fixture(scope="module")
async def decided(stage: Stage) -> Stage:
    await cast(stage, share_e4=5_000, shadow=True)
    for number in range(PEOPLE):
        person = await applicant(stage)
        await person.post("/applications", {"student": number == 0}, key=new_key())
    return stage


@asynccontextmanager
async def tampering(stage: Stage) -> AsyncIterator[Tx]:
    """Lend the owner's connection, on which nothing stays."""
    async with await psycopg.AsyncConnection.connect(stage.owner_url) as connection:
        yield connection
        await connection.rollback()


async def unguard(tx: Tx, table: str) -> None:
    """Take away what the database itself holds of a table's rows."""
    found = await tx.execute(
        "select conname from pg_constraint where conrelid = %s::regclass and contype = 'c'", (table,)
    )
    for (name,) in await found.fetchall():
        await tx.execute(f'alter table {table} drop constraint "{name}"')
    await tx.execute(f"alter table {table} disable trigger user")


async def replayed(stage: Stage, tx: Tx, **share: int) -> Replayed:
    """Take everything again, with a shelf that has seen nothing yet."""
    return await replay_since(tx, Shelf(models_of(settings_of(stage))), FIRST, **share)


def settings_of(stage: Stage) -> Settings:
    return Settings(data=stage.town.folder, partners_url=stage.town.url, partner_secret=SECRET.hex(), sandbox=True)


async def test_nothing_differs_whole_or_by_shares(decided: Stage) -> None:
    async with transaction(decided.platform.pool) as tx:
        whole = await replayed(decided, tx)
        shares = [await replayed(decided, tx, part=part, parts=3) for part in range(3)]
    assert (whole.counted, whole.differences) == ({"application": PEOPLE}, [])
    assert together(shares).counted == whole.counted
    assert sum(bool(share.counted.total()) for share in shares) > 1


async def test_a_changed_outcome_is_found_and_told_as_it_should_be(decided: Stage) -> None:
    async with tampering(decided) as tx:
        cursor = await tx.execute(
            "update underwriting.decisions d set outcome = changed.text,"
            " outcome_hash = sha256(convert_to(changed.text, 'UTF8'))"
            " from (select decision_id, replace(outcome, 'declined', 'approved') as text from underwriting.decisions"
            "   where result = 'declined' limit 1) changed"
            " where d.decision_id = changed.decision_id returning d.decision_id"
        )
        row = await cursor.fetchone()
        assert row is not None
        [found] = (await replayed(decided, tx)).differences
    assert found.decision.decision_id == row[0]
    assert '"result":"declined"' in str(found.outcome)


async def test_changed_inputs_are_found(decided: Stage) -> None:
    async with tampering(decided) as tx:
        await unguard(tx, "underwriting.decisions")
        await tx.execute("update underwriting.decisions set inputs = inputs || ' '")
        done = await replayed(decided, tx)
        assert {one.refused for one in done.differences} == {"inputs_not_canonical"}
        assert len(done.differences) == PEOPLE
        await tx.execute("update underwriting.decisions set inputs = '{}'")
        assert len((await replayed(decided, tx)).differences) == PEOPLE


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        (
            "underwriting.rule_versions",
            "body = convert_to(replace(convert_from(body, 'UTF8'), '140000', '140001'), 'UTF8')",
            "no rules ",
        ),
        ("underwriting.packs", "content = content || ' '", "no pack "),
        ("scoring.models", "content = content || ' '::bytea", "model_changed"),
        ("scoring.models", "signature = sha512(signature)", "model_signature_wrong"),
    ],
)
async def test_what_a_decision_names_is_not_used_once_it_was_changed(
    decided: Stage, table: str, change: str, told: str
) -> None:
    async with tampering(decided) as tx:
        await unguard(tx, table)
        await tx.execute(f"update {table} set {change}")
        done = await replayed(decided, tx)
    assert len(done.differences) == PEOPLE
    assert all(str(one.refused).startswith(told) and one.outcome is None for one in done.differences)


async def test_an_artefact_that_is_gone_is_said_so(decided: Stage) -> None:
    async with tampering(decided) as tx:
        await tx.execute("delete from underwriting.packs")
        done = await replayed(decided, tx)
    assert len(done.differences) == PEOPLE


async def answer_to_a_decline(tx: Tx, stage: Stage) -> Decision:
    """An officer's yes to somebody who was declined, at the smallest line of the last tier."""
    found = await tx.execute("select decision_id from underwriting.decisions where result = 'declined' limit 1")
    row = await found.fetchone()
    assert row is not None
    one, tier = await decision_named(tx, row[0]), stage.platform.pack.tier[-1]
    outcome = replace(
        one.read_outcome(),
        result=Verdict.APPROVED,
        tier=tier.code,
        line_fen=tier.line_min_fen,
        rate_e8=tier.rate_max_e8,
        answered={"by": "li", "why": "流水已核实"},
    )
    return replace(
        one,
        decision_id=UUID(int=7),
        occasion=Occasion.HUMAN,
        key="answer-1",
        inputs=replace(one.read_inputs(), occasion=Occasion.HUMAN).text(),
        outcome=outcome.text(),
        overrides=one.decision_id,
        decided_by="li",
    )


async def test_an_answer_of_a_person_was_no_computation_and_is_counted(decided: Stage) -> None:
    async with tampering(decided) as tx:
        await add_decision(tx, await answer_to_a_decline(tx, decided))
        done = await replayed(decided, tx)
        assert (await decision_named(tx, UUID(int=7))).decided_by == "li"
    assert (done.counted, done.differences) == ({"application": PEOPLE, "human": 1}, [])


def _other(one: Decision, **changed: Any) -> Decision:
    return replace(one, outcome=replace(one.read_outcome(), **changed).text())


@pytest.mark.parametrize(
    ("tampered", "told"),
    [
        (lambda one: replace(one, overrides=UUID(int=8)), "no_decision"),
        (lambda one: replace(one, inputs=replace(one.read_inputs(), role="challenger").text()), "inputs_of_another"),
        (lambda one: replace(one, outcome=one.outcome + " "), "outcome_not_canonical"),
        (lambda one: replace(one, decided_by="wang"), "answer_unsigned"),
        (lambda one: _other(one, answered={"by": "li"}), "answer_unsigned"),
        (lambda one: _other(one, result=Verdict.REVIEW), "answer_open"),
        (lambda one: _other(one, line_fen=one.read_outcome().line_fen + 1), "offer_outside_tiers"),
        (lambda one: _other(one, rate_e8=one.read_outcome().rate_e8 + 1), "offer_outside_tiers"),
        (lambda one: _other(one, tier="other"), "offer_outside_tiers"),
    ],
)
async def test_an_answer_that_does_not_stand_on_its_record_is_found(
    decided: Stage, tampered: Callable[[Decision], Decision], told: str
) -> None:
    async with tampering(decided) as tx:
        await add_decision(tx, tampered(await answer_to_a_decline(tx, decided)))
        [found] = (await replayed(decided, tx)).differences
    assert (found.decision.decision_id, found.refused) == (UUID(int=7), told)
