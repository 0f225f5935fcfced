"""SQL of the rules' versions: proposed by one, back-tested, released by another; which is in force on a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from psycopg.types.json import Jsonb

from grainline.kit.db import Tx, record
from grainline.kit.errors import Kind, Refusal
from grainline.underwriting.rules import Rules, load_rules

# Names under which the platform itself enters what it was shipped with: no person may sign as these.
SHIPPED_MAKER, SHIPPED = "packs", "shipped"

COLUMNS = (
    "select v.product, v.version, v.effective_from, v.sha256, v.body, v.maker, v.note, v.proposed_at,"
    " r.checker, r.released_at,"
    " (select count(*) from underwriting.rule_backtests b where b.product = v.product and b.version = v.version)"
    " as backtests"
    " from underwriting.rule_versions v left join underwriting.rule_releases r"
    " on r.product = v.product and r.version = v.version"
)


class RulesNotFound(Refusal):
    """No such version, or none in force on that day."""

    code = "rules_not_found"
    kind = Kind.NOT_FOUND


class RulesVersionTaken(Refusal):
    """The version, or the same rules under another version, is there already."""

    code = "rules_version_taken"
    kind = Kind.CONFLICT


class RulesSamePerson(Refusal):
    """Who made a version may not release it."""

    code = "rules_same_person"
    kind = Kind.FORBIDDEN


class RulesNotBacktested(Refusal):
    """A version is released only after it was back-tested."""

    code = "rules_not_backtested"
    kind = Kind.CONFLICT


class RulesReleased(Refusal):
    """The version was released before."""

    code = "rules_released"
    kind = Kind.CONFLICT


class RulesEffectivePast(Refusal):
    """A version may not take effect before the day of its release: what was decided stays decided by what held then."""

    code = "rules_effective_past"


class RulesDateTaken(Refusal):
    """Another version of the product takes effect on that day."""

    code = "rules_date_taken"
    kind = Kind.CONFLICT


class RulesNeedName(Refusal):
    """A maker, a checker and a note must be there, and a person has another name than the platform's own."""

    code = "rules_need_name"


@dataclass(frozen=True)
class RuleVersion:
    """A version with its life: who made it and why, how often it was back-tested, who released it."""

    product: str
    version: str
    effective_from: date
    sha256: bytes
    body: bytes
    maker: str
    note: str
    proposed_at: datetime
    checker: str | None
    released_at: datetime | None
    backtests: int

    def rules(self) -> Rules:
        """Return the rules themselves."""
        return loaded(self.body)


@lru_cache(maxsize=64)
def loaded(body: bytes) -> Rules:
    """Return rules by their bytes, read once a process; raise BadRules."""
    return load_rules(body)


async def history(tx: Tx, *, product: str) -> list[RuleVersion]:
    """Return every version of a product's rules, by the day it takes effect."""
    cursor = await tx.execute(
        f"{COLUMNS} where v.product = %s order by v.effective_from, v.proposed_at, v.version", (product,)
    )
    return [record(RuleVersion, row) for row in await cursor.fetchall()]


async def version_of(tx: Tx, *, product: str, version: str) -> RuleVersion:
    """Return one version; raise RulesNotFound."""
    cursor = await tx.execute(f"{COLUMNS} where v.product = %s and v.version = %s", (product, version))
    row = await cursor.fetchone()
    if row is None:
        raise RulesNotFound(product=product, wanted=version)
    return record(RuleVersion, row)


async def in_force(tx: Tx, *, product: str, day: date) -> RuleVersion:
    """Return the released version that holds on a business date: the last that took effect; raise RulesNotFound."""
    cursor = await tx.execute(
        f"{COLUMNS} where v.product = %s and r.released_at is not null and v.effective_from <= %s"
        " order by v.effective_from desc limit 1",
        (product, day),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RulesNotFound(product=product, wanted=day.isoformat())
    return record(RuleVersion, row)


async def propose(tx: Tx, rules: Rules, *, maker: str, note: str, now: datetime) -> RuleVersion:
    """Enter a version, not yet released; the same again changes nothing. Raises RulesNeedName, RulesVersionTaken."""
    _check_name(maker)
    if not note.strip():
        raise RulesNeedName(name=note)
    await tx.execute(
        "insert into underwriting.rule_versions"
        " (product, version, effective_from, sha256, body, maker, note, proposed_at)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (
            rules.product,
            rules.version,
            rules.effective_from,
            bytes.fromhex(rules.sha256),
            rules.body,
            maker.strip(),
            note.strip(),
            now,
        ),
    )
    cursor = await tx.execute(
        f"{COLUMNS} where v.product = %s and v.version = %s and v.sha256 = %s",
        (rules.product, rules.version, bytes.fromhex(rules.sha256)),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RulesVersionTaken(product=rules.product, version=rules.version)
    return record(RuleVersion, row)


async def keep_backtest(
    tx: Tx, *, product: str, version: str, against: str, result: Mapping[str, object], by: str, now: datetime
) -> None:
    """Keep what a back-test of a version against another one said. Raises RulesNeedName."""
    _check_name(by)
    await tx.execute(
        "insert into underwriting.rule_backtests (product, version, against, result, run_by, run_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (product, version, against, Jsonb(result), by.strip(), now),
    )


async def release(tx: Tx, *, product: str, version: str, checker: str, today: date, now: datetime) -> RuleVersion:
    """Release a version, from its date on. The database holds besides that the checker did not make it.

    Raises RulesNotFound, RulesNeedName, RulesSamePerson, RulesReleased, RulesNotBacktested, RulesEffectivePast,
    RulesDateTaken.
    """
    _check_name(checker)
    found = await version_of(tx, product=product, version=version)
    if found.released_at is not None:
        raise RulesReleased(product=product, version=version, checker=found.checker)
    if found.maker.strip().lower() == checker.strip().lower():
        raise RulesSamePerson(version=version, maker=found.maker)
    if not found.backtests:
        raise RulesNotBacktested(product=product, version=version)
    if found.effective_from < today:
        raise RulesEffectivePast(version=version, effective_from=found.effective_from.isoformat())
    cursor = await tx.execute(
        "insert into underwriting.rule_releases (product, version, effective_from, maker, checker, released_at)"
        " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
        (product, version, found.effective_from, found.maker, checker.strip(), now),
    )
    if not cursor.rowcount:
        raise RulesDateTaken(product=product, effective_from=found.effective_from.isoformat())
    return await version_of(tx, product=product, version=version)


def _check_name(name: str) -> None:
    if not name.strip() or name.strip().lower() in {SHIPPED_MAKER, SHIPPED}:
        raise RulesNeedName(name=name)
