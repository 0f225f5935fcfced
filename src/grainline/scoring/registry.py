"""The registry: models by the hash of their bytes, signed by the lender, and the roles they play.

What is loaded was checked: the bytes are those that were named, a known key signed them, they can be read. Anything
else is refused and alarmed. There is no model to fall back on, because a decision by another model than the one that
was meant is a wrong decision.
"""

import asyncio
import json
from collections.abc import Set
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

import structlog

from grainline.kit.db import Tx
from grainline.kit.errors import Kind, Refusal
from grainline.scoring import registry_store as store
from grainline.scoring.federated_part import HASH_DIGITS, FederatedPart, is_federated, is_hash, read_federated
from grainline.scoring.model import BadModelFile, CreditModel
from grainline.scoring.protected import refuse_protected
from grainline.scoring.registry_store import Registered
from grainline.scoring.routing import Role, RoleChange, cast_of
from grainline.scoring.scored import Loaded
from grainline.scoring.signing import Signer, is_signed

log = structlog.get_logger()

FEDERATED = "federated"
PREFIX_LEAST = 8


class ModelNotFound(Refusal):
    """There is no such model in the registry, or the digits given are those of several."""

    code = "model_not_found"
    kind = Kind.NOT_FOUND


class ModelChanged(Refusal):
    """A registered model's bytes are not those that were named."""

    code = "model_changed"
    kind = Kind.UNAVAILABLE


class ModelSignerUnknown(Refusal):
    """A registered model was signed by a key that this installation does not know."""

    code = "model_signer_unknown"
    kind = Kind.UNAVAILABLE


class ModelSignatureWrong(Refusal):
    """A registered model's signature is not its signer's, of these bytes."""

    code = "model_signature_wrong"
    kind = Kind.UNAVAILABLE


class RoleBackdated(Refusal):
    """A role would begin in the past, where decisions were made without it."""

    code = "role_backdated"


class RoleUnfit(Refusal):
    """A share that only a challenger has, or must have; or a champion that would be taken away without another."""

    code = "role_unfit"


class ModelNotReady(Refusal):
    """A part of a federated model that does not say whom to ask, or has no calibration."""

    code = "model_not_ready"


Artefact = Loaded | FederatedPart


class Models:
    """The models of a process: each read, checked and loaded once, at its first use.

    `signers` are the public keys whose signatures count.
    """

    def __init__(self, signers: Set[bytes]) -> None:
        self._signers = frozenset(signers)
        self._loaded: dict[str, Artefact] = {}

    async def load(self, tx: Tx, named: str) -> Artefact:
        """Return a registered model by its SHA-256, ready to score.

        Raises ModelNotFound, ModelChanged, ModelSignerUnknown, ModelSignatureWrong and BadModelFile; all but the
        first are alarmed.
        """
        known = self._loaded.get(named)
        if known is None:
            kept = await store.model_of(tx, named) if is_hash(named) else None
            if kept is None:
                raise ModelNotFound(sha256=named)
            # Large trees take a while to read, in which others are to be answered.
            known = self._loaded[named] = await asyncio.to_thread(self._opened, kept)
        return known

    async def load_own(self, tx: Tx, named: str) -> Loaded:
        """Return a registered model that scores here, without other parties; raises as `load`, or BadModelFile."""
        found = await self.load(tx, named)
        if not isinstance(found, Loaded):
            raise BadModelFile
        return found

    async def load_scoring(self, tx: Tx, named: str) -> Artefact:
        """Return a registered model that can score, here or by asking parties; raises as `load`, or ModelNotReady."""
        found = await self.load(tx, named)
        if isinstance(found, FederatedPart) and found.scoring is None:
            raise ModelNotReady(sha256=named)
        return found

    def _opened(self, kept: Registered) -> Artefact:
        try:
            return opened(kept, signers=self._signers)
        except Refusal as refusal:
            log.critical("model_refused", sha256=kept.sha256, name=kept.name, code=refusal.code)
            raise


def opened(kept: Registered, *, signers: Set[bytes]) -> Artefact:
    """Return what a row of the registry holds, once its hash and its signature are found right.

    Raises ModelChanged, ModelSignerUnknown, ModelSignatureWrong, BadModelFile.
    """
    digest = sha256(kept.content)
    if digest.hexdigest() != kept.sha256:
        raise ModelChanged(sha256=kept.sha256)
    if kept.signer not in signers:
        raise ModelSignerUnknown(sha256=kept.sha256, signer=kept.signer.hex())
    if not is_signed(kept.kind, digest.digest(), public_key=kept.signer, signature=kept.signature):
        raise ModelSignatureWrong(sha256=kept.sha256)
    found = read_artefact(kept.content)
    if kind_of(found) != kept.kind:
        raise BadModelFile
    return found


def read_artefact(content: bytes) -> Artefact:
    """Read a model's bytes, or those of the lender's part of a federated one; raise BadModelFile."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise BadModelFile from None
    if is_federated(body):
        return read_federated(content, body)
    return Loaded(CreditModel.from_bytes(content))


def kind_of(artefact: Artefact) -> str:
    """Return what a model is made of: scorecard, boosted or federated."""
    return FEDERATED if isinstance(artefact, FederatedPart) else artefact.model.kind


def inputs_of(artefact: Artefact) -> tuple[str, ...]:
    """Return the names of what a model reads, as far as the lender knows them."""
    if isinstance(artefact, FederatedPart):
        return artefact.features
    return tuple(spec.name for spec in artefact.model.features)


async def register(
    tx: Tx, content: bytes, *, signer: Signer, by: str, now: datetime, name: str | None = None
) -> Registered:
    """Sign a model and keep it; the same bytes again are the same model, and nothing changes.

    Raises BadModelFile, and ProtectedInput where the model reads what no model may.
    """
    artefact = read_artefact(content)
    refuse_protected(inputs_of(artefact))
    kind, digest = kind_of(artefact), sha256(content)
    if isinstance(artefact, FederatedPart):
        facts, named = artefact.facts, name or artefact.told
    else:
        facts, named = artefact.model.facts, name or artefact.model.name
    made = Registered(
        sha256=digest.hexdigest(),
        kind=kind,
        name=named,
        content=content,
        signer=signer.public_key,
        signature=signer.sign(kind, digest.digest()),
        facts=facts,
        registered_at=now,
        registered_by=by,
    )
    await store.add_model(tx, made)
    kept = await store.model_of(tx, made.sha256)
    if kept is None:
        raise RuntimeError(f"the model {made.sha256} was neither kept nor found")
    return kept


async def find_model(tx: Tx, digits: str) -> str:
    """Return the whole SHA-256 of a model by its first digits, eight at least; raise ModelNotFound."""
    told = digits.lower()
    is_hex = all(digit in "0123456789abcdef" for digit in told)
    found = await store.hashes_like(tx, told) if is_hex and PREFIX_LEAST <= len(told) <= HASH_DIGITS else []
    if len(found) != 1:
        raise ModelNotFound(sha256=digits)
    return found[0]


async def set_role(tx: Tx, models: Models, change: RoleChange) -> RoleChange:
    """Give a model a role of a product, or take it away, and return the change with its number.

    The model is loaded first, so that none gets a role that cannot be used. Raises what `Models.load_scoring` does,
    RoleBackdated and RoleUnfit.
    """
    if change.begins_at < change.set_at:
        raise RoleBackdated(begins_at=change.begins_at.isoformat())
    is_challenger = change.role is Role.CHALLENGER
    if is_challenger != (change.share_e4 > 0) and (change.is_on or not is_challenger):
        raise RoleUnfit(role=change.role, share_e4=change.share_e4)
    if change.role is Role.CHAMPION and not change.is_on:
        raise RoleUnfit(role=change.role, share_e4=change.share_e4)
    if change.is_on:
        await models.load_scoring(tx, change.sha256)
    if is_challenger and change.is_on:
        now = cast_of(await store.changes_of(tx, change.product), product=change.product, as_of=change.begins_at)
        if now.champion == change.sha256:
            raise RoleUnfit(role=change.role, share_e4=change.share_e4)
    return replace(change, change_id=await store.add_change(tx, change))
