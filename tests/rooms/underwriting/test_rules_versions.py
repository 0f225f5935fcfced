"""A new version of the rules: one makes it, it is tried on people, another releases it, and it never changes again."""

import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import psycopg
import pytest
from rule_files import BODIES, GOOD, PACKS, RULES, cell, changed

from grainline.kit.db import make_pool, transaction
from grainline.underwriting import loan_profit_fen, rules_store
from grainline.underwriting.policy_backtest import hold_versions
from grainline.underwriting.pricing import Means, price
from grainline.underwriting.rules import load_rules
from grainline.underwriting.rules.diff import diff
from grainline.underwriting.rules_store import (
    RulesDateTaken,
    RulesEffectivePast,
    RulesNeedName,
    RulesNotBacktested,
    RulesNotFound,
    RulesReleased,
    RulesSamePerson,
    RulesVersionTaken,
)

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 12, 1, 2, tzinfo=UTC)
TODAY = date(2026, 12, 1)
WEILIDAI = RULES["weilidai"]


def stricter(version: str = "2026-12-15", effective_from: str = "2026-12-15", above: int = 160_000):
    """Return rules that send people to review from another probability on."""

    def change(document):
        cell("review", 2, "pd_e6", f"({above}..180000]")(document)
        document["version"], document["effective_from"] = version, effective_from

    return load_rules(changed(change))


@pytest.fixture
async def pool(databases):
    async with make_pool(databases[1], size_max=2) as opened:
        yield opened


async def proposed_and_tried(tx, rules, *, maker="li"):
    await rules_store.propose(tx, rules, maker=maker, note="less risk in the last tier", now=NOW)
    await rules_store.keep_backtest(
        tx, product=rules.product, version=rules.version, against="2026-11-01", result={"people": 1}, by=maker, now=NOW
    )


async def test_the_shipped_rules_are_in_force_until_others_take_effect(pool):
    new = stricter()
    async with transaction(pool) as tx:
        shipped = await rules_store.in_force(tx, product="weilidai", day=TODAY)
        assert (shipped.checker, shipped.body) == ("shipped", BODIES["weilidai"])
        await proposed_and_tried(tx, new)
        kept = await rules_store.release(
            tx, product="weilidai", version=new.version, checker="wang", today=TODAY, now=NOW
        )
        assert (kept.maker, kept.checker, kept.released_at, kept.rules()) == ("li", "wang", NOW, new)
        for day, version in ((date(2026, 12, 14), "2026-11-01"), (date(2026, 12, 15), "2026-12-15")):
            assert (await rules_store.in_force(tx, product="weilidai", day=day)).version == version
        versions = [one.version for one in await rules_store.history(tx, product="weilidai")]
        assert versions == ["2026-11-01", "2026-12-15"]
        with pytest.raises(RulesReleased):
            await rules_store.release(tx, product="weilidai", version=new.version, checker="zhao", today=TODAY, now=NOW)
        with pytest.raises(RulesNotFound):
            await rules_store.in_force(tx, product="weilidai", day=date(2025, 12, 31))


async def test_a_version_is_released_by_another_and_only_after_it_was_tried(pool):
    new = stricter("2027-01-01", "2027-01-01")
    async with transaction(pool) as tx:
        await rules_store.propose(tx, new, maker="li", note="a note", now=NOW)
        again = await rules_store.propose(tx, new, maker="wang", note="another", now=NOW + timedelta(days=1))
        assert (again.maker, again.note) == ("li", "a note")

        async def release(checker, today=TODAY):
            return await rules_store.release(
                tx, product="weilidai", version="2027-01-01", checker=checker, today=today, now=NOW
            )

        with pytest.raises(RulesNotBacktested):
            await release("wang")
        await proposed_and_tried(tx, new)
        for name in ("li", " LI "):
            with pytest.raises(RulesSamePerson):
                await release(name)
        for name in ("", "  ", "shipped", "Packs"):
            with pytest.raises(RulesNeedName):
                await release(name)
        with pytest.raises(RulesEffectivePast):
            await release("wang", date(2027, 1, 2))
        await release("wang", date(2027, 1, 1))
        other = stricter("2027-01-01.1", "2027-01-01", above=150_000)
        await proposed_and_tried(tx, other)
        with pytest.raises(RulesDateTaken):
            await rules_store.release(
                tx, product="weilidai", version="2027-01-01.1", checker="wang", today=TODAY, now=NOW
            )
        with pytest.raises(RulesVersionTaken):
            await rules_store.propose(
                tx, stricter("2027-01-01", "2027-01-01", above=120_001), maker="li", note="x", now=NOW
            )
        with pytest.raises(RulesNotFound):
            await rules_store.version_of(tx, product="weilidai", version="2030-01-01")


async def test_the_database_holds_that_maker_and_checker_differ_and_that_nothing_changes(pool, databases):
    async with transaction(pool) as tx:
        await proposed_and_tried(tx, stricter("2027-02-01", "2027-02-01"))
    release = (
        "insert into underwriting.rule_releases (product, version, effective_from, maker, checker, released_at)"
        " values ('weilidai', '2027-02-01', {on}, {maker}, {checker}, timestamptz '2026-12-01 02:00:00+00')"
    )
    on = "date '2027-02-01'"
    refused = {
        release.format(on=on, maker="'li'", checker="'Li '"): psycopg.errors.CheckViolation,
        release.format(on=on, maker="'somebody'", checker="'li'"): psycopg.errors.ForeignKeyViolation,
        release.format(on="date '2026-06-01'", maker="'li'", checker="'wang'"): psycopg.errors.ForeignKeyViolation,
        "update underwriting.rule_versions set body = 'x'": psycopg.errors.InsufficientPrivilege,
        "delete from underwriting.rule_versions": psycopg.errors.InsufficientPrivilege,
        "update underwriting.rule_releases set checker = 'x'": psycopg.errors.InsufficientPrivilege,
        "delete from underwriting.rule_releases": psycopg.errors.InsufficientPrivilege,
        "update underwriting.rule_backtests set result = '{}'": psycopg.errors.InsufficientPrivilege,
    }
    for statement, error in refused.items():
        with pytest.raises(error):
            async with transaction(pool) as tx:
                await tx.execute(statement)
    with psycopg.connect(databases[0]) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("update underwriting.rule_versions set body = 'other bytes' where version = '2027-02-01'")


def test_a_diff_names_every_cell_that_changed():
    assert diff(WEILIDAI, stricter()) == (
        "effective_from: 2026-01-01 → 2026-12-15",
        "table review row 2: pd_e6 (170000..180000] → (160000..180000]",
    )
    assert diff(WEILIDAI, WEILIDAI) == ()

    def more(document):
        [node] = [node for node in document["nodes"] if node["id"] == "regulation"]
        row = {**node["content"]["rules"][0], "_id": "regulation_5", "regulation_age": "> 70"}
        node["content"]["rules"].append(row)
        document["reasons"]["minor"]["en"] = "Too young or too old"

    assert diff(WEILIDAI, load_rules(changed(more))) == (
        "text of minor (en): Under 18 → Too young or too old",
        "table regulation row 5: + age > 70, result decline, reason minor",
    )


def test_a_back_test_counts_who_moves_and_why():
    """Four people: one prime, one at 165 000, one at 175 000 (reviewed before), one too risky."""
    people = pl.DataFrame(
        [
            {**GOOD, "pd_e6": pd_e6, "bad": bad, "capacity_fen": 2_000_000}
            for pd_e6, bad in ((30_000, False), (165_000, True), (175_000, False), (200_000, True))
        ]
    )
    pack = PACKS["weilidai"]
    found = hold_versions(WEILIDAI, stricter(), people, pack=pack)
    assert found.old.counts == {"approve": 2, "review": 1, "decline": 1}
    assert found.new.counts == {"approve": 1, "review": 2, "decline": 1}
    assert (found.old.bad_rate_approved, found.new.bad_rate_approved) == (0.5, 0.0)
    assert (found.moves, found.flips) == ({"approve → review": 1}, {"pd_near_limit": 1})
    assert found.tier_moves == {}
    assert found.old.expected_profit_fen is not None
    assert found.new.expected_profit_fen is not None
    offer = price(pack, pd_e6=165_000, means=Means(2_000_000))
    good, bad = (
        loan_profit_fen(pack, line_fen=offer.line_fen, rate_e8=offer.rate_e8, defaulted=defaulted)
        for defaulted in (False, True)
    )
    moved = (good * 835_000 + bad * 165_000) // 1_000_000
    assert found.old.expected_profit_fen - found.new.expected_profit_fen == moved
    back = hold_versions(stricter(), WEILIDAI, people.drop("bad", "capacity_fen"), pack=pack)
    assert (back.moves, back.flips) == ({"review → approve": 1}, {"pd_near_limit": 1})
    assert back.old.bad_rate_approved is back.old.expected_profit_fen is None
    assert json.loads(json.dumps(found.to_json()))["people"] == 4


def test_who_is_declined_loses_the_tier():
    def no_thirty(document):
        document["version"] = "2026-12-16"
        cell("regulation", 1, "age", "<= 30")(document)

    found = hold_versions(WEILIDAI, load_rules(changed(no_thirty)), pl.DataFrame([GOOD, GOOD]), pack=PACKS["weilidai"])
    assert found.tier_moves == {"prime → none": 2}
    assert found.flips == {"minor": 2}
