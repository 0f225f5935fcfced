"""Who a party is: a key, a certificate for it that the party signs itself, and the certificates of whom it talks to.

Nobody vouches for anybody. Each party hands its `certificate.pem` to the others, as a file; they compare fingerprints
by another way, and put it into their `peers` folder under the name they know it by. Only these get a connection.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import NameOID

from grainline.federated.repeatable import RandomBytes
from grainline.kit.errors import Kind, Refusal

LIFETIME = timedelta(days=730)


class Role(StrEnum):
    """What a party is to the model."""

    LENDER = "lender"
    SOCIAL = "social"
    PAYMENT = "payment"
    BUREAU = "bureau"


class AlreadyAParty(Refusal):
    """A folder that holds a party's key: it is never overwritten."""

    code: ClassVar[str] = "already_a_party"
    kind: ClassVar[Kind] = Kind.CONFLICT


class NotAParty(Refusal):
    """A folder without a key and a certificate that go together."""

    code: ClassVar[str] = "not_a_party"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class BadCertificate(Refusal):
    """A file that holds no certificate, or a name that cannot be one."""

    code: ClassVar[str] = "bad_certificate"
    kind: ClassVar[Kind] = Kind.MALFORMED


@dataclass(frozen=True)
class Identity:
    """A party's folder: `key.pem` is its secret, `certificate.pem` is for the others, `peers/NAME.pem` are theirs."""

    folder: Path

    @property
    def key(self) -> Path:
        """Return where the secret is."""
        return self.folder / "key.pem"

    @property
    def certificate(self) -> Path:
        """Return where the certificate is."""
        return self.folder / "certificate.pem"

    @property
    def consent_key(self) -> Path:
        """Return where a lender's secret is that signs consents."""
        return self.folder / "consent_key.pem"

    @property
    def consent_public(self) -> Path:
        """Return where the key is by which consents are checked: the lender's own, or the one a party was given."""
        return self.folder / "consent_public.pem"

    def names(self) -> list[str]:
        """Return the names of whom this party talks to."""
        return list(self.peers().values())

    def peers(self) -> dict[bytes, str]:
        """Return the names of whom this party talks to, by the fingerprints of their certificates."""
        files = sorted((self.folder / "peers").glob("*.pem"))
        return {_fingerprint(_certificate(file.read_bytes())): file.stem for file in files}

    def role(self) -> Role:
        """Return the role the certificate was made for; raise NotAParty."""
        if not self.key.exists() or not self.certificate.exists():
            raise NotAParty(folder=str(self.folder))
        [name] = _certificate(self.certificate.read_bytes()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return Role(str(name.value))

    def fingerprint(self) -> str:
        """Return the SHA-256 of the certificate in hex, to be compared by voice."""
        return _fingerprint(_certificate(self.certificate.read_bytes())).hex()


def make_identity(folder: Path, role: Role, *, now: datetime, random_bytes: RandomBytes) -> Identity:
    """Make a party's folder with an Ed25519 key and a certificate for two years; raise AlreadyAParty."""
    made = Identity(folder)
    if made.key.exists():
        raise AlreadyAParty(folder=str(folder))
    key = Ed25519PrivateKey.from_private_bytes(random_bytes(32))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, role.value)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(b"\1" + random_bytes(16), "big"))
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, None)
    )
    (folder / "peers").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    if role is Role.LENDER:
        signing = Ed25519PrivateKey.from_private_bytes(random_bytes(32))
        _write_secret(made.consent_key, signing)
        made.consent_public.write_bytes(
            signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
    _write_secret(made.key, key)
    return made


def trust(identity: Identity, name: str, certificate: bytes) -> str:
    """Pin another party's certificate under a name, in place of the one before; return its fingerprint in hex.

    Raises BadCertificate for what is none and for a name other than letters, digits and dashes.
    """
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise BadCertificate(name=name)
    read = _certificate(certificate)
    (identity.folder / "peers" / f"{name}.pem").write_bytes(read.public_bytes(Encoding.PEM))
    return _fingerprint(read).hex()


def keep_consent_key(identity: Identity, key: bytes) -> None:
    """Take the key by which the lender's consents are checked; raise BadCertificate for what is none."""
    read = _public(key)
    identity.consent_public.write_bytes(read.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def consent_signer(identity: Identity) -> Ed25519PrivateKey:
    """Return the key by which a lender signs consents; raise NotAParty for who has none."""
    if not identity.consent_key.exists():
        raise NotAParty(folder=str(identity.folder))
    key = load_pem_private_key(identity.consent_key.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101  # it was made here
    return key


def consent_checker(identity: Identity) -> Ed25519PublicKey:
    """Return the key by which consents are checked; raise NotAParty for who was given none."""
    if not identity.consent_public.exists():
        raise NotAParty(folder=str(identity.folder))
    return _public(identity.consent_public.read_bytes())


def tls(identity: Identity, *, server: bool) -> ssl.SSLContext:
    """Return the context of one side: TLS 1.3 and nothing older, with the pinned certificates and no others."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the certificate itself is pinned
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a certificate is trusted itself, not what it could issue
    if server:
        context.num_tickets = 0  # every connection shows its certificate
    context.load_cert_chain(identity.certificate, identity.key)
    for file in sorted((identity.folder / "peers").glob("*.pem")):
        context.load_verify_locations(file)
    return context


def peer_name(identity: Identity, certificate: bytes | None) -> str | None:
    """Return the name under which a certificate (DER) is pinned, None for any other."""
    return identity.peers().get(sha256(certificate).digest()) if certificate else None


def _public(data: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(data)
    except ValueError:
        raise BadCertificate(name="consent key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise BadCertificate(name="consent key")
    return key


def _write_secret(path: Path, key: Ed25519PrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _certificate(data: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError:
        raise BadCertificate(name="certificate") from None


def _fingerprint(certificate: x509.Certificate) -> bytes:
    return sha256(certificate.public_bytes(Encoding.DER)).digest()
