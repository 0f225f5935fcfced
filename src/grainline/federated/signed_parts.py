"""Parts of models under the signature of the party that keeps them.

A part is bytes, UTF-8 text with a SHA-256 in it (`model.py`). Around it goes an envelope with the text as it is, the
signer's public key, and an Ed25519 signature [RFC 8032] of the text after a prefix that nothing else is signed with.
An envelope has one spelling, canonical JSON, so its own hash names it too. Each party signs with the key of its
certificate, and takes back from its folder only what it signed itself.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from grainline.federated.identity import Identity, NotAParty
from grainline.federated.model import BadModel
from grainline.kit.errors import Kind, Refusal

KIND = "grainline federated model: a signed part"
PREFIX = b"grainline.federated.part.1\0"


class BadPartSignature(Refusal):
    """A part of a model whose signature is not of its content, or not of who should have signed it."""

    code: ClassVar[str] = "bad_part_signature"
    kind: ClassVar[Kind] = Kind.INVALID


def write_part(content: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return a part in its signed envelope; raise UnicodeDecodeError for content that is no text."""
    return _spelled(content.decode(), key.public_key().public_bytes_raw(), key.sign(PREFIX + content))


def read_part(data: bytes, *, signer: bytes | None = None) -> bytes:
    """Return the content of a signed part.

    `signer` is the public key (32 bytes) by which it must be signed; without it anybody's will do, and who it was is
    told by `signer_of`. Raises BadModel for what is no envelope, BadPartSignature for another's or a wrong signature.
    """
    content, public, signature = _taken_apart(data)
    if signer is not None and public != signer:
        raise BadPartSignature
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, PREFIX + content)
    except InvalidSignature:
        raise BadPartSignature from None
    return content


def signer_of(data: bytes) -> bytes:
    """Return the public key (32 bytes) that an envelope names, which is proven only by `read_part`; raise BadModel."""
    return _taken_apart(data)[1]


def signing_key(identity: Identity) -> Ed25519PrivateKey:
    """Return the key of a party's certificate, with which it signs its parts; raise NotAParty."""
    identity.role()
    try:
        key = load_pem_private_key(identity.key.read_bytes(), None)
    except ValueError:
        raise NotAParty(folder=str(identity.folder)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NotAParty(folder=str(identity.folder))
    return key


def keep_part(identity: Identity, folder: str, name: bytes, content: bytes) -> None:
    """Sign a part and put it into a folder of the party's, under the hash by which the lender names it."""
    path = identity.folder / folder
    path.mkdir(mode=0o700, exist_ok=True)
    beside = path / f"{name.hex()}.new"
    beside.write_bytes(write_part(content, signing_key(identity)))
    beside.replace(beside.with_suffix(".json"))


def kept_part(identity: Identity, folder: str, name: bytes) -> bytes:
    """Return the content of a part the party keeps under that hash.

    Raises BadModel where there is none or it has another hash, BadPartSignature where the party did not sign it so.
    """
    path = identity.folder / folder / f"{name.hex()}.json"
    if not path.exists():
        raise BadModel
    content = own_part(identity, path)
    if _hash_in(content) != name.hex():
        raise BadModel
    return content


def own_part(identity: Identity, path: Path) -> bytes:
    """Return the content of a file that the party signed itself; raise BadModel, BadPartSignature, NotAParty."""
    return read_part(path.read_bytes(), signer=signing_key(identity).public_key().public_bytes_raw())


def envelope_hash(data: bytes) -> str:
    """Return the SHA-256 of an envelope, in hex: an envelope has one spelling, so this names it."""
    return sha256(data).hexdigest()


def _hash_in(content: bytes) -> str:
    """Return the hash that a part says it has; that it is the right one is checked by who reads the part."""
    try:
        return str(json.loads(content)["sha256"])
    except (ValueError, KeyError, TypeError):
        raise BadModel from None


def _taken_apart(data: bytes) -> tuple[bytes, bytes, bytes]:
    try:
        body = json.loads(data)
        text, public, signature = body["content"], bytes.fromhex(body["signer"]), bytes.fromhex(body["signature"])
        again = _spelled(text, public, signature)
        content = text.encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadModel from None
    if again != data or len(public) != 32 or len(signature) != 64:  # sizes of Ed25519
        raise BadModel
    return content, public, signature


def _spelled(text: str, public: bytes, signature: bytes) -> bytes:
    body = {"kind": KIND, "content": text, "signer": public.hex(), "signature": signature.hex()}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
