"""The lender's side of fitting a scorecard: asks hosts for sums under encryption, of features it never sees.

Of a host it learns how many features and bins there are, under numbers drawn by lot, the rows and defaults in each bin,
sums of gradients, and in each iteration what the weights it sent add up to for each row.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grainline.federated import scorecard_messages as says
from grainline.federated.channel import Channel
from grainline.federated.gradients import SCALE, BadSum, Mask, Slots
from grainline.federated.he import RandomBytes, SecretKey
from grainline.federated.messages import GRADIENT_BYTES_MAX, SUM_BYTES_MAX, PartKept
from grainline.federated.scorecard_bins import Ints
from grainline.federated.scorecard_fit import WEIGHT_MAX
from grainline.federated.scorecard_host import told_of
from grainline.federated.scorecard_sides import Feature, Sums, Together, Weights
from grainline.federated.scorecard_sums import moved_weights, slots_of, unpacked_scores
from grainline.federated.wire import BadMessage

VALUES_TOGETHER = 8192  # encrypted and sent at once


@dataclass(frozen=True)
class HostBins:
    """What the guest knows of a host: the way to it, and the rows in each bin of each feature."""

    channel: Channel
    counts: Sequence[Ints]


@dataclass
class Apart:
    """The parties in one session, once hosts have told their bins; `own` has the guest's features alone."""

    own: Together
    secret: SecretKey
    slots: Slots
    random_bytes: RandomBytes
    hosts: Sequence[HostBins]
    round: int = -1

    @property
    def counts(self) -> Mapping[Feature, Ints]:
        """Return the rows in each bin of every feature."""
        found = dict(self.own.counts)
        for party, host in enumerate(self.hosts, start=1):
            found |= {(party, number): rows for number, rows in enumerate(host.counts)}
        return found

    async def events(self, label: Mask) -> Mapping[Feature, Ints]:
        """Return of each bin how many rows have the label; raise what channels raise, BadSum, BadMessage."""
        sums = await self._ask_all(label * SCALE, np.zeros(len(label), np.int64), list(self.counts))
        found = {}
        for one, (scaled, nought) in sums.items():
            events = scaled // SCALE
            if nought.any() or (events * SCALE != scaled).any() or (events < 0).any():
                raise BadSum("no number of labels")
            found[one] = events
        return found | dict(await self.own.events(label))

    async def sums(self, gradient: Ints, hessian: Ints, wanted: Sequence[Feature]) -> Sums:
        """Return of each bin of some features the sums; raise what channels raise, BadSum, BadMessage."""
        own = await self.own.sums(gradient, hessian, [one for one in wanted if one[0] == 0])
        return dict(own) | await self._ask_all(gradient, hessian, wanted)

    async def scores(self, weights: Weights) -> Mapping[int, Ints]:
        """Return, by party, what weights add up to; raise what channels raise, BadSum, BadMessage."""
        found = dict(await self.own.scores({one: of_bin for one, of_bin in weights.items() if one[0] == 0}))
        self.round += 1
        asked = {}
        for party, host in enumerate(self.hosts, start=1):
            of_host = {one[1]: of_bin for one, of_bin in weights.items() if one[0] == party}
            if of_host:
                asked[party] = self._ask_scores(host, of_host)
        answers = await asyncio.gather(*asked.values())
        return found | dict(zip(asked, answers, strict=True))

    async def finish(self, kept: Sequence[Feature]) -> Sequence[bytes]:
        """Let each host keep some of its features; return the hashes of the hosts' parts."""
        ends = [
            says.ScorecardEnds(tuple(number for where, number in kept if where == party))
            for party in range(1, len(self.hosts) + 1)
        ]
        answers = await asyncio.gather(*(host.channel.ask(end) for host, end in zip(self.hosts, ends, strict=True)))
        hashes = []
        for answer in answers:
            if not isinstance(answer, PartKept):
                raise BadMessage("no hash of a part")
            hashes.append(answer.sha256)
        return hashes

    async def _ask_all(
        self, gradient: Ints, hessian: Ints, wanted: Sequence[Feature]
    ) -> dict[Feature, tuple[Ints, Ints]]:
        """Encrypt once for all hosts that are asked, and have them add up."""
        numbers = {
            party: tuple(number for where, number in wanted if where == party)
            for party in range(1, len(self.hosts) + 1)
        }
        asked = {party: self.hosts[party - 1] for party, some in numbers.items() if some}
        self.round += 1
        if not asked:
            return {}
        plaintexts, public = self.slots.pack(gradient, hessian), self.secret.public
        together = min(VALUES_TOGETHER, GRADIENT_BYTES_MAX // public.ciphertext_bytes)
        for first in range(0, len(plaintexts), together):
            some = self.secret.encrypt(plaintexts[first : first + together], self.random_bytes)
            told = says.ScorecardValues(self.round, first, public.write_all(some))
            answers = await asyncio.gather(*(host.channel.ask(told) for host in asked.values()))
            if any(answer != says.ScorecardTaken(self.round) for answer in answers):
                raise BadMessage("not taken")
        totals = (int(gradient.sum()), int(hessian.sum()))
        found = await asyncio.gather(*(self._ask_sums(host, numbers[party], totals) for party, host in asked.items()))
        return {
            (party, number): sums
            for party, of_host in zip(asked, found, strict=True)
            for number, sums in zip(numbers[party], of_host, strict=True)
        }

    async def _ask_sums(
        self, host: HostBins, features: tuple[int, ...], totals: tuple[int, int]
    ) -> list[tuple[Ints, Ints]]:
        answer = await host.channel.ask(says.ScorecardSumsAsked(self.round, features))
        if not isinstance(answer, says.ScorecardSums) or answer.round != self.round:
            raise BadMessage("no sums")
        told = [told_of(host.counts[one]) for one in features]
        rows = [int(host.counts[one][place]) for one, places in zip(features, told, strict=True) for place in places]
        per_ciphertext = self.secret.public.plaintext_bits // self.slots.bits
        ciphertexts = self.secret.public.read_all(answer.ciphertexts)
        if len(ciphertexts) != -(-len(rows) // per_ciphertext):
            raise BadMessage("another number of sums")
        # Decrypting gives whole numbers that stay here; see `okamoto_uchiyama.py` for what must not become of them.
        gradient, hessian = self.slots.unpack(self.secret.decrypt(ciphertexts), rows, per_ciphertext)
        found, at = [], 0
        for one, places in zip(features, told, strict=True):
            span = slice(at, at + len(places))
            counts, bound = host.counts[one], self.slots.bound
            sums = (_spread(gradient[span], places, totals[0]), _spread(hessian[span], places, totals[1]))
            if (abs(sums[0]) > counts * bound).any() or (sums[1] < 0).any() or (4 * sums[1] > counts * bound).any():
                raise BadSum("sums that leave no sum for the largest bin")
            found.append(sums)
            at += len(places)
        return found

    async def _ask_scores(self, host: HostBins, weights: Mapping[int, Sequence[int]]) -> Ints:
        """Have a host add up, for each row, the weights of its bins."""
        number, rows, public = self.round, int(host.counts[0].sum()), self.secret.public
        low = {one: min(of_bin) for one, of_bin in weights.items()}
        most = sum(max(of_bin) - low[one] for one, of_bin in weights.items())
        slot_bits = (2 * WEIGHT_MAX * len(weights)).bit_length()
        moved = [weight - low[one] for one, of_bin in weights.items() for weight in of_bin]
        slots = slots_of(public, slot_bits, len(moved), rows, says.WEIGHT_BYTES_MAX)
        data = moved_weights(self.secret, moved, slots, slot_bits, self.random_bytes)
        taken = await host.channel.ask(says.ScorecardWeights(number, tuple(weights), slots, data))
        if taken != says.ScorecardTaken(number):
            raise BadMessage("not taken")
        found, together = [], slots * (SUM_BYTES_MAX // public.ciphertext_bytes)
        for first in range(0, rows, together):
            some = min(together, rows - first)
            answer = await host.channel.ask(says.ScorecardScoresAsked(number, first, some))
            if not isinstance(answer, says.ScorecardScores) or answer.round != number:
                raise BadMessage("no scores")
            plaintexts = self.secret.decrypt(public.read_all(answer.ciphertexts))
            found.append(unpacked_scores(plaintexts, some, slots, slot_bits))
        scores = np.concatenate(found)
        if (scores > most).any():
            raise BadSum("more than any row's weights add up to")
        return np.asarray(scores + sum(low.values()), np.int64)


def _spread(sums: Ints, places: Ints, total: int) -> Ints:
    """Return the sums by bin, with what is left of the total in the bin that was not told of."""
    found = np.full(len(places) + 1, total - int(sums.sum()), np.int64)
    found[places] = sums
    return found
