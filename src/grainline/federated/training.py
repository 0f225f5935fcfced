"""Rounds of trees: logistic loss, early stopping, and the choices that are made once for a training."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import ClassVar

import numpy as np
import polars as pl

from grainline.federated import messages as says
from grainline.federated.bits import pack
from grainline.federated.channel import Channel
from grainline.federated.gradients import Floats, Mask, Sampling, Slots, log_loss, logistic
from grainline.federated.growing import Gradients, Grower, Grown, features_of
from grainline.federated.guest import Guest, HostSide
from grainline.federated.he import RandomBytes, SecretKey
from grainline.federated.model import GuestPart
from grainline.federated.trees import Rules
from grainline.federated.twin import Twin
from grainline.federated.wire import BadMessage
from grainline.kit.errors import Kind, Refusal


class OneClass(Refusal):
    """All rows that are trained on have the same label: there is nothing to learn."""

    code: ClassVar[str] = "federated_one_class"
    kind: ClassVar[Kind] = Kind.INVALID


class NothingToValidate(Refusal):
    """Rows were to be kept to validate on, and there are none."""

    code: ClassVar[str] = "federated_nothing_to_validate"
    kind: ClassVar[Kind] = Kind.INVALID


class NothingToSplit(Refusal):
    """No party has a feature that differs between the rows."""

    code: ClassVar[str] = "federated_nothing_to_split"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True)
class Settings:
    """What a training is run by.

    `smallest_bin` is the fewest rows that a host lets stand out in a node (`candidates.py`); `patience` is how many
    trees may pass without a better validation loss before training stops, and is of use only with validation rows;
    `is_guest_first` grows the first tree of the guest's own features, so that hosts never see rows parted by what the
    label alone says; `seed` draws samples; `as_of` is the moment, in whole seconds since 1970 UTC, as of which
    hosts make features that have their own events, 0 for tables that are ready.
    """

    trees: int = 20
    rules: Rules = field(default_factory=Rules)
    bins: int = 32
    smallest_bin: int = 10
    patience: int | None = None
    sampling: Sampling | None = None
    is_guest_first: bool = False
    seed: int = 0
    as_of: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.trees <= 1000 and self.smallest_bin >= 1):
            raise ValueError("trees: 1 to 1000; smallest_bin: at least 1")


@dataclass(frozen=True)
class Rows:
    """The guest's rows: features, label, and which of the rows only validate."""

    frame: pl.DataFrame
    label: Mask
    validating: Mask | None = None


@dataclass(frozen=True)
class Alignment:
    """The session in which a host agreed on the rows, and which of these are in `Rows`; one for each host."""

    session: bytes
    used: Mask


@dataclass(frozen=True)
class Trained:
    """The guest's part of the model, and the score that training gave every row, in log-odds."""

    part: GuestPart
    scores: Floats
    validation_losses: Sequence[float] = ()


async def train(
    rows: Rows,
    aligned: Sequence[Alignment],
    channels: Sequence[Channel],
    settings: Settings,
    *,
    secret: SecretKey,
    model: bytes,
    random_bytes: RandomBytes,
) -> Trained:
    """Train over encrypted gradients.

    Raises OneClass and NothingToValidate before a host is asked anything; NothingToSplit; what channels raise, and
    then there is no model.
    """
    _check(rows)
    features = features_of(rows.frame, bins=settings.bins)
    slots = Slots(len(rows.label), settings.sampling.weight_max if settings.sampling else 1)
    begins = [
        says.TrainingBegins(
            model=model,
            key=secret.public.dump(),
            alignment=one.session,
            aligned=len(one.used),
            rows=pack(one.used),
            bins=settings.bins,
            leaf_rows_min=settings.rules.leaf_rows_min,
            smallest_bin=settings.smallest_bin,
            slot_bits=slots.bits,
            as_of=settings.as_of,
        )
        for one in aligned
    ]
    answers = await asyncio.gather(*(to.ask(message) for to, message in zip(channels, begins, strict=True)))
    hosts = []
    for channel, answer in zip(channels, answers, strict=True):
        if not isinstance(answer, says.CandidatesCounted):
            raise BadMessage("no count of candidates")
        hosts.append(HostSide(channel, answer.candidates))
    if not features.candidates.all and not any(host.candidates for host in hosts):
        raise NothingToSplit
    guest = Guest(features, settings.rules, secret, slots, random_bytes, hosts, [0] * len(hosts))
    return await boost(guest, rows, settings, model=model)


async def train_twin(
    rows: Rows, hosts: Sequence[pl.DataFrame], settings: Settings, *, model: bytes
) -> tuple[Trained, Twin]:
    """Train in plaintext on all parties' frames of the same rows; raise OneClass, NothingToValidate, NothingToSplit."""
    _check(rows)
    parties = [features_of(frame, bins=settings.bins) for frame in (rows.frame, *hosts)]
    if not any(party.candidates.all for party in parties):
        raise NothingToSplit
    twin = Twin(parties, settings.rules, settings.smallest_bin, model)
    return await boost(twin, rows, settings, model=model), twin


async def boost(grower: Grower, rows: Rows, settings: Settings, *, model: bytes) -> Trained:
    """Grow tree after tree on the gradients of the score so far, until enough or no better."""
    label, validating = rows.label, rows.validating
    training = np.ones(len(label), np.bool_) if validating is None else ~validating
    bad, good = int(label[training].sum()), int((~label[training]).sum())
    base = log(bad / good)
    scores = np.full(len(label), base)
    after: list[Floats] = []  # the scores after each tree
    grown: list[Grown] = []
    losses: list[float] = []
    for number in range(settings.trees):
        gradients = _gradients(scores, label, training, settings, number)
        grown.append(await grower.grow(number, gradients, alone=settings.is_guest_first and number == 0))
        scores = scores + grown[-1].added
        after.append(scores)
        if validating is not None:
            losses.append(log_loss(scores[validating], label[validating]))
            if settings.patience is not None and len(losses) - 1 - int(np.argmin(losses)) >= settings.patience:
                break
    if losses and settings.patience is not None:
        best = int(np.argmin(losses))
        grown, scores = grown[: best + 1], after[best]
    conditions, hashes = await grower.finish(grown[-1].splits)
    part = GuestPart(model, base, tuple(one.tree for one in grown), tuple(conditions), tuple(hashes))
    return Trained(part, scores, tuple(losses))


def _gradients(scores: Floats, label: Mask, training: Mask, settings: Settings, number: int) -> Gradients:
    if settings.sampling is None:
        return Gradients(training, *logistic(scores, label))
    gradient, _ = logistic(scores, label)
    active, weight = settings.sampling.draw(gradient, training, (settings.seed, number))
    return Gradients(active, *logistic(scores, label, weight))


def validation_rows(ids: Sequence[bytes], *, share: float, key: bytes) -> Mask:
    """Return which rows only validate: those whose id, under HMAC-SHA-256 with the key, falls into the share.

    So the choice depends on nothing but the id and the key, and who does not have the key cannot foretell it.
    """
    limit = int(share * 2**64)
    drawn = (hmac.digest(key, b"grainline.validation:" + one, "sha256")[:8] for one in ids)
    return np.array([int.from_bytes(one, "big") < limit for one in drawn], np.bool_)


def _check(rows: Rows) -> None:
    if rows.validating is not None and not rows.validating.any():
        raise NothingToValidate
    training = rows.label if rows.validating is None else rows.label[~rows.validating]
    if not len(training) or training.all() or not training.any():
        raise OneClass
