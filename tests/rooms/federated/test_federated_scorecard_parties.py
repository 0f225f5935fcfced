"""What parties to a scorecard refuse, and what passes between them: nothing that was planted, in the clear."""

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from federated_stage import Local, ids_of, secret
from scorecard_stage import MODEL, SMALL, CardParties, asking, made, telling
from test_federated_leaks import spellings
from two_parties import acquainted, channel_over, port_of

from grainline.federated import scorecard_messages as says
from grainline.federated.admitting import by_consent
from grainline.federated.bits import pack
from grainline.federated.channel import PartyDeclined
from grainline.federated.consent import Consent, sign
from grainline.federated.gradients import BadSum, Slots
from grainline.federated.host import BinsTooSmall, OutOfTurn
from grainline.federated.identity import consent_signer, keep_consent_key
from grainline.federated.model import BadModel
from grainline.federated.party import serve
from grainline.federated.party_files import write_alignment
from grainline.federated.party_model import PartyTable
from grainline.federated.scorecard_inference import points
from grainline.federated.scorecard_model import read_scorecard_host_part
from grainline.federated.scorecard_party import SCORECARDS, points_host, scorecard_host
from grainline.federated.scorecard_training import make_scorecard, make_twin_scorecard
from grainline.federated.signed_parts import read_part
from grainline.federated.training import Alignment, Rows
from grainline.federated.transport import connector
from grainline.federated.wire import BadMessage
from wire_recorder import Recorder

ROWS = 120


def begins(**changed) -> says.ScorecardBegins:
    whole = np.ones(ROWS, np.bool_)
    plain = says.ScorecardBegins(MODEL, bytes(16), secret().public.dump(), ROWS, pack(whole), 5, 3, Slots(ROWS).bits, 0)
    return replace(plain, **changed)


def changing(host, change) -> Local:
    return Local(lambda message: change(host.answer(message)))


def cut_short(answer):
    size = secret().public.ciphertext_bytes
    if isinstance(answer, says.ScorecardSums | says.ScorecardScores):
        return replace(answer, ciphertexts=answer.ciphertexts[size:])
    return answer


def doubled(answer):
    """Send twice the sums: more than any rows can have."""
    if not isinstance(answer, says.ScorecardSums):
        return answer
    key = secret().public
    return replace(answer, ciphertexts=key.write_all([key.shift(one, 3) for one in key.read_all(answer.ciphertexts)]))


def heavier(answer):
    """Send scores of more than all weights together."""
    if not isinstance(answer, says.ScorecardScores):
        return answer
    key = secret().public
    return replace(answer, ciphertexts=key.write_all([key.shift(one, 2) for one in key.read_all(answer.ciphertexts)]))


def smaller(answer):
    if not isinstance(answer, says.ScorecardBinned):
        return answer
    return replace(answer, rows=(1, answer.rows[0] + answer.rows[1] - 1, *answer.rows[2:]))


@pytest.mark.parametrize("change", [cut_short, doubled, heavier, smaller])
def test_a_host_that_answers_otherwise_ends_the_run(change) -> None:
    rows, frames = telling()
    parties = CardParties(frames[:1])
    with pytest.raises((BadMessage, BadSum)):
        asyncio.run(made(rows, parties, channels=[changing(parties.host(0), change)]))
    assert not parties.parts


def test_a_host_refuses_small_bins_and_what_does_not_follow() -> None:
    _, frames = telling()
    parties = CardParties(frames)
    with pytest.raises(BinsTooSmall):
        parties.host(0, smallest=4).answer(begins())
    host = parties.host(0)
    for early in (says.ScorecardSumsAsked(0, ()), says.ScorecardEnds(())):
        with pytest.raises(OutOfTurn):
            host.answer(early)
    binned = host.answer(begins())
    assert min(binned.rows) >= 3 and sum(binned.rows) == ROWS
    with pytest.raises(OutOfTurn):
        host.answer(begins())
    with pytest.raises(OutOfTurn):
        host.answer(says.ScorecardSumsAsked(0, (0,)))
    some = secret().public.write_all(secret().encrypt([1] * binned.bins[0], os.urandom))
    with pytest.raises(BadMessage):
        host.answer(says.ScorecardWeights(1, (0,), 2, some))
    with pytest.raises(BadMessage):
        host.answer(says.ScorecardWeights(1, (len(binned.bins),), 1, some))
    host.answer(says.ScorecardWeights(1, (0,), 1, some))
    with pytest.raises(OutOfTurn):
        host.answer(says.ScorecardScoresAsked(1, 5, 5))


def test_a_host_made_anew_of_its_checkpoint_names_bins_as_before() -> None:
    _, frames = telling()
    parties = CardParties(frames)
    host = parties.host(1)
    host.answer(begins())
    again = parties.host(1, checkpoint=host.checkpoint())
    for one in (host, again):
        one.answer(says.ScorecardEnds((0, 1)))
        parties.parts[one is again] = parties.parts.pop(1)
    assert parties.parts[False].dump() == parties.parts[True].dump()


def test_who_consented_to_nothing_is_not_asked_about_and_another_part_is_no_part() -> None:
    rows, frames = telling()
    parties = CardParties(frames)
    card = asyncio.run(made(rows, parties)).part

    def admit(applicant, consent) -> None:
        raise PermissionError

    ask = lambda ways, part: points(part, rows.frame[:1], ids_of(1), ways, asking())  # noqa: E731
    with pytest.raises(PermissionError):
        asyncio.run(ask(parties.inference(admit), card))
    with pytest.raises(BadModel):
        asyncio.run(ask(parties.inference(), replace(card, host_hashes=[bytes(32)] * 2)))
    with pytest.raises(BadModel):
        asyncio.run(ask(parties.inference()[:1], card))


async def everything(folder: Path, recorder: Recorder, rows: Rows, frames, consented: bool = True):
    """Make a scorecard and ask about one applicant, over mutual TLS with every frame recorded."""
    lender, parties = acquainted(folder, "payment", "bureau")
    ids, now = ids_of(ROWS), datetime.now(UTC)
    ids = [one.ljust(32, b"0") for one in ids]
    async with AsyncExitStack() as stack:
        connects = []
        for name, identity, frame in zip(("payment", "bureau"), parties, frames, strict=True):
            keep_consent_key(identity, lender.consent_public.read_bytes())
            write_alignment(identity.folder, bytes(16), ids)
            table = PartyTable(ids, frame)
            admit = by_consent(identity, source="payment", purpose="underwriting", clock=lambda: now)
            hosts = {
                "scorecard-begins": scorecard_host(identity, lambda table=table: table),
                "points-asked": points_host(identity, lambda _, table=table: table, admit),
            }
            server = await serve(identity, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=lambda *_: None,
                                 brief=frozenset({"points-asked"}))  # fmt: skip
            stack.callback(server.close)
            connects.append(recorder.around(name, connector(lender, name, port_of(server))))

        def channels():
            found = [channel_over(connect) for connect in connects]
            for one in found:
                stack.callback(one.drop)
            return found

        used = np.ones(ROWS, np.bool_)
        card = await make_scorecard(
            rows, [Alignment(bytes(16), used)] * 2, channels(), SMALL,
            secret=secret(), model=MODEL, random_bytes=os.urandom,
        )  # fmt: skip
        tokens = [[_consent(lender, ids[7], now, number)] if consented else [b""] for number in (1, 2)]
        found = await points(card.part, rows.frame[7:8], ids[7:8], channels(), asking(), tokens)
    kept = [next((identity.folder / SCORECARDS).glob("*.json")).read_bytes() for identity in parties]
    return card, found, kept


def _consent(lender, member: bytes, now: datetime, number: int) -> bytes:
    consent = Consent(member, "payment", "underwriting", now, now + timedelta(hours=1), bytes([number]) * 16)
    return sign(consent, consent_signer(lender))


def canary_frames() -> tuple[Rows, list[pl.DataFrame]]:
    rows, frames = telling()
    frames = [
        frames[0].with_columns((31_337_000 + pl.col("spent") * 7_777).round(3)).rename({"spent": "canary_spent"}),
        frames[1].with_columns("canary_" + pl.col("city")).rename({"city": "canary_city"}),
    ]
    return Rows(rows.frame.rename({"limit": "canary_limit"}), rows.label), frames


def test_nothing_that_was_planted_is_in_any_byte(tmp_path: Path) -> None:
    recorder = Recorder()
    rows, frames = canary_frames()
    card, found, kept = asyncio.run(everything(tmp_path, recorder, rows, frames))
    twin, _ = asyncio.run(make_twin_scorecard(rows, frames, SMALL, model=MODEL))
    assert card.scores.tobytes() == twin.scores.tobytes()
    assert found.shape == (1, 3)
    planted: set[bytes] = {rows.label.tobytes(), np.packbits(rows.label).tobytes(), np.packbits(~rows.label).tobytes()}
    for frame in (rows.frame, *frames):
        planted |= {name.encode() for name in frame.columns if name.startswith("canary")}
        for series in frame.iter_columns():
            for value in series.drop_nulls().unique().to_list():
                if not isinstance(value, int):
                    planted |= {value.encode()} if isinstance(value, str) else set(spellings(value))
    for woe in card.fitted.evidence.values():
        planted |= {written for one in woe if abs(one) > 2**13 for written in spellings(one)}
    for coefficient in card.fitted.coefficients.values():
        planted |= set(spellings(coefficient))
    planted |= {written for one in set(card.scores.tolist()) for written in spellings(one)}
    planted |= {repr(edge).encode() for part in kept for edge in _edges(part)}
    assert len(planted) > 3 * ROWS
    assert recorder.found(planted) == []
    names = {type(one).__name__ for one in recorder.messages()}
    assert names >= {"ScorecardBegins", "ScorecardValues", "ScorecardWeights", "ScorecardScores", "PointsAsked"}


def _edges(part: bytes) -> list[float]:
    return [edge for one in read_scorecard_host_part(read_part(part)).characteristics for edge in one.edges]


def test_labels_in_the_place_of_ciphertexts_would_be_seen(tmp_path: Path) -> None:
    """The recorder is one that finds: a lender whose ciphertexts are the labels themselves is caught."""
    recorder = Recorder()
    rows, frames = telling()
    bits = np.packbits(rows.label).tobytes()

    class Telling:
        def __init__(self, channel) -> None:
            self.channel = channel

        async def ask(self, message):
            if isinstance(message, says.ScorecardBegins):
                message = replace(message, rows=bits)
            return await self.channel.ask(message)

    async def run() -> None:
        lender, [party] = acquainted(tmp_path, "payment")
        ids = [one.ljust(32, b"0") for one in ids_of(ROWS)]
        write_alignment(party.folder, bytes(16), ids)
        hosts = {"scorecard-begins": scorecard_host(party, lambda: PartyTable(ids, frames[0]))}
        server = await serve(party, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=lambda *_: None)
        channel = channel_over(recorder.around("payment", connector(lender, "payment", port_of(server))))
        try:
            await make_scorecard(
                rows, [Alignment(bytes(16), np.ones(ROWS, np.bool_))], [Telling(channel)], SMALL,
                secret=secret(), model=MODEL, random_bytes=os.urandom,
            )  # fmt: skip
        finally:
            channel.drop()
            server.close()

    with pytest.raises(BadMessage):
        asyncio.run(run())
    assert len(recorder.found([bits])) == 1


def test_without_consent_a_party_declines(tmp_path: Path) -> None:
    rows, frames = telling()
    with pytest.raises(PartyDeclined) as declined:
        asyncio.run(everything(tmp_path, Recorder(), rows, frames, consented=False))
    assert declined.value.params["reason"] == "consent_missing"


def test_a_host_that_dies_between_iterations_goes_on_to_the_same_scorecard() -> None:
    """Made anew of its checkpoint whenever it offers one, a host answers what the one that lived answers."""
    rows, frames = telling()
    parties = CardParties(frames[:1])
    hosts = [parties.host(0)]

    def answer(message):
        kept = hosts[-1].checkpoint()
        if kept is not None:
            hosts.append(parties.host(0, checkpoint=kept))
        return hosts[-1].answer(message)

    ours = asyncio.run(made(rows, parties, channels=[Local(answer)]))
    twin, _ = asyncio.run(make_twin_scorecard(rows, frames[:1], SMALL, model=MODEL))
    assert len(hosts) > 3
    assert ours.scores.tobytes() == twin.scores.tobytes()
    assert ours.part.host_hashes == [parties.parts[0].sha256]
