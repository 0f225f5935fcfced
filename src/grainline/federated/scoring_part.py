"""The lender's part made ready to score one applicant: with whom to ask, by what number, and a calibration.

    log-odds = what the trees add up to, where all parties' splits lead (`inference.py`)
    probability of default = 1 / (1 + exp(-(slope × log-odds + shift)))

It is an artefact like the part it holds, JSON with a SHA-256 of its content, and names the part's own hash beside the
calibration that was fitted to it. Useless alone, as the part is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import isfinite

from pydantic import JsonValue

from grainline.federated.ids import IdKind
from grainline.federated.model import GUEST_NOTE, BadModel, GuestPart, dump_artefact, load_artefact, read_guest_part

KIND = "grainline federated model: the lender's part, ready to score"


@dataclass(frozen=True)
class ScoringPart:
    """`parties` are the names of whom to ask, in the order of the part's hosts, `id_kind` by what number of a member.

    `slope` and `shift` are Platt's, fitted on rows that no tree was grown on; `facts` tell how the model came to be.
    """

    part: GuestPart
    parties: tuple[str, ...]
    id_kind: IdKind
    slope: float
    shift: float
    facts: Mapping[str, JsonValue] = field(default_factory=dict)

    def dump(self) -> bytes:
        """Return the artefact."""
        part = self.part.dump()
        calibration = {"slope": self.slope, "shift": self.shift, "part_sha256": sha256(part).hexdigest()}
        return dump_artefact(
            {
                "kind": KIND,
                "note": GUEST_NOTE,
                "part": part.decode(),
                "parties": list(self.parties),
                "id_kind": str(self.id_kind),
                "calibration": calibration,
                "facts": dict(self.facts),
            }
        )


def read_scoring_part(data: bytes) -> ScoringPart:
    """Read the artefact; raise BadModel, also where the calibration is another part's or a party is named twice."""
    body = load_artefact(data, KIND)
    try:
        content, fitted = body["part"].encode(), body["calibration"]
        found = ScoringPart(
            part=read_guest_part(content),
            parties=tuple(str(one) for one in body["parties"]),
            id_kind=IdKind(body["id_kind"]),
            slope=float(fitted["slope"]),
            shift=float(fitted["shift"]),
            facts=dict(body["facts"]),
        )
        fits = fitted["part_sha256"] == sha256(content).hexdigest()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadModel from None
    named = len(set(found.parties)) == len(found.parties) == len(found.part.host_hashes)
    if not (fits and named and isfinite(found.slope) and isfinite(found.shift) and found.dump() == data):
        raise BadModel
    return found


def is_scoring_part(data: bytes) -> bool:
    """Tell whether bytes say that they are such an artefact; whether they are is found by reading them."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("kind") == KIND
