"""A credit model as a thing to keep: what it reads, what it is made of, how it is calibrated, what is known of it.

A model is named by the SHA-256 of its bytes: canonical JSON (keys sorted, no spaces, UTF-8, floats as Python
writes them). Whoever has the bytes has the model; nothing else is needed to score with it, and the same bytes give
the same scores.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Literal

from pydantic import JsonValue, TypeAdapter

from grainline.kit.errors import Refusal
from grainline.scoring.boosted import Boosted
from grainline.scoring.calibration import Isotonic, Platt
from grainline.scoring.feature_spec import FeatureSpec
from grainline.scoring.scorecard import Scorecard


class BadModelFile(Refusal):
    """The bytes are no model, not as a model is written, or not those that were named."""

    code = "bad_model_file"


@dataclass(frozen=True)
class CreditModel:
    """A fitted model: `features` in the order its body reads them, and `facts` about how it came to be."""

    name: str
    features: tuple[FeatureSpec, ...]
    body: Scorecard | Boosted
    calibration: Platt | Isotonic | None = None
    facts: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def kind(self) -> Literal["scorecard", "boosted"]:
        """Return what the model is made of."""
        return "scorecard" if isinstance(self.body, Scorecard) else "boosted"

    @cached_property
    def _bytes(self) -> bytes:
        # Read back once, so that a whole number given for a float is written as the float it is.
        return _written(_MODEL.validate_json(_written(self)))

    def to_bytes(self) -> bytes:
        """Return the model as canonical JSON."""
        return self._bytes

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256 of the bytes, 64 hexadecimal digits: the model's name among all models."""
        return hashlib.sha256(self._bytes).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes, *, sha256: str | None = None) -> "CreditModel":
        """Read a model; raise BadModelFile where it is none, is written otherwise, or is not the one named."""
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise BadModelFile
        try:
            model = _MODEL.validate_json(data)
            canonical = _written(model)
        except ValueError:  # pydantic's ValidationError is one too
            raise BadModelFile from None
        if canonical != data:
            raise BadModelFile
        return model

    def with_facts(self, facts: dict[str, JsonValue]) -> "CreditModel":
        """Return the model with more facts; it is another model, with another hash."""
        return replace(self, facts=self.facts | facts)


_MODEL = TypeAdapter(CreditModel)


def _written(model: CreditModel) -> bytes:
    """Return canonical JSON; raise ValueError for NaN and infinity, which JSON does not have."""
    plain = asdict(model) | {"kind": model.kind}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
