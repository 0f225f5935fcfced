"""What a host needs to go on at the beginning of a tree without the rounds before."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from grainline.federated import messages as says
from grainline.federated.model import Condition
from grainline.federated.wire import BadMessage, decode, encode


@dataclass(frozen=True)
class Checkpoint:
    """How the training began and how the tree did, the order of candidates drawn for it, and the splits so far."""

    begins: says.TrainingBegins
    begun: says.TreeBegins
    order: Sequence[int]
    conditions: Sequence[Condition]

    def dump(self) -> bytes:
        """Return it as bytes."""
        kept = {
            "begins": encode(self.begins).hex(),
            "begun": encode(self.begun).hex(),
            "order": list(self.order),
            "conditions": [asdict(one) for one in self.conditions],
        }
        return json.dumps(kept, ensure_ascii=False).encode()

    @staticmethod
    def read(data: bytes) -> "Checkpoint":
        """Return what `dump` wrote; raise BadMessage, KeyError or ValueError for what is none."""
        kept = json.loads(data)
        begins, begun = decode(bytes.fromhex(kept["begins"])), decode(bytes.fromhex(kept["begun"]))
        if not isinstance(begins, says.TrainingBegins) or not isinstance(begun, says.TreeBegins):
            raise BadMessage("no checkpoint")
        return Checkpoint(begins, begun, kept["order"], [Condition(**one) for one in kept["conditions"]])
