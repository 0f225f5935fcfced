"""The lender's part of a federated model in the registry: what it is, whom it needs, and its probability.

A file of it is a signed envelope, as `grainline federated train --out` writes it, or the bare part. Only a part that
names its parties and has a calibration can score (`federated/scoring_part.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from pydantic import JsonValue

from grainline.federated.inference import score_told
from grainline.federated.model import BadModel
from grainline.federated.scoring_part import ScoringPart, is_scoring_part, read_scoring_part
from grainline.federated.signed_parts import KIND as ENVELOPE
from grainline.federated.signed_parts import BadPartSignature, read_part, signer_of
from grainline.federated.wire import BadMessage
from grainline.scoring.calibration import Platt
from grainline.scoring.feature_spec import Value
from grainline.scoring.model import BadModelFile

MARK = "grainline federated "
HASH_DIGITS = 64


@dataclass(frozen=True)
class FederatedPart:
    """The lender's part of a federated model. It is of no use alone: `hosts` are the hashes of the parts it needs.

    `told` is the artefact's own word for what it is, `note` what it says of itself, and `features` are the names of
    the lender's own; of the hosts' features the lender knows no names. `scoring` is what it scores with, None for a
    part that was not made ready to, and `signed_by` whose signature is around it, in hex.
    """

    content: bytes
    told: str
    note: str
    hosts: tuple[str, ...]
    features: tuple[str, ...]
    scoring: ScoringPart | None = None
    signed_by: str | None = None

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes, 64 hexadecimal digits."""
        return sha256(self.content).hexdigest()

    @property
    def facts(self) -> dict[str, JsonValue]:
        """Return what the registry tells of it."""
        told: dict[str, JsonValue] = {"told": self.told, "note": self.note, "hosts": list(self.hosts)}
        if self.signed_by is not None:
            told["signed_by"] = self.signed_by
        if self.scoring is not None:
            told |= {"parties": list(self.scoring.parties), **self.scoring.facts}
        return told

    def pd_e6(self, own: Mapping[str, Value], told: Mapping[str, bytes]) -> int:
        """Return one applicant's calibrated probability of default in 10⁻⁶, 1 … 999,999, from what is known of them.

        `own` has the lender's features, `told` each party's directions. No party is asked, and the same gives the same.
        Raises BadModelFile for a part that cannot score, and for directions that are not this model's.
        """
        if self.scoring is None or set(told) != set(self.scoring.parties):
            raise BadModelFile
        try:
            log_odds = score_told(self.scoring.part, own, [told[party] for party in self.scoring.parties])
        except (BadModel, BadMessage):
            raise BadModelFile from None
        probability = Platt(self.scoring.slope, self.scoring.shift).probability(np.array([log_odds]))
        # nobody can be priced at 0 or 1
        return int(np.clip(np.rint(probability * 1e6), 1, 999_999)[0])


def is_federated(body: object) -> bool:
    """Tell whether JSON says that it is part of a federated model."""
    return isinstance(body, dict) and str(body.get("kind", "")).startswith(MARK)


def read_federated(content: bytes, body: Mapping[str, object]) -> FederatedPart:
    """Read the lender's part, in its signed envelope or bare; raise BadModelFile."""
    if body.get("kind") != ENVELOPE:
        return _read(content, content, None)
    try:
        return _read(content, read_part(content), signer_of(content).hex())
    except (BadModel, BadPartSignature):
        raise BadModelFile from None


def _read(content: bytes, inner: bytes, signed_by: str | None) -> FederatedPart:
    try:
        scoring = read_scoring_part(inner) if is_scoring_part(inner) else None
    except BadModel:
        raise BadModelFile from None
    if scoring is None:
        return _useless(content, inner, signed_by)
    body = json.loads(inner)
    features = dict.fromkeys(one.feature for one in scoring.part.conditions)
    hosts = tuple(one.hex() for one in scoring.part.host_hashes)
    return FederatedPart(content, body["kind"], body["note"], hosts, tuple(features), scoring, signed_by)


def _useless(content: bytes, inner: bytes, signed_by: str | None) -> FederatedPart:
    """Read a part that cannot score here; what it is made of is read by the federated room alone."""
    try:
        body = json.loads(inner)
    except (ValueError, RecursionError):
        raise BadModelFile from None
    if not is_federated(body):
        raise BadModelFile
    told = {key: value for key, value in body.items() if key != "sha256"}
    plain = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    hosts, conditions = body.get("hosts"), body.get("conditions") or body.get("characteristics") or []
    if not isinstance(hosts, list) or not hosts or not all(is_hash(host) for host in hosts):
        raise BadModelFile
    if not isinstance(conditions, list) or body.get("sha256") != sha256(plain).hexdigest():
        raise BadModelFile
    features = dict.fromkeys(str(one.get("feature")) for one in conditions if isinstance(one, dict))
    words = str(body["kind"]), str(body.get("note", ""))
    return FederatedPart(content, *words, tuple(hosts), tuple(features), signed_by=signed_by)


def is_hash(value: object) -> bool:
    """Tell whether something is a SHA-256 in hexadecimal digits."""
    return isinstance(value, str) and len(value) == HASH_DIGITS and all(digit in "0123456789abcdef" for digit in value)
