"""Which model decides where a federated one was to: itself, or the one that is stated here.

A federated model scores only when all its parties have answered. Where it was to decide and has no score, the decision
falls to the first of these that scores without parties: the other of champion and challenger, then the product's
earlier champions, the newest first. The record says so: its role is `fallback`, and it names the model that was meant
and why each party was silent. Where there is none of these, nothing is decided (`no_champion`). As a shadow or as a
second opinion a model without a score is absent, and the record says why.

The same order says whose points and reasons are told where a federated model decides: it can name no feature of a
party's, so reasons come from a model that can.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from grainline.members import Consent, Source
from grainline.scoring import Loaded
from grainline.scoring.federated_part import FederatedPart
from grainline.scoring.routing import Role, RoleChange
from grainline.underwriting.deciding import Artefacts, Inputs
from grainline.underwriting.federated_inputs import NOT_ASKED, Asked, FederatedInputs, nobody, still_consented

FALLBACK = "fallback"


@dataclass(frozen=True)
class Own:
    """A model that scores without parties, by its hash."""

    sha256: str
    model: Loaded


def in_order(changes: Iterable[RoleChange], second: str | None, *, as_of: datetime) -> list[str]:
    """Return by hash who may decide instead, from the changes of one product: the second, then earlier champions."""
    begun = [one for one in changes if one.role is Role.CHAMPION and one.is_on and one.begins_at <= as_of]
    begun.sort(key=lambda one: (one.begins_at, one.change_id), reverse=True)
    return list(dict.fromkeys(([second] if second else []) + [one.sha256 for one in begun]))


def with_federated(
    artefacts: Artefacts,
    inputs: Inputs,
    own: Own | None,
    asked: Mapping[str, Asked],
    consents: Mapping[Source, Consent],
) -> tuple[Artefacts, Inputs]:
    """Return what decides and on what, given what the parties said; unchanged where no federated model has a role.

    `own` is who decides instead, needed where the model that decides is a federated one.
    """
    parts = parts_in(inputs, artefacts)
    if not parts:
        return artefacts, inputs
    kept = {sha: _kept(part, asked.get(sha), consents) for sha, part in parts.items()}
    if inputs.model not in parts:
        return artefacts, replace(inputs, federated=FederatedInputs(kept))
    assert own is not None  # noqa: S101  # the shelf has looked for it
    if kept[inputs.model].is_whole:
        told = FederatedInputs(kept, points_by=own.sha256)
        return replace(artefacts, points_by=own.model), replace(inputs, federated=told)
    told = FederatedInputs(kept, instead_of=inputs.model)
    same = inputs.second == own.sha256  # who decides is no second opinion
    fallen = replace(artefacts, model=own.model, second=None if same else artefacts.second)
    second = None if same else inputs.second
    return fallen, replace(inputs, role=FALLBACK, model=own.sha256, second=second, federated=told)


def parts_in(inputs: Inputs, artefacts: Artefacts) -> dict[str, FederatedPart]:
    """Return the federated ones of the models that inputs name, by hash."""
    named = {inputs.model: artefacts.model, **artefacts.shadows}
    if inputs.second is not None and artefacts.second is not None:
        named[inputs.second] = artefacts.second
    return {sha: one for sha, one in named.items() if isinstance(one, FederatedPart)}


def _kept(part: FederatedPart, asked: Asked | None, consents: Mapping[Source, Consent]) -> Asked:
    assert part.scoring is not None  # noqa: S101  # no other gets a role
    return still_consented(asked, consents) if asked else nobody(part.scoring.parties, NOT_ASKED)
