"""The lender's side of training: grows trees over its own features and the hosts', which it never sees.

Per tree, gradients are encrypted once, for all hosts. Per level, hosts sum only the smaller of two siblings; the
other's sums are the parent's less these. Of a host's split the guest learns a number and which rows go left.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from grainline.federated import messages as says
from grainline.federated.bits import pack, unpack_rows
from grainline.federated.channel import Channel
from grainline.federated.gradients import Mask, Slots
from grainline.federated.growing import Features, Gradients, Grown, Rows, may_split
from grainline.federated.he import RandomBytes, SecretKey
from grainline.federated.model import Condition
from grainline.federated.trees import ROOT, Best, Leaf, Rules, Split, Sums, Total, best_split, leaf_of
from grainline.federated.wire import BadMessage

GRADIENTS_TOGETHER = 8192  # encrypted and sent at once


@dataclass(frozen=True)
class HostSide:
    """What the guest knows of a host: the way to it, and how many candidates it has."""

    channel: Channel
    candidates: int


@dataclass
class _Node:
    rows: Rows
    total: Total
    offers: list[Sums]  # by party


@dataclass
class Guest:
    """The guest in one session, once `begin` has been."""

    features: Features
    rules: Rules
    secret: SecretKey
    slots: Slots
    random_bytes: RandomBytes
    hosts: Sequence[HostSide]
    splits: list[int] = field(default_factory=list)  # by host

    async def grow(self, number: int, gradients: Gradients, *, alone: bool) -> Grown:
        """Grow a tree level by level; raise what channels raise, BadSum, BadMessage, BadCiphertext."""
        hosts = () if alone else self.hosts
        await self._send(number, gradients, hosts)
        rows = np.arange(len(gradients.active))
        root = _Node(rows, gradients.total(rows), [])
        await self._sum_root(number, root, gradients, hosts)
        tree: dict[int, Split | Leaf] = {}
        added = np.zeros(len(rows))
        nodes = {ROOT: root}
        for depth in range(self.rules.depth):
            best = {place: best_split(node.total, node.offers, self.rules) for place, node in nodes.items()}
            splits = {place: found for place, found in best.items() if found is not None}
            lefts = await self._split(number, nodes, splits, tree)
            for place in nodes.keys() - splits.keys():
                _finish(tree, place, nodes[place], self.rules, added)
            parents = {place: nodes[place] for place in splits}
            nodes = _children(parents, lefts, gradients)
            if depth + 1 < self.rules.depth:
                await self._sum_children(number, parents, nodes, lefts, gradients, hosts)
        for place, node in nodes.items():
            _finish(tree, place, node, self.rules, added)
        return Grown(tree, added, [len(self.features.conditions), *self.splits])

    async def finish(self, splits: Sequence[int]) -> tuple[Sequence[Condition], Sequence[bytes]]:
        """Let each party keep so many of its splits; return the own conditions and the hashes of the hosts' parts."""
        ends = [says.TrainingEnds(count) for count in splits[1:]]
        answers = await asyncio.gather(*(host.channel.ask(end) for host, end in zip(self.hosts, ends, strict=True)))
        hashes = []
        for answer in answers:
            if not isinstance(answer, says.PartKept):
                raise BadMessage("no hash of a part")
            hashes.append(answer.sha256)
        return tuple(self.features.conditions[: splits[0]]), hashes

    async def _send(self, number: int, gradients: Gradients, hosts: Sequence[HostSide]) -> None:
        """Encrypt gradients once and send them to all hosts."""
        if not hosts:
            return
        await _tell(hosts, says.TreeBegins(number, pack(gradients.active)))
        active = np.flatnonzero(gradients.active)
        plaintexts = self.slots.pack(gradients.gradient[active], gradients.hessian[active])
        for first in range(0, len(plaintexts), GRADIENTS_TOGETHER):
            some = self.secret.encrypt(plaintexts[first : first + GRADIENTS_TOGETHER], self.random_bytes)
            await _tell(hosts, says.Gradients(number, first, self.secret.public.write_all(some)))

    async def _sum_root(self, number: int, root: _Node, gradients: Gradients, hosts: Sequence[HostSide]) -> None:
        pair = (root.rows, root.rows[:0])
        own = self._own(pair, gradients, self.features.all_told)
        asked = says.SumsAsked(number, (), b"")
        sums = await asyncio.gather(*(self._ask_sums(host, asked, [root.total]) for host in hosts))
        root.offers = [self.features.sums(root.rows, gradients, own), *(one[0] for one in sums)]

    async def _sum_children(
        self,
        number: int,
        parents: dict[int, _Node],
        children: dict[int, _Node],
        lefts: dict[int, Mask],
        gradients: Gradients,
        hosts: Sequence[HostSide],
    ) -> None:
        """Give the children of each parent their sums, where one of them may be split further."""
        wanted = [p for p in parents if any(may_split(children[c].total, self.rules) for c in (2 * p, 2 * p + 1))]
        smaller = {p: min((2 * p, 2 * p + 1), key=lambda child: (children[child].total.rows, child)) for p in wanted}
        for parent, child in smaller.items():
            pair = (children[child].rows, children[child ^ 1].rows)
            told = self._own(pair, gradients, parents[parent].offers[0].told)
            children[child].offers = [self.features.sums(pair[0], gradients, told)]
        totals = [children[child].total for child in smaller.values()]
        bits = {parent: pack(lefts[parent]) for parent in wanted}
        found = await asyncio.gather(*(self._ask_all_sums(host, number, bits, totals) for host in hosts))
        for of_host in found:
            for child, sums in zip(smaller.values(), of_host, strict=True):
                children[child].offers.append(sums)
        for parent, child in smaller.items():
            pairs = zip(parents[parent].offers, children[child].offers, strict=True)
            children[child ^ 1].offers = [before.of_sibling(sums) for before, sums in pairs]

    def _own(self, pair: tuple[Rows, Rows], gradients: Gradients, before: Mask) -> Mask:
        leaf = self.rules.leaf_rows_min
        return self.features.told(pair, gradients.active, before, smallest=1, leaf=leaf)

    async def _ask_all_sums(
        self, host: HostSide, number: int, bits: dict[int, bytes], totals: Sequence[Total]
    ) -> list[Sums]:
        """Ask a host for the sums of a level, in as many parts as its answers need."""
        parents, found = list(bits), []
        together = max(1, min(says.NODES_MAX, self._sums_max() // max(1, host.candidates)))
        for first in range(0, len(parents), together):
            some = parents[first : first + together]
            asked = says.SumsAsked(number, tuple(some), b"".join(bits[one] for one in some))
            found += await self._ask_sums(host, asked, totals[first : first + together])
        return found

    def _sums_max(self) -> int:
        """Return how many sums fit into one answer."""
        return min(
            says.CANDIDATES_MAX, says.SUM_BYTES_MAX // self.secret.public.ciphertext_bytes * self._per_ciphertext
        )

    @property
    def _per_ciphertext(self) -> int:
        return self.secret.public.plaintext_bits // self.slots.bits

    async def _ask_sums(self, host: HostSide, asked: says.SumsAsked, totals: Sequence[Total]) -> list[Sums]:
        answer = await host.channel.ask(asked)
        if not isinstance(answer, says.Sums):
            raise BadMessage("no sums")
        told = unpack_rows(answer.kept, [host.candidates] * len(totals))
        if len(answer.counts) != sum(int(one.sum()) for one in told):
            raise BadMessage("counts of other candidates")
        counts = np.array(answer.counts, np.int64)
        of_node = np.repeat([total.rows for total in totals], [int(one.sum()) for one in told])
        if (counts > of_node).any():
            raise BadMessage("more rows on the left than there are")
        sent = (counts > 0) & (counts < of_node)
        ciphertexts = self.secret.public.read_all(answer.ciphertexts)
        if len(ciphertexts) != -(-int(sent.sum()) // self._per_ciphertext):
            raise BadMessage("another number of sums")
        # Decrypting gives whole numbers that stay here; see `okamoto_uchiyama.py` for what must not become of them.
        plaintexts = self.secret.decrypt(ciphertexts)
        sums = np.zeros((3, len(counts)), np.int64)
        sums[0] = counts
        sums[1:, sent] = self.slots.unpack(plaintexts, counts[sent].tolist(), self._per_ciphertext)
        return _by_node(sums, told, totals)

    async def _split(
        self, number: int, nodes: dict[int, _Node], splits: dict[int, Best], tree: dict[int, Split | Leaf]
    ) -> dict[int, Mask]:
        """Have each winner part its nodes; return which rows go left."""
        lefts = {}
        for place, best in splits.items():
            if best.party == 0:
                own, lefts[place] = self.features.split(min(best.candidates), nodes[place].rows)
                tree[place] = Split(0, own)
        asked = []
        for party, host in enumerate(self.hosts, start=1):
            places = [place for place, best in splits.items() if best.party == party]
            if places:
                asked.append(self._ask_splits(party, host, number, {p: (splits[p], nodes[p]) for p in places}))
        for party, numbers, found in await asyncio.gather(*asked):
            lefts |= found
            tree.update({place: Split(party, one) for place, one in numbers.items()})
            self.splits[party - 1] += len(numbers)
        return lefts

    async def _ask_splits(
        self, party: int, host: HostSide, number: int, wanted: dict[int, tuple[Best, _Node]]
    ) -> tuple[int, dict[int, int], dict[int, Mask]]:
        ties = tuple(len(best.candidates) for best, _ in wanted.values())
        positions = tuple(one for best, _ in wanted.values() for one in best.candidates)
        answer = await host.channel.ask(says.SplitsChosen(number, tuple(wanted), ties, positions))
        first = self.splits[party - 1]
        expected = tuple(range(first, first + len(wanted)))
        if (
            not isinstance(answer, says.SplitsMade)
            or answer.numbers != expected
            or len(answer.positions) != len(wanted)
        ):
            raise BadMessage("other splits than were asked for")
        masks = unpack_rows(answer.lefts, [len(node.rows) for _, node in wanted.values()])
        for position, (best, _) in zip(answer.positions, wanted.values(), strict=True):
            if position not in best.candidates:
                raise BadMessage("a split that was not chosen")
        return party, dict(zip(wanted, answer.numbers, strict=True)), dict(zip(wanted, masks, strict=True))


async def _tell(hosts: Sequence[HostSide], message: says.TreeBegins | says.Gradients) -> None:
    answers = await asyncio.gather(*(host.channel.ask(message) for host in hosts))
    if any(answer != says.Taken(message.tree) for answer in answers):
        raise BadMessage("not taken")


def _by_node(sums: np.ndarray, told: Sequence[Mask], totals: Sequence[Total]) -> list[Sums]:
    """Deal sums of told candidates out to the nodes; where all rows are on the left the sum is the node's total."""
    found, at = [], 0
    for mask, total in zip(told, totals, strict=True):
        spread = np.zeros((3, len(mask)), np.int64)
        part = sums[:, at : at + int(mask.sum())]
        full = part[0] == total.rows
        part[1, full], part[2, full] = total.gradient, total.hessian
        spread[:, mask] = part
        found.append(Sums(mask, spread[0], spread[1], spread[2]))
        at += int(mask.sum())
    return found


def _children(parents: dict[int, _Node], lefts: dict[int, Mask], gradients: Gradients) -> dict[int, _Node]:
    found = {}
    for place, node in parents.items():
        for child, rows in ((2 * place, node.rows[lefts[place]]), (2 * place + 1, node.rows[~lefts[place]])):
            found[child] = _Node(rows, gradients.total(rows), [])
    return found


def _finish(tree: dict[int, Split | Leaf], place: int, node: _Node, rules: Rules, added: np.ndarray) -> None:
    leaf = leaf_of(node.total, rules)
    tree[place] = leaf
    added[node.rows] = leaf.weight
