"""A party answers about a member only by a consent that is right in every respect, and only once."""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from two_parties import identity_of

from grainline.federated.admitting import Admit, ConsentMissing, by_consent
from grainline.federated.consent import (
    BadConsent,
    Consent,
    ConsentExpired,
    ConsentForAnother,
    ConsentSpent,
    ConsentWithdrawn,
    check_consent,
    read,
    sign,
)
from grainline.federated.identity import (
    BadCertificate,
    NotAParty,
    Role,
    consent_checker,
    consent_signer,
    keep_consent_key,
)
from grainline.federated.party_files import Spent, Withdrawals
from grainline.federated.sessions import Opening

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
MEMBER = b"m" * 32
GOOD = Consent(MEMBER, "payment", "underwriting", NOW, NOW + timedelta(minutes=10), b"n" * 16)


def taken(
    token: bytes,
    *,
    now: datetime = NOW,
    withdrawn: frozenset[bytes] = frozenset(),
    spend: Callable[[bytes, datetime], bool] = lambda nonce, expires: True,
    **asked: object,
) -> Consent:
    question = {"member": MEMBER, "source": "payment", "purpose": "underwriting"} | asked
    return check_consent(token, KEY.public_key(), now=now, withdrawn=withdrawn, spend=spend, **question)  # type: ignore[arg-type]


def test_a_good_consent_is_taken() -> None:
    assert taken(sign(GOOD, KEY)) == GOOD


@given(
    st.builds(
        Consent,
        st.binary(min_size=32, max_size=32),
        st.text(max_size=20).filter(lambda text: text.isprintable()),
        st.text(max_size=20).filter(lambda text: text.isprintable()),
        st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(microsecond=0, tzinfo=UTC)),  # noqa: DTZ001
        st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(microsecond=0, tzinfo=UTC)),  # noqa: DTZ001
        st.binary(min_size=16, max_size=16),
    )
)
def test_what_is_signed_is_what_is_read(consent: Consent) -> None:
    assert read(sign(consent, KEY), KEY.public_key()) == consent


@pytest.mark.parametrize(
    ("now", "wrong"),
    [
        (GOOD.expires_at, ConsentExpired),
        (GOOD.expires_at + timedelta(days=300), ConsentExpired),
        (NOW - timedelta(minutes=3), ConsentExpired),
    ],
)
def test_a_consent_has_its_time(now: datetime, wrong: type[Exception]) -> None:
    with pytest.raises(wrong):
        taken(sign(GOOD, KEY), now=now)
    assert taken(sign(GOOD, KEY), now=GOOD.expires_at - timedelta(seconds=1)) == GOOD
    assert taken(sign(GOOD, KEY), now=NOW - timedelta(minutes=2)) == GOOD  # clocks are never quite the same


def test_a_consent_for_ever_is_none() -> None:
    with pytest.raises(ConsentExpired):
        taken(sign(replace(GOOD, expires_at=NOW + timedelta(days=2)), KEY))


@pytest.mark.parametrize("asked", [{"member": b"x" * 32}, {"source": "bureau"}, {"purpose": "marketing"}])
def test_a_consent_is_for_one_member_source_and_purpose(asked: dict[str, object]) -> None:
    with pytest.raises(ConsentForAnother):
        taken(sign(GOOD, KEY), **asked)


def test_who_withdrew_is_not_asked_about(tmp_path: Path) -> None:
    withdrawals = Withdrawals(tmp_path)
    assert taken(sign(GOOD, KEY), withdrawn=withdrawals.members()) == GOOD
    withdrawals.add(MEMBER)
    withdrawals.add(MEMBER)
    assert (tmp_path / "withdrawn").read_text() == MEMBER.hex() + "\n"
    with pytest.raises(ConsentWithdrawn):
        taken(sign(GOOD, KEY), withdrawn=Withdrawals(tmp_path).members())


def test_a_consent_is_used_once_even_after_a_restart(tmp_path: Path) -> None:
    token = sign(GOOD, KEY)

    def use(spent: Spent, session: bytes) -> Consent:
        return taken(token, spend=lambda nonce, expires: spent.spend(session, nonce, expires))

    first = Spent(tmp_path, NOW)
    assert use(first, b"1" * 16) == GOOD
    for spent in (first, Spent(tmp_path, NOW)):
        with pytest.raises(ConsentSpent):
            use(spent, b"2" * 16)
        assert use(spent, b"1" * 16) == GOOD  # the same question, put again after an interruption


def test_what_has_expired_is_not_kept(tmp_path: Path) -> None:
    spent = Spent(tmp_path, NOW)
    assert spent.spend(b"1" * 16, b"a" * 16, NOW + timedelta(minutes=1))
    assert spent.spend(b"1" * 16, b"b" * 16, NOW + timedelta(minutes=9))
    Spent(tmp_path, NOW + timedelta(minutes=1))
    assert (tmp_path / "spent").read_text().split()[1::3] == [(b"b" * 16).hex()]


def test_a_session_admits_by_consent_and_no_consent_twice(tmp_path: Path) -> None:
    lender, party = identity_of(tmp_path / "lender", Role.LENDER), identity_of(tmp_path / "payment", Role.PAYMENT)
    keep_consent_key(party, lender.consent_public.read_bytes())
    token = sign(GOOD, consent_signer(lender))

    def session(number: bytes) -> Admit:
        """Begin a session at a party that was just started."""
        admits = by_consent(party, source="payment", purpose="underwriting", clock=lambda: NOW)
        return admits(Opening(number * 16, "lender", os.urandom, None))

    admit = session(b"1")
    with pytest.raises(ConsentMissing):
        admit(MEMBER, None)
    with pytest.raises(ConsentForAnother):
        admit(b"x" * 32, token)
    admit(MEMBER, token)
    with pytest.raises(ConsentSpent):
        admit(MEMBER, token)
    with pytest.raises(ConsentSpent):
        session(b"2")(MEMBER, token)
    session(b"1")(MEMBER, token)  # the party was killed before it answered
    Withdrawals(party.folder).add(MEMBER)
    with pytest.raises(ConsentWithdrawn):
        admit(MEMBER, sign(replace(GOOD, nonce=b"o" * 16), consent_signer(lender)))


def test_a_consent_that_is_refused_is_not_spent() -> None:
    def spend(nonce: bytes, expires: datetime) -> bool:
        raise AssertionError("spent")

    with pytest.raises(ConsentForAnother):
        taken(sign(GOOD, KEY), source="bureau", spend=spend)
    with pytest.raises(ConsentExpired):
        taken(sign(GOOD, KEY), now=GOOD.expires_at, spend=spend)
    with pytest.raises(ConsentWithdrawn):
        taken(sign(GOOD, KEY), withdrawn=frozenset({MEMBER}), spend=spend)


def test_another_s_signature_is_none() -> None:
    with pytest.raises(BadConsent):
        taken(sign(GOOD, Ed25519PrivateKey.generate()))


def part(value: object) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).rstrip(b"=")


def signed(header: object, claims: object) -> bytes:
    text = part(header) + b"." + part(claims)
    return text + b"." + base64.urlsafe_b64encode(KEY.sign(text)).rstrip(b"=")


HEADER = {"alg": "EdDSA", "typ": "grainline-consent"}
CLAIMS = json.loads(base64.urlsafe_b64decode(sign(GOOD, KEY).split(b".")[1] + b"=="))


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"..",
        b"a.b.c",
        signed(HEADER, CLAIMS) + b".",
        signed(HEADER, CLAIMS)[:-1],
        signed(HEADER, CLAIMS).rsplit(b".", 1)[0] + b".",
        signed({"alg": "none", "typ": "grainline-consent"}, CLAIMS),
        signed({"alg": "EdDSA"}, CLAIMS),
        signed(HEADER, CLAIMS | {"admin": True}),
        signed(HEADER, {name: value for name, value in CLAIMS.items() if name != "exp"}),
        signed(HEADER, CLAIMS | {"exp": "soon"}),
        signed(HEADER, CLAIMS | {"exp": 1e300}),
        signed(HEADER, CLAIMS | {"exp": CLAIMS["exp"] + 0.5}),
        signed(HEADER, CLAIMS | {"sub": "00"}),
        signed(HEADER, CLAIMS | {"sub": MEMBER.hex().upper()}),
        signed(HEADER, CLAIMS | {"jti": ""}),
        signed(HEADER, CLAIMS | {"aud": "x" * 2000}),
        signed(HEADER, [1, 2]),
        signed(HEADER, None),
    ],
)
def test_only_the_one_spelling_is_a_consent(token: bytes) -> None:
    assert signed(HEADER, CLAIMS) == sign(GOOD, KEY)
    with pytest.raises(BadConsent):
        taken(token)


@given(st.data())
def test_a_changed_consent_is_none(data: st.DataObject) -> None:
    token = bytearray(sign(GOOD, KEY))
    token[data.draw(st.integers(0, len(token) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadConsent):
        taken(bytes(token))


@given(st.binary(max_size=120))
def test_any_bytes_are_refused(token: bytes) -> None:
    with pytest.raises(BadConsent):
        taken(token)


def test_the_lender_s_key_signs_what_the_party_s_copy_checks(tmp_path: Path) -> None:
    lender, party = identity_of(tmp_path / "lender", Role.LENDER), identity_of(tmp_path / "payment", Role.PAYMENT)
    with pytest.raises(NotAParty):
        consent_checker(party)
    with pytest.raises(NotAParty):
        consent_signer(party)
    keep_consent_key(party, lender.consent_public.read_bytes())
    assert read(sign(GOOD, consent_signer(lender)), consent_checker(party)) == GOOD
    for wrong in (b"", os.urandom(40), lender.certificate.read_bytes()):
        with pytest.raises(BadCertificate):
            keep_consent_key(party, wrong)
