"""What a decision rests on, put together as of now: facts for the rules, features for models, means for the price."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stdnum.cn import ric

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.sealing import Vault
from grainline.lines import Hold, Line
from grainline.members import Consent, Source, age_on, identity_of, member_of
from grainline.members.consents import terms
from grainline.products.profile import Profile
from grainline.scoring import features_of_card
from grainline.underwriting.decide import capacity_fen
from grainline.underwriting.deciding import Inputs, Occasion
from grainline.underwriting.pricing import Means
from grainline.underwriting.shelf import Named
from grainline.underwriting.snapshots import Content, Snapshot

FEN = 100
MONTHS = range(1, 7)
UNSTATED = "unstated"


async def age_of(tx: Tx, vault: Vault, *, member_id: int, now: datetime) -> int:
    """Return a member's completed years, from the verified national id; raise IdentityNeeded."""
    _, national_id = identity_of(vault, await member_of(tx, member_id))
    return age_on(ric.get_birth_date(national_id), business_date(now))


@dataclass(frozen=True)
class Known:
    """What was read of a member: snapshots, consents that stand, lines held, age in years, and what they declared."""

    snapshots: Mapping[Source, Snapshot]
    consents: Mapping[Source, Consent]
    held: Mapping[str, Line]
    age: int
    student: bool
    invited: bool


def gather(named: Named, profile: Profile, known: Known, *, occasion: Occasion, now: datetime) -> Inputs:
    """Return the inputs of a decision, from what was read of the member."""
    report = known.snapshots[Source.BUREAU].content
    card = _card(report)
    facts = _facts(known, report)
    product = named.artefacts.pack.product.code
    room_fen = profile.room_fen(owed_beside_fen(known.held, report, product))
    return Inputs(
        product=product,
        occasion=occasion,
        as_of=now.astimezone(UTC).isoformat(),
        facts=facts,
        features=dict(features_of_card(card)) if card else None,
        means=_means(card, room_fen=room_fen) if card else None,
        sources={
            str(source): {"sha256": one.content_hash.hex(), "as_of": one.as_of.isoformat(), "consent": one.consent}
            for source, one in known.snapshots.items()
        },
        role=str(named.routed.role),
        model=named.routed.sha256,
        second=named.second,
        shadows=named.routed.shadows,
        rules=named.rules,
        pack=named.pack,
    )


def owed_beside_fen(held: Mapping[str, Line], report: Content, product: str) -> int:
    """Return what may come to be owed beside a line, in fen: other lines here in full, drawn or not, and elsewhere.

    What is drawn on the line that is decided on is within it, not beside it.
    """
    others = (line for code, line in held.items() if code != product)
    here = sum(max(line.limit_fen, line.used_fen + line.reserved_fen) for line in others)
    return here + (_whole(report["owed_elsewhere_fen"]) if report["record"] else 0)


def _facts(known: Known, report: Content) -> dict[str, int | bool | str]:
    """Return what the rules are told.

    What is owed is what is drawn or being paid out here on every line, and what the bureau tells. A list of people who
    are not lent to does not exist yet, so nobody is on it.
    """
    has_record = bool(report["record"])
    owed_here = sum(line.used_fen + line.reserved_fen for line in known.held.values())
    required = {source for source, one in terms()[1].items() if one.required}
    return {
        "invited": known.invited,
        "age": known.age,
        "student": "yes" if known.student else "no",
        "identity_verified": True,
        "consent": required <= known.consents.keys(),
        "bureau": "answered",
        "negative_list": False,
        "overdue_here": any(Hold.OVERDUE in line.holds for line in known.held.values()),
        "overdue_elsewhere": "yes" if has_record and _whole(report["overdue_days"]) > 0 else "no",
        "owed_all_fen": owed_here + (_whole(report["owed_elsewhere_fen"]) if has_record else 0),
        "purpose": UNSTATED,
    }


def _card(report: Content) -> dict[str, int] | None:
    """Return the six months of a card that the bureau tells of, by column, in yuan; None where there is no record."""
    card = report.get("card")
    return {str(name): _whole(value) for name, value in card.items()} if isinstance(card, dict) else None


def _means(card: Mapping[str, int], *, room_fen: int) -> Means:
    """Return what the person can carry; the bureau's card is in yuan."""
    paid = [card[f"paid_{month}"] * FEN for month in MONTHS]
    return Means(capacity_fen(card["card_limit"] * FEN, paid), room_fen=room_fen)


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"a whole number was meant, not {value!r}")
    return value
