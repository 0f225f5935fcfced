"""The model, in parts: each party keeps what it may know, and none is of use alone.

The guest's part has the trees: at each node whose split it is and under which number, at each leaf its weight; and the
conditions of its own splits. A host's part has the conditions of its splits by number: no tree, no weight, no label.
Each is an artefact of its own, JSON with a SHA-256 of its content, and the guest's names the hashes of the hosts'
parts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar

from grainline.federated.binning import Cut
from grainline.federated.candidates import Candidate
from grainline.federated.trees import Leaf, Split, Tree
from grainline.kit.errors import Kind, Refusal

GUEST_KIND = "grainline federated model: the lender's part"
HOST_KIND = "grainline federated model: a data party's part"
GUEST_NOTE = (
    "Useless alone: a node of another party has only the number of a split, and what it asks of whom is in that party's"
    " part, which it does not hand over. Scores come from asking all parties whose hashes are named here."
)
HOST_NOTE = "Useless alone: says where splits lead, not which tree they are in, what follows, or what it is worth."


class BadModel(Refusal):
    """A part of a model that is none, was changed, or belongs to another model."""

    code: ClassVar[str] = "bad_federated_model"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True)
class Condition:
    """One split: who goes left.

    Of numbers: what is at most `threshold` (None: whatever is known), or above it; and the missing ones or not. Of a
    category: who has it (None: who has none), or who has not.
    """

    feature: str
    is_category: bool
    threshold: float | None
    category: str | None
    is_above: bool
    missing_left: bool


@dataclass(frozen=True)
class GuestPart:
    """What the lender keeps. `base` is the log-odds that every score starts from."""

    model: bytes
    base: float
    trees: Sequence[Tree]
    conditions: Sequence[Condition]
    host_hashes: Sequence[bytes]

    @cached_property
    def splits_by_party(self) -> tuple[int, ...]:
        """Return how many splits each party has in the trees, the guest first."""
        counts = [0] * (1 + len(self.host_hashes))
        for tree in self.trees:
            for what in tree.values():
                if isinstance(what, Split):
                    counts[what.party] = max(counts[what.party], what.number + 1)
        return tuple(counts)

    def dump(self) -> bytes:
        """Return the artefact."""
        trees = [{str(node): _node(what) for node, what in sorted(tree.items())} for tree in self.trees]
        return dump_artefact(
            {
                "kind": GUEST_KIND,
                "note": GUEST_NOTE,
                "model": self.model.hex(),
                "base": self.base,
                "trees": trees,
                "conditions": [asdict(one) for one in self.conditions],
                "hosts": [one.hex() for one in self.host_hashes],
            }
        )


@dataclass(frozen=True)
class HostPart:
    """What a data party keeps."""

    model: bytes
    conditions: Sequence[Condition]

    def dump(self) -> bytes:
        """Return the artefact."""
        conditions = [asdict(one) for one in self.conditions]
        return dump_artefact(
            {"kind": HOST_KIND, "note": HOST_NOTE, "model": self.model.hex(), "conditions": conditions}
        )

    @property
    def sha256(self) -> bytes:
        """Return the hash of the content, by which the guest names this part."""
        return bytes.fromhex(json.loads(self.dump())["sha256"])


def condition_of(cut: Cut, candidate: Candidate) -> Condition:
    """Return a candidate in terms of values, so that it can be asked of rows that were never cut into bins."""
    if cut.is_category:
        return Condition(cut.name, True, None, cut.categories[candidate.bin], candidate.is_above, False)
    threshold = cut.edges[candidate.bin] if candidate.bin < len(cut.edges) else None
    return Condition(cut.name, False, threshold, None, candidate.is_above, candidate.missing_left)


def read_guest_part(data: bytes) -> GuestPart:
    """Read the lender's part; raise BadModel."""
    body = load_artefact(data, GUEST_KIND)
    try:
        trees = [{int(node): _read_node(what) for node, what in tree.items()} for tree in body["trees"]]
        return GuestPart(
            model=bytes.fromhex(body["model"]),
            base=float(body["base"]),
            trees=trees,
            conditions=[Condition(**one) for one in body["conditions"]],
            host_hashes=[bytes.fromhex(one) for one in body["hosts"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadModel from None


def read_host_part(data: bytes) -> HostPart:
    """Read a data party's part; raise BadModel."""
    body = load_artefact(data, HOST_KIND)
    try:
        return HostPart(bytes.fromhex(body["model"]), [Condition(**one) for one in body["conditions"]])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadModel from None


def _node(what: Split | Leaf) -> dict[str, object]:
    match what:
        case Split():
            return {"party": what.party, "number": what.number}
        case Leaf():
            return {"weight": what.weight}


def _read_node(what: Mapping[str, Any]) -> Split | Leaf:
    return Leaf(float(what["weight"])) if "weight" in what else Split(int(what["party"]), int(what["number"]))


def dump_artefact(body: dict[str, object]) -> bytes:
    """Return JSON with the SHA-256 of its content."""
    content = _canonical(body)
    return _canonical(body | {"sha256": sha256(content).hexdigest()})


def load_artefact(data: bytes, kind: str) -> dict[str, Any]:
    """Return the content of an artefact of some kind; raise BadModel for another kind, or one that was changed."""
    try:
        body = json.loads(data)
        told = body.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise BadModel from None
    if body.get("kind") != kind or sha256(_canonical(body)).hexdigest() != told:
        raise BadModel
    return dict(body)


def _canonical(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
