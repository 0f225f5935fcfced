"""Frames over mutual TLS: who is not pinned gets nowhere, and what the network does to frames is made good or told."""

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import toy_party
from toy_party import Add, Sum
from two_parties import QUICK, Faulty, acquainted, channel_over, identity_of, lost, stopped

from grainline.federated import transport
from grainline.federated.channel import PartyAway, PartyDeclined, PartyGarbled, Patience
from grainline.federated.identity import (
    AlreadyAParty,
    BadCertificate,
    Identity,
    NotAParty,
    Role,
    make_identity,
    tls,
    trust,
)
from grainline.federated.party import serve
from grainline.federated.session_messages import Answer, Ask, Working
from grainline.federated.transport import Link, Lost, PartyStranger, connector, listen
from grainline.federated.wire import BadMessage, Message, decode, encode
from wire_recorder import Recorder


async def served(party: Identity) -> asyncio.Server:
    hosts = toy_party.adders()
    return await serve(party, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=lambda *_: None)


def add_up(connect, numbers=(1, 2, 3), **options) -> list[int]:
    async def work() -> list[int]:
        channel = channel_over(connect, **options)
        totals = []
        for number in numbers:
            told = await channel.ask(Add(number))
            assert isinstance(told, Sum)
            totals.append(told.total)
        await channel.close()
        return totals

    return asyncio.run(work())


def with_party(tmp_path: Path, work, wrap=lambda connect: connect):
    """Serve a party and let the lender work with it; `wrap` goes around the way to it."""
    lender, [party] = acquainted(tmp_path, "payment")

    async def both():
        async with stopped(await served(party)) as address:
            return await work(wrap(connector(lender, "payment", address)))

    return asyncio.run(both())


async def totals(connect, patience: Patience = QUICK) -> list[int]:
    channel = channel_over(connect, patience=patience)
    told = [await channel.ask(Add(number)) for number in (1, 2, 3)]
    await channel.close()
    return [one.total for one in told if isinstance(one, Sum)]


def test_two_who_know_each_other_talk(tmp_path: Path) -> None:
    assert with_party(tmp_path, totals) == [1, 3, 6]


def test_it_is_tls_1_3_without_tickets(tmp_path: Path) -> None:
    lender, [party] = acquainted(tmp_path, "payment")
    for context in (tls(lender, server=False), tls(party, server=True)):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_3
        assert context.verify_mode is ssl.CERT_REQUIRED

    async def work() -> None:
        async with stopped(await served(party)) as address:
            old = tls(lender, server=False)
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(*address.split(":"), ssl=old, server_hostname="")

    asyncio.run(work())


@pytest.mark.parametrize("who", ["a stranger", "an impostor of the same name", "nobody"])
def test_a_wrong_certificate_gets_no_message_through(tmp_path: Path, who: str) -> None:
    _, [party] = acquainted(tmp_path, "payment")
    stranger = identity_of(tmp_path / "stranger", Role.LENDER)
    trust(stranger, "payment", party.certificate.read_bytes())
    heard: list[Message] = []

    def handle(peer: str, message: Message) -> Message:
        heard.append(message)
        raise BadMessage

    async def work() -> None:
        async with stopped(await listen(party, "127.0.0.1:0", handle)) as address:
            if who == "nobody":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                reader, writer = await asyncio.open_connection(*address.split(":"), ssl=context)
                frame = encode(Ask(bytes(16), 1, encode(Add(1))))
                with pytest.raises((ssl.SSLError, asyncio.IncompleteReadError, ConnectionError)):
                    writer.write(len(frame).to_bytes(4, "big") + frame)
                    await writer.drain()
                    await reader.readexactly(1)
                return
            with pytest.raises(PartyStranger):
                await channel_over(connector(stranger, "payment", address)).ask(Add(1))

    asyncio.run(work())
    assert heard == []


def test_a_party_with_another_certificate_than_the_pinned_one_hears_nothing(tmp_path: Path) -> None:
    lender, _ = acquainted(tmp_path, "payment")
    impostor = identity_of(tmp_path / "impostor", Role.PAYMENT)
    trust(impostor, "lender", lender.certificate.read_bytes())
    recorder = Recorder()

    async def work() -> None:
        async with stopped(await served(impostor)) as address:
            with pytest.raises(PartyStranger):
                await channel_over(recorder.around("payment", connector(lender, "payment", address))).ask(Add(1))

    asyncio.run(work())
    assert recorder.frames == []


def test_one_party_cannot_stand_in_for_another(tmp_path: Path) -> None:
    lender, [_, bureau] = acquainted(tmp_path, "payment", "bureau")

    async def work() -> None:
        async with stopped(await served(bureau)) as address:
            with pytest.raises(PartyStranger):
                await channel_over(connector(lender, "payment", address)).ask(Add(1))

    asyncio.run(work())


def test_a_certificate_that_has_run_out_is_refused(tmp_path: Path) -> None:
    lender, [party] = acquainted(tmp_path, "payment")
    old = make_identity(
        tmp_path / "old", Role.LENDER, now=datetime.now(UTC) - timedelta(days=800), random_bytes=os.urandom
    )
    trust(old, "payment", party.certificate.read_bytes())
    trust(party, "old", old.certificate.read_bytes())

    async def work() -> None:
        async with stopped(await served(party)) as address:
            with pytest.raises(PartyStranger):
                await channel_over(connector(old, "payment", address)).ask(Add(1))
            assert await totals(connector(lender, "payment", address)) == [1, 3, 6]

    asyncio.run(work())


def test_a_party_no_longer_trusted_is_not_heard_on_its_next_connection(tmp_path: Path) -> None:
    lender, [party] = acquainted(tmp_path, "payment")

    async def work() -> None:
        async with stopped(await served(party)) as address:
            assert await totals(connector(lender, "payment", address)) == [1, 3, 6]
            (party.folder / "peers" / "lender.pem").unlink()
            with pytest.raises(PartyStranger):
                await totals(connector(lender, "payment", address))

    asyncio.run(work())


@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("fault", ["drop", "double", "late"])
def test_frames_dropped_doubled_or_late_change_nothing(tmp_path: Path, fault: str, direction: str, number: int) -> None:
    """The fourth frame is the close of the session."""
    held: list[bytes] = []

    def befall(way: str, count: int, frame: bytes) -> list[bytes]:
        if (way, count) == (direction, number):
            held.append(frame)
            return {"drop": [], "double": [frame, frame], "late": []}[fault]
        if fault == "late" and way == direction and count == number + 1:
            return [frame, held[0]]  # the order is changed: after its repetition or successor comes the late one
        return [frame]

    assert with_party(tmp_path, totals, lambda connect: Faulty(connect, befall)) == [1, 3, 6]
    assert held


@pytest.mark.parametrize("how", ["cut off", "tampered with", "another session", "a round ahead", "a question"])
def test_an_answer_that_is_not_the_protocol_is_told(tmp_path: Path, how: str) -> None:
    def befall(way: str, count: int, frame: bytes) -> list[bytes]:
        if (way, count) != ("from", 2):
            return [frame]
        answer = decode(frame)
        assert isinstance(answer, Answer)
        return {
            "cut off": [frame[:-1]],
            "tampered with": [frame[:20] + bytes((frame[20] ^ 1,)) + frame[21:]],
            "another session": [encode(Answer(bytes(16), answer.round, answer.body))],
            "a round ahead": [encode(Answer(answer.session, answer.round + 1, answer.body))],
            "a question": [encode(Ask(answer.session, answer.round, answer.body))],
        }[how]

    with pytest.raises(PartyGarbled) as told:
        with_party(tmp_path, totals, lambda connect: Faulty(connect, befall))
    assert told.value.params["party"] == "payment"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_question_cut_off_or_tampered_with_is_not_taken_and_is_asked_again(tmp_path: Path, number: int) -> None:
    def befall(way: str, count: int, frame: bytes) -> list[bytes]:
        return [frame[:-2]] if (way, count) == ("to", number) else [frame]

    assert with_party(tmp_path, totals, lambda connect: Faulty(connect, befall)) == [1, 3, 6]


def test_a_frame_that_says_it_is_too_long_ends_the_connection_before_it_is_read(tmp_path: Path) -> None:
    lender, [party] = acquainted(tmp_path, "payment")

    async def work() -> None:
        async with stopped(await served(party)) as address:
            context = tls(lender, server=False)
            reader, writer = await asyncio.open_connection(*address.split(":"), ssl=context, server_hostname="")
            writer.write((transport.MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
            assert await reader.read() == transport.GREETING
            writer.close()
            assert await totals(connector(lender, "payment", address)) == [1, 3, 6]

    asyncio.run(work())


def test_a_party_that_stays_away_fails_the_run(tmp_path: Path) -> None:
    async def work() -> None:
        await channel_over(lost, patience=Patience(0.1, 0.3, 0.02, 0.05)).ask(Add(1))

    with pytest.raises(PartyAway) as told:
        asyncio.run(work())
    assert told.value.params["party"] == "payment"


def test_a_party_that_dies_of_every_try_is_gone_though_it_shows_that_it_lives(tmp_path: Path) -> None:
    class Dying:
        asked = b""

        async def send(self, frame: bytes) -> None:
            self.asked = frame

        async def receive(self) -> bytes:
            asked, self.asked = decode(self.asked) if self.asked else None, b""
            if not isinstance(asked, Ask):
                raise Lost("died")
            return encode(Working(asked.session, asked.round))

        def close(self) -> None:
            tries.append(self)

    async def connect() -> Link:
        return Dying()

    tries: list[Dying] = []
    with pytest.raises(PartyAway):
        asyncio.run(channel_over(connect, patience=Patience(5.0, 60.0, 0.0, 0.0, tries_max=7)).ask(Add(1)))
    assert len(tries) == 7


def test_a_party_that_works_long_shows_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "HEARTBEAT_S", 0.05)
    lender, [party] = acquainted(tmp_path, "payment")
    recorder = Recorder()
    done = asyncio.Event()

    async def work() -> Message:
        loop = asyncio.get_running_loop()

        def slow(peer: str, message: Message) -> Message:
            assert isinstance(message, Ask)
            asyncio.run_coroutine_threadsafe(done.wait(), loop).result()
            return Answer(message.session, message.round, encode(Sum(1, 1, bytes(16))))

        async with stopped(await listen(party, "127.0.0.1:0", slow)) as address:
            connect = recorder.around("payment", connector(lender, "payment", address))
            asked = asyncio.create_task(channel_over(connect, patience=Patience(0.3, 0.3, 0.02, 0.05)).ask(Add(1)))
            while sum(isinstance(message, Working) for message in recorder.messages()) < 10:
                await asyncio.sleep(0.01)
            done.set()
            return await asked

    assert asyncio.run(work()) == Sum(1, 1, bytes(16))


def test_what_a_party_declines_is_told_with_its_numbers(tmp_path: Path) -> None:
    async def work(connect) -> None:
        channel = channel_over(connect)
        channel._round = 4
        await channel.ask(Add(1))

    with pytest.raises(PartyDeclined) as told:
        with_party(tmp_path, work)
    assert told.value.params == {
        "party": "payment",
        "reason": "session_out_of_order",
        "numbers": "round=5 expected=1",
    }


def test_the_recorder_sees_what_passes_and_finds_a_leak(tmp_path: Path) -> None:
    recorder = Recorder()
    with_party(tmp_path, totals, lambda connect: recorder.around("payment", connect))
    said = [message for message in recorder.messages("payment") if isinstance(message, Add | Sum)]
    assert [type(message).__name__ for message in said] == ["Add", "Sum"] * 3
    [leak] = recorder.found([encode(Add(3)), b"nobody said this"])
    assert leak[1].direction == "to"
    assert recorder.byte_count("to") == sum(len(f.data) for f in recorder.frames if f.direction == "to") > 0
    recorder.frames.append(type(recorder.frames[0])("payment", "to", b"what is this"))
    with pytest.raises(BadMessage):
        recorder.messages()


def test_keys_are_secret_and_never_overwritten(tmp_path: Path) -> None:
    lender = identity_of(tmp_path / "lender", Role.LENDER)
    assert {file.stat().st_mode & 0o777 for file in (lender.key, lender.consent_key)} == {0o600}
    assert lender.role() is Role.LENDER
    with pytest.raises(AlreadyAParty):
        identity_of(tmp_path / "lender", Role.BUREAU)
    with pytest.raises(NotAParty):
        Identity(tmp_path / "nobody").role()
    for name, certificate in (("../x", lender.certificate.read_bytes()), ("", b""), ("payment", b"no certificate")):
        with pytest.raises(BadCertificate):
            trust(lender, name, certificate)
