"""A past decision taken again: the same inputs, the artefacts they name, and the bits held against those recorded.

An officer's answer (occasion human) was no computation; what is held of it is that it stands on an intact record: the
decision it overrides is there with the same inputs, it is signed and says why, and what it grants lies inside a tier.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from grainline.kit.db import Tx
from grainline.kit.errors import Refusal
from grainline.underwriting.deciding import Occasion, Verdict, decide_on
from grainline.underwriting.decisions_store import Decision, decision_of, decisions_since
from grainline.underwriting.reviewing import tier_holding
from grainline.underwriting.shelf import Shelf

TOLD_EVERY = 10_000


@dataclass(frozen=True)
class Difference:
    """A decision that does not come out as it was recorded: what it says now, or the code of why it cannot be taken."""

    decision: Decision
    outcome: str | None
    refused: str | None = None


@dataclass
class Replayed:
    """How many decisions were taken again, of each occasion, and which came out differently."""

    counted: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)


async def replay(tx: Tx, shelf: Shelf, decision: Decision) -> Difference | None:
    """Take a decision again; None where it comes out to the bit as it was recorded."""
    try:
        inputs = decision.read_inputs()
        if inputs.text() != decision.inputs:
            return Difference(decision, None, "inputs_not_canonical")
        if decision.occasion is Occasion.HUMAN:
            wrong = await _wrong_with_answer(tx, shelf, decision)
            return None if wrong is None else Difference(decision, None, wrong)
        outcome = decide_on(await shelf.named_by(tx, inputs), inputs).text()
    except Refusal as refusal:
        return Difference(decision, None, refusal.code)
    except (LookupError, ValueError) as error:
        return Difference(decision, None, str(error))
    return None if outcome == decision.outcome else Difference(decision, outcome)


async def _wrong_with_answer(tx: Tx, shelf: Shelf, decision: Decision) -> str | None:
    """Return in a word what is wrong with an officer's answer; raise NoDecision where what it overrides is gone."""
    if decision.overrides is None:
        return "overrides_nothing"
    looked_at = await decision_of(tx, member_id=decision.member_id, decision_id=decision.overrides)
    inputs, outcome, before = decision.read_inputs(), decision.read_outcome(), looked_at.read_outcome()
    if inputs != replace(looked_at.read_inputs(), occasion=Occasion.HUMAN):
        return "inputs_of_another"
    if outcome.text() != decision.outcome:
        return "outcome_not_canonical"
    said = outcome.answered
    if not said.get("why") or not decision.decided_by or said.get("by") != decision.decided_by:
        return "answer_unsigned"
    if outcome.result is Verdict.REVIEW:
        return "answer_open"
    if outcome.result is Verdict.DECLINED or outcome == replace(before, answered=said):  # left as it was
        return None
    pack = await shelf.pack_named(tx, inputs.pack)
    tier = tier_holding(pack, outcome.line_fen, outcome.rate_e8)
    return None if tier is not None and tier.code == outcome.tier else "offer_outside_tiers"


async def replay_since(
    tx: Tx,
    shelf: Shelf,
    since: datetime,
    *,
    part: int = 0,
    parts: int = 1,
    told: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Take every decision since an instant again; `told` hears how many are done, now and then.

    `part` of `parts` is the share of members that this process looks at; `together` puts the shares into one.
    """
    done = Replayed()
    async for decision in decisions_since(tx, since, part=part, parts=parts):
        difference = await replay(tx, shelf, decision)
        done.counted[decision.occasion] += 1
        if difference is not None:
            done.differences.append(difference)
        if done.counted.total() % TOLD_EVERY == 0:
            told(done.counted.total())
    return done


def together(parts: Iterable[Replayed]) -> Replayed:
    """Return what several processes found as one, the differences by time."""
    done = Replayed()
    for one in parts:
        done.counted += one.counted
        done.differences += one.differences
    done.differences.sort(key=lambda one: (one.decision.decided_at, one.decision.decision_id))
    return done
