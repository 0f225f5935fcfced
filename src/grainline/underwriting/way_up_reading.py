"""The ways up from a decision that was taken: its inputs, its artefacts, and the card its snapshot holds."""

import asyncio
from dataclasses import dataclass

from grainline.kit.db import Tx
from grainline.members import Source
from grainline.underwriting.applying import Underwriter
from grainline.underwriting.deciding import Artefacts, Outcome
from grainline.underwriting.decisions_store import Decision
from grainline.underwriting.snapshots_store import snapshot_named
from grainline.underwriting.way_up import Way, ways_up
from grainline.underwriting.way_up_changes import Situation


@dataclass(frozen=True)
class Start:
    """What a search for ways up needs: nothing of it is read while it runs."""

    artefacts: Artefacts
    situation: Situation
    outcome: Outcome
    owed_elsewhere_fen: int


async def start_of(tx: Tx, by: Underwriter, decision: Decision) -> Start | None:
    """Read what the ways up from a decision are searched with.

    None where there was no card to read, and where what the bureau said has been forgotten since.
    """
    inputs = decision.read_inputs()
    source = inputs.sources.get(str(Source.BUREAU))
    if source is None or inputs.features is None:
        return None
    snapshot = await snapshot_named(tx, member_id=decision.member_id, content_hash=bytes.fromhex(source["sha256"]))
    if snapshot is None or not snapshot.content["record"]:
        return None
    artefacts = await by.shelf.named_by(tx, inputs)
    card, owed = snapshot.content["card"], snapshot.content["owed_elsewhere_fen"]
    assert isinstance(card, dict) and isinstance(owed, int)  # noqa: S101  # as `of_report` writes them
    situation = Situation(inputs, card, by.profiles[artefacts.pack.regulation.profile])
    return Start(artefacts, situation, decision.read_outcome(), owed)


async def ways_from(start: Start | None) -> tuple[Way, ...]:
    """Search the ways up; none without a start. Dozens of decisions in a thread: the loop does not wait for them."""
    if start is None:
        return ()
    return await asyncio.to_thread(
        ways_up, start.artefacts, start.situation, start.outcome, owed_elsewhere_fen=start.owed_elsewhere_fen
    )
