"""What rules must keep: the product's own bounds, the regulatory profile, and who is never let through.

Each demand is proved of every value, not tried on some: for a region of facts a table must never say anything milder.
"""

from collections.abc import Iterable, Iterator

from grainline.products import Pack
from grainline.products.profile import Profile, RateAboveCap
from grainline.underwriting.rules.cells import Range, written
from grainline.underwriting.rules.facts import Fact, FactKind
from grainline.underwriting.rules.reading import Rules
from grainline.underwriting.rules.table import Result, Table, milder

# Facts by which nobody is approved, whatever the product: at most an officer looks.
NEVER_APPROVED: dict[str, tuple[bool | str, ...]] = {
    "identity_verified": (False,),
    "consent": (False,),
    "negative_list": (True,),
    "overdue_here": (True,),
    "overdue_elsewhere": ("yes", "unknown"),
    "bureau": ("unavailable",),
    "student": ("unknown",),
}
UNSTATED = "unstated"


def misfits(rules: Rules, pack: Pack, profile: Profile) -> tuple[str, ...]:
    """Return everything in which rules depart from their product's pack, the profile, or what never passes."""
    facts = {fact.name: fact for fact in rules.facts}
    named = [
        f"{key}: is {ours}, and should be {theirs}"
        for key, ours, theirs in (
            ("product", rules.product, pack.product.code),
            ("profile", rules.profile, pack.regulation.profile),
            ("profile", rules.profile, profile.profile),
            ("annual_rate_max_e4 of the pack", pack.regulation.annual_rate_max_e4, profile.annual_rate_max_e4),
            ("annual_rate_method of the pack", pack.regulation.annual_rate_method, profile.annual_rate_method),
        )
        if ours != theirs
    ]
    found = [
        *named,
        *_costs(pack, profile),
        *_never(rules, facts),
        *_people(rules, facts, profile),
        *_purposes(rules, facts, pack, profile),
        *_admission(rules, facts, pack),
        *_tiers(rules, pack),
    ]
    return tuple(found)


def _costs(pack: Pack, profile: Profile) -> Iterator[str]:
    for tier in pack.tier:
        try:
            profile.check_rate(tier.rate_max_e8, pack.schedule.year_basis)
        except RateAboveCap as refusal:
            said = refusal.params
            yield (
                f"tier {tier.code}: its highest rate costs {said['simple']} % a year simple, {said['irr']} % by IRR; "
                f"{profile.profile} caps {said['binds']} at {said['cap']} %"
            )


def _never(rules: Rules, facts: dict[str, Fact]) -> Iterator[str]:
    for name, values in NEVER_APPROVED.items():
        yield from _demand(rules, facts, name, values, Result.REVIEW)


def _people(rules: Rules, facts: dict[str, Fact], profile: Profile) -> Iterator[str]:
    yield from _within(rules, facts, "age", (None, profile.age_min - 1), Result.DECLINE)
    yield from _within(rules, facts, "owed_all_fen", (profile.borrower_max_fen, None), Result.DECLINE)
    if not profile.students:
        yield from _demand(rules, facts, "student", ("yes",), Result.DECLINE)


def _purposes(rules: Rules, facts: dict[str, Fact], pack: Pack, profile: Profile) -> Iterator[str]:
    allowed = {purpose.code for purpose in pack.draw.purpose}
    fact = facts.get("purpose")
    if fact is None:
        yield "facts: purpose is missing"
        return
    for code in sorted(allowed & set(profile.forbidden_purposes)):
        yield f"purpose {code}: the pack allows it and {profile.profile} forbids it"
    for code in sorted((allowed | set(profile.forbidden_purposes) | {UNSTATED}) - set(fact.choices)):
        yield f"fact purpose: {code} is none of its choices"
    refused = [code for code in fact.choices if code not in allowed and code != UNSTATED]
    yield from _demand(rules, facts, "purpose", refused, Result.DECLINE)


def _admission(rules: Rules, facts: dict[str, Fact], pack: Pack) -> Iterator[str]:
    score = pack.admission.score
    if score is None:
        yield from _demand(rules, facts, "invited", (False,), Result.DECLINE)
        return
    fact = facts.get("score_points")
    if fact is not None and (fact.low, fact.high) != (score.low, score.high):
        yield f"fact score_points: is {fact.allowed()}, the pack's scale {score.low} … {score.high}"
    yield from _within(rules, facts, "score_points", (None, score.min - 1), Result.DECLINE)
    for table in rules.tables:
        for row in table.rows:
            cell = _cell_of(table, row.number, "score_points")
            if row.result is Result.DECLINE and cell is not None and cell[0] < score.min <= cell[1]:
                yield f"table {table.name} row {row.number}: declines from {score.min} points on, where the pack admits"


def _tiers(rules: Rules, pack: Pack) -> Iterator[str]:
    """The tiers of the rules are the pack's: the pack is where their bounds are said."""
    giving = [table for table in rules.tables if any(row.tier for row in table.rows)]
    if len(giving) != 1 or [fact.name for fact in giving[0].facts] != ["pd_e6"]:
        yield "tiers: one table must give them, by pd_e6 alone"
        return
    [table] = giving
    above, expected = -1, {}
    for tier in pack.tier:
        expected[tier.code] = (above + 1, tier.pd_max_e6)
        above = tier.pd_max_e6
    given: dict[str, Range] = {}
    for row in table.rows:
        cell = row.ranges[0][0]
        if row.tier is None and (row.result is not Result.DECLINE or cell[0] <= above):
            yield f"table {table.name} row {row.number}: gives no tier, and the pack has one or declines"
        elif row.tier is not None and (row.tier in given or expected.get(row.tier) != cell):
            should = written(table.facts[0], *expected[row.tier]) if row.tier in expected else "no tier of the pack"
            at = written(table.facts[0], *cell)
            yield f"table {table.name} row {row.number}: tier {row.tier} at {at}, the pack: {should}"
        if row.tier is not None:
            given[row.tier] = cell
    yield from (f"table {table.name}: tier {code} of the pack is missing" for code in expected if code not in given)


def _cell_of(table: Table, number: int, name: str) -> Range | None:
    place = next((place for place, fact in enumerate(table.facts) if fact.name == name), None)
    return None if place is None else table.rows[number - 1].ranges[place][0]


def _demand(
    rules: Rules, facts: dict[str, Fact], name: str, values: Iterable[bool | str], least: Result
) -> Iterator[str]:
    """Demand at least a result for some values of a truth or a choice; a value the fact cannot have demands nothing."""
    fact = facts.get(name)
    if fact is None:
        yield f"facts: {name} is missing"
        return
    for value in values:
        if isinstance(value, bool) is (fact.kind is FactKind.TRUTH) and (
            fact.kind is FactKind.TRUTH or value in fact.choices
        ):
            number = fact.number_of(value)
            yield from _within(rules, facts, name, (number, number), least)


def _within(
    rules: Rules, facts: dict[str, Fact], name: str, bounds: tuple[int | None, int | None], least: Result
) -> Iterator[str]:
    """Demand that one table says at least `least` for a range of a fact, whatever the others are."""
    fact = facts.get(name)
    if fact is None:
        yield f"facts: {name} is missing"
        return
    low = fact.first if bounds[0] is None else max(fact.first, bounds[0])
    high = fact.last if bounds[1] is None else min(fact.last, bounds[1])
    if low > high:
        yield f"fact {name}: its range {fact.allowed()} leaves out what must be refused"
        return
    gap = "no table looks at it"
    for table in rules.tables:
        place = next((place for place, one in enumerate(table.facts) if one.name == name), None)
        if place is None:
            continue
        region = tuple((low, high) if n == place else one for n, one in enumerate(table.whole()))
        found = milder(table, region, least)
        if found is None:
            return
        gap = f"table {table.name} lets through, for one, {table.say(found)}"
    yield f"{written(fact, low, high)} must {'be declined' if least is Result.DECLINE else 'never be approved'}: {gap}"
