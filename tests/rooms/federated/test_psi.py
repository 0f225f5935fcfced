"""Comparing sets gives what Python's `&` gives, and neither side more than it should have."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st
from two_parties import acquainted, channel_over

from grainline.federated import curve25519, psi_sets, session_messages
from grainline.federated.channel import PartyDeclined
from grainline.federated.curve25519 import BadPoint, check, encode_to_curve, multiply, secret_of
from grainline.federated.ids import BadId, DuplicateIds, IdKind, row_id, row_ids
from grainline.federated.party import psi_host, serve
from grainline.federated.party_files import NotAligned, Runs, TooManyRuns, read_alignment
from grainline.federated.psi import PsiHost, TableTooSmall, intersect
from grainline.federated.psi_sets import BadPoints, CommitmentBroken, SetTooLarge, SetTooSmall, Sizes
from grainline.federated.session_messages import PsiFetch, PsiOffer, PsiPoints, PsiRows, PsiTags
from grainline.federated.transport import connector
from grainline.federated.wire import BadMessage, Message, decode, encode
from wire_recorder import Recorder

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def ids(*names: object) -> list[bytes]:
    return [row_id(IdKind.ANY, str(name)) for name in names]


class Near:
    """A party in the same process; everything passes through its encoding, and may be changed on the way."""

    def __init__(self, own: Sequence[bytes], sizes: Sizes | None = None) -> None:
        self.aligned: list[bytes] = []
        self.heard: list[Message] = []
        self.said: list[Message] = []
        self.host = PsiHost(own, os.urandom, self.aligned.extend, sizes)

    def to(self, message: Message) -> Message:
        return message

    def back(self, message: Message) -> Message:
        return message

    async def ask(self, message: Message) -> Message:
        asked = decode(encode(self.to(message)))
        self.heard.append(asked)
        answer = self.host.answer(asked)
        self.said.append(answer)
        return self.back(decode(encode(answer)))


def compare(own: Sequence[bytes], *parties: Near, sizes: Sizes | None = None) -> list[bytes]:
    return asyncio.run(intersect(parties, own, os.urandom, sizes))


@pytest.fixture(params=[session_messages.BATCH, 3])
def batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets that fit in one message, and sets that take several."""
    monkeypatch.setattr("grainline.federated.psi.BATCH", request.param)
    monkeypatch.setattr(psi_sets, "BATCH", request.param)


some = st.sets(st.integers(0, 12), min_size=1, max_size=12)


@pytest.mark.usefixtures("batches")
@pytest.mark.parametrize("parties", [1, 2, 3])
def test_it_is_the_intersection_of_all_and_every_party_has_it_in_the_same_order(parties: int) -> None:
    @given(st.lists(some, min_size=parties + 1, max_size=parties + 1))
    @settings(max_examples=25, deadline=None)
    def holds(sets: list[set[int]]) -> None:
        near = [Near(ids(*one)) for one in sets[1:]]
        expected = sorted(ids(*set.intersection(*sets)))
        if expected:
            assert compare(ids(*sets[0]), *near) == expected
            assert all(one.aligned == expected for one in near)
        else:
            with pytest.raises(TableTooSmall):
                compare(ids(*sets[0]), *near)
            assert not any(one.aligned for one in near)

    holds()


def test_a_party_learns_of_no_row_that_not_all_have() -> None:
    first, second = Near(ids(1, 2, 3)), Near(ids(2, 3, 4))
    assert compare(ids(1, 2, 4), first, second) == ids(2)
    for party in (first, second):
        [rows] = [message for message in party.heard if isinstance(message, PsiRows)]
        assert len(rows.places) == 1


def test_no_id_nor_point_of_one_is_ever_sent() -> None:
    party = Near(ids(1, 2, 3))
    compare(ids(2, 3, 4), party)
    sent = b"".join(map(encode, [*party.heard, *party.said]))
    for id_ in ids(1, 2, 3, 4):
        assert id_ not in sent
        assert encode_to_curve(id_) not in sent
        assert id_[:8] not in sent


def test_every_run_has_secrets_and_an_order_of_its_own() -> None:
    runs = []
    for _ in range(2):
        party = Near(ids(*range(50)))
        compare(ids(*range(50)), party)
        runs.append([message for message in party.heard if isinstance(message, PsiPoints)])
    points = [{one[0].points[start : start + 32] for start in range(0, 1600, 32)} for one in runs]
    assert not points[0] & points[1]
    orders = [psi_sets.Blinded(ids(*range(50)), os.urandom).ids for _ in range(2)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_an_id_twice_is_refused_on_either_side() -> None:
    with pytest.raises(DuplicateIds) as told:
        compare(ids(1, 1, 2), Near(ids(1)))
    assert told.value.params == {"count": 1}
    with pytest.raises(DuplicateIds):
        asyncio.run(Near(ids(2, 2)).ask(PsiOffer(1, bytes(32))))
    with pytest.raises(DuplicateIds):
        row_ids(IdKind.PHONE, ["13800138000", "+86 138-0013-8000"])


@pytest.mark.parametrize(("own", "theirs", "wrong"), [(2, 9, SetTooSmall), (9, 2, SetTooSmall), (51, 9, SetTooLarge)])
def test_sets_too_small_or_too_large_are_not_compared(own: int, theirs: int, wrong: type[Exception]) -> None:
    party = Near(ids(*range(theirs)), Sizes(ids_min=3, ids_max=50))
    with pytest.raises(wrong):
        compare(ids(*range(own)), party, sizes=Sizes(ids_min=3))
    assert not any(isinstance(message, PsiFetch) for message in party.heard)


def test_a_table_of_too_few_rows_is_not_made() -> None:
    party = Near(ids(1, 2, 3), Sizes(rows_min=3))
    with pytest.raises(TableTooSmall):
        compare(ids(1, 2, 4), party)
    assert party.aligned == []


TWIST = next(n for n in range(2, 99) if curve25519.gmpy2.legendre(curve25519._square(n), curve25519._P) == -1)
INVALID = {
    "on the twist": TWIST.to_bytes(32, "little"),
    "of order 4 and its twist": (1).to_bytes(32, "little"),
    "nought": bytes(32),
    "the modulus": (2**255 - 19).to_bytes(32, "little"),
    "not reduced": (2**255 - 19 + 9).to_bytes(32, "little"),
    "the highest bit": (2**255 + 9).to_bytes(32, "little"),
    "of order 8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
}


@pytest.mark.parametrize("point", INVALID.values(), ids=INVALID)
def test_points_that_are_none_are_refused(point: bytes) -> None:
    """Those of small order are on the curve, and come to nought when they are multiplied."""
    with pytest.raises(BadPoint):
        check(point)
        multiply(secret_of(os.urandom(32)), [point])
    party = Near(ids(1, 2))
    party.host.answer(PsiOffer(1, sha256(point).digest()))
    with pytest.raises(BadPoints):
        party.host.answer(PsiPoints(0, point))
        party.host.answer(PsiFetch(0))


@pytest.mark.parametrize("side", ["lender", "party"])
@pytest.mark.parametrize("how", ["another point", "the same twice", "fewer", "more", "none"])
@pytest.mark.usefixtures("batches")
def test_points_that_were_not_committed_to_are_refused(side: str, how: str) -> None:
    def change(message: Message) -> Message:
        if not isinstance(message, PsiPoints) or message.batch:
            return message
        points, other = message.points, multiply(secret_of(os.urandom(32)), ids(9))[0]
        other = multiply(secret_of(os.urandom(32)), [encode_to_curve(b"9")])[0]
        changed = {
            "another point": other + points[32:],
            "the same twice": points[32:64] + points[32:],
            "fewer": points[32:],
            "more": points + other,
            "none": b"",
        }
        return PsiPoints(0, changed[how])

    party = Near(ids(1, 2, 3))
    setattr(party, "to" if side == "lender" else "back", change)
    with pytest.raises((CommitmentBroken, BadPoints, BadMessage)):
        compare(ids(1, 2, 3), party)
    assert party.aligned == []
    assert not any(isinstance(message, PsiTags) for message in party.said)


def test_a_set_with_the_same_point_twice_is_refused_though_it_was_committed_to() -> None:
    party = Near(ids(1, 2))
    twice = psi_sets.Blinded(ids(1), os.urandom).points * 2
    party.host.answer(PsiOffer(2, sha256(b"".join(twice)).digest()))
    with pytest.raises(BadPoints):
        party.host.answer(PsiPoints(0, b"".join(twice)))


def test_a_party_answers_nothing_out_of_turn() -> None:
    own = psi_sets.Blinded(ids(1, 2), os.urandom)
    rows = PsiRows((0,), 1)
    for before, message in (
        ([], own.batch(0)),
        ([], PsiFetch(0)),
        ([own.offer()], PsiFetch(0)),
        ([own.offer()], rows),
        ([own.offer()], own.offer()),
        ([own.offer(), own.batch(0)], PsiFetch(1)),
        ([own.offer(), own.batch(0)], PsiRows((2,), 1)),
        ([own.offer(), own.batch(0), rows], rows),
        ([own.offer()], PsiPoints(1, own.batch(0).points)),
        ([own.offer()], PsiPoints(0, b"123")),
        ([own.offer()], PsiTags(0, b"")),
    ):
        party = Near(ids(1, 2))
        for said in before:
            party.host.answer(said)
        with pytest.raises(BadMessage):
            party.host.answer(message)


def test_rows_in_another_order_than_that_of_their_ids_are_refused() -> None:
    own, party = psi_sets.Blinded(ids(1, 2), os.urandom), Near(ids(1, 2))
    party.host.answer(own.offer())
    party.host.answer(own.batch(0))
    assert party.host._own is not None
    ascending = sorted((0, 1), key=lambda place: party.host._own.ids[place])  # type: ignore[union-attr]
    with pytest.raises(BadMessage, match="order"):
        party.host.answer(PsiRows((ascending[1], ascending[0]), 1))


# RFC 9380, J.4.2: message, x of the point before the cofactor is cleared, and after
VECTORS = [
    (
        b"",
        "51125222da5e763d97f3c10fcc92ea6860b9ccbbd2eb1285728f566721c1e65b",
        "1bb913f0c9daefa0b3375378ffa534bda5526c97391952a7789eb976edfe4d08",
    ),
    (
        b"abc",
        "7d56d1e08cb0ccb92baf069c18c49bb5a0dcd927eff8dcf75ca921ef7f3e6eeb",
        "7c22950b7d900fa866334262fcaea47a441a578df43b894b4625c9b450f9a026",
    ),
    (
        b"abcdef0123456789",
        "3fbe66b9c9883d79e8407150e7c2a1c8680bee496c62fabe4619a72b3cabe90f",
        "31ad08a8b0deeb2a4d8b0206ca25f567ab4e042746f792f4b7973f3ae2096c52",
    ),
]


@pytest.mark.parametrize(("said", "point", "cleared"), VECTORS)
def test_hashing_to_the_curve_is_that_of_the_rfc(said: bytes, point: str, cleared: str) -> None:
    made = encode_to_curve(said, b"QUUX-V01-CS02-with-curve25519_XMD:SHA-512_ELL2_NU_")
    assert made[::-1].hex() == point
    u = int.from_bytes(made, "little")
    for _ in range(3):  # doubled three times, by RFC 7748's formula for u alone
        p, squared = 2**255 - 19, (u * u - 1) ** 2
        u = squared * pow(4 * u * (u * u + 486662 * u + 1), -1, p) % p
    assert f"{u:064x}" == cleared


@given(st.binary(max_size=40), st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
@settings(max_examples=50)
def test_points_are_valid_and_secrets_commute(said: bytes, one: bytes, other: bytes) -> None:
    point = encode_to_curve(said)
    check(point)
    a, b = secret_of(one), secret_of(other)
    [first], [second] = multiply(a, multiply(b, [point])), multiply(b, multiply(a, [point]))
    assert first == second
    check(first)
    assert first == X25519PrivateKey.from_private_bytes(one).exchange(
        X25519PublicKey.from_public_bytes(multiply(b, [point])[0])
    )


def test_ids_have_one_form() -> None:
    same = {
        row_id(IdKind.PHONE, text)
        for text in ("13800138000", " 138 0013 8000", "+86-138-0013-8000", "１３８００１３８０００")
    }
    assert len(same) == 1
    assert row_id(IdKind.NATIONAL_ID, "11010119900307109x") == row_id(IdKind.NATIONAL_ID, "11010119900307109X")
    assert row_id(IdKind.ANY, "13800138000") not in same
    for kind, wrong in (
        (IdKind.PHONE, "1380013800"),
        (IdKind.PHONE, "23800138000"),
        (IdKind.NATIONAL_ID, "110101199003071091"),
        (IdKind.ANY, " "),
    ):
        with pytest.raises(BadId):
            row_id(kind, wrong)


def test_a_party_takes_part_only_so_often(tmp_path: Path) -> None:
    runs = Runs(tmp_path, 2)
    runs.note("lender", b"1" * 16, NOW)
    runs.note("lender", b"1" * 16, NOW)  # the same run, after a restart
    runs.note("lender", b"2" * 16, NOW + timedelta(hours=23))
    with pytest.raises(TooManyRuns):
        Runs(tmp_path, 2).note("lender", b"3" * 16, NOW + timedelta(hours=23, minutes=59))
    runs.note("another", b"3" * 16, NOW + timedelta(hours=23, minutes=59))
    runs.note("lender", b"4" * 16, NOW + timedelta(hours=24))
    with pytest.raises(TooManyRuns):
        runs.note("lender", b"5" * 16, NOW + timedelta(hours=24))


def test_three_parties_over_the_network_with_everything_recorded(tmp_path: Path) -> None:
    names = ["social", "payment", "bureau"]
    lender, parties = acquainted(tmp_path, *names)
    sets = {"social": ids(*range(300)), "payment": ids(*range(100, 400)), "bureau": ids(*range(0, 400, 2))}
    recorder, session = Recorder(), os.urandom(16)

    async def work() -> list[bytes]:
        servers = []
        for name, party in zip(names, parties, strict=True):
            own = sets[name]
            host = psi_host(party, lambda own=own: own, clock=lambda: NOW, runs_per_day=1, sizes=Sizes(ids_min=100))
            hosts = {"psi-offer": host}
            servers.append(await serve(party, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=lambda *_: None))
        channels = []
        try:
            for name, server in zip(names, servers, strict=True):
                address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
                connect = recorder.around(name, connector(lender, name, address))
                channels.append(channel_over(connect, session=session))
            common = await intersect(channels, ids(*range(0, 400, 3)), os.urandom)
            for channel in channels:
                await channel.close()
            with pytest.raises(PartyDeclined) as told:
                await intersect([channel_over(channels[0]._connect)], ids(*range(400)), os.urandom)
            assert told.value.params["reason"] == "psi_too_many_runs"
        finally:
            for server in servers:
                server.close()
        return common

    common = asyncio.run(work())
    assert common == sorted(ids(*range(102, 300, 6)))
    for party in parties:
        assert read_alignment(party.folder, session) == common
    with pytest.raises(NotAligned):
        read_alignment(parties[0].folder, bytes(16))
    assert len(recorder.messages()) > 20
    assert not recorder.found(id_ for own in sets.values() for id_ in own)
