"""A data party's side of training and inference: a state machine that is asked and answers.

It holds features and, of the guest's, only ciphertexts. It learns which of its rows end up in which node of a tree,
which of its own splits were chosen, and nothing of labels, gradients, gains or leaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.federated import messages as says
from grainline.federated.binning import Table, cut
from grainline.federated.bits import pack, unpack, unpack_rows
from grainline.federated.candidates import BINS, Candidates, candidates_of, histogram, tellable
from grainline.federated.cells import grouped
from grainline.federated.he import Ciphertext, RandomBytes
from grainline.federated.host_checkpoint import Checkpoint
from grainline.federated.host_sums import Summing, compressed
from grainline.federated.kernel import chosen, joined
from grainline.federated.keys import read_public_key
from grainline.federated.model import Condition, HostPart, condition_of
from grainline.federated.trees import ROOT
from grainline.federated.wire import BadMessage, Message
from grainline.kit.errors import Kind, Refusal

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


class OutOfTurn(Refusal):
    """A question that does not follow from what was asked before."""

    code: ClassVar[str] = "federated_out_of_turn"
    kind: ClassVar[Kind] = Kind.CONFLICT


class BinsTooSmall(Refusal):
    """A training in which fewer rows may stand out than the host allows."""

    code: ClassVar[str] = "federated_bins_too_small"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class RowsDiffer(Refusal):
    """Guest and host do not have the same rows, or none."""

    code: ClassVar[str] = "federated_rows_differ"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass
class _Node:
    rows: Rows  # of the session, also those without a gradient
    told: Mask  # by candidate, in canonical order


@dataclass
class _Tree:
    number: int
    active: Mask
    order: npt.NDArray[np.intp]  # the canonical number of the candidate at each position
    parts: list[Sequence[Ciphertext]] = field(default_factory=list)  # as they came
    nodes: dict[int, _Node] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """Return how many ciphertexts have come."""
        return sum(len(part) for part in self.parts)

    def of(self, rows: Rows) -> tuple[Rows, Sequence[Ciphertext]]:
        """Return the rows among some that have a gradient, and their ciphertexts."""
        found = rows[self.active[rows]]
        places = (np.cumsum(self.active) - 1)[found]
        self.parts = [joined(self.parts)]
        return found, chosen(self.parts[0], places)


@dataclass
class _Session:
    begins: says.TrainingBegins
    table: Table
    candidates: Candidates
    summing: Summing
    conditions: list[Condition] = field(default_factory=list)
    tree: _Tree | None = None


@dataclass
class Host:
    """One training with a guest.

    `aligned` gives the host's features of the rows that were agreed on in a session, in their order, as of a moment
    (`messages.TrainingBegins`); `keep` puts the host's part of the model away before the last answer. A host that is
    made of a `checkpoint` goes on from there.
    """

    aligned: Callable[[bytes, int], pl.DataFrame]
    keep: Callable[[HostPart], None]
    random_bytes: RandomBytes
    checkpoint_before: bytes | None = None
    smallest_bin_min: int = 1  # of the host's own choice: no guest may ask for more detail
    _session: _Session | None = None
    _is_over: bool = False

    def __post_init__(self) -> None:
        if self.checkpoint_before is not None:
            kept = Checkpoint.read(self.checkpoint_before)
            self._session = self._made(kept.begins)
            self._session.conditions += kept.conditions
            self._session.tree = _Tree(kept.begun.tree, self._active(kept.begun), np.array(kept.order, np.intp))

    def checkpoint(self) -> bytes | None:
        """Return what is needed to go on from here, at the beginning of a tree; anywhere else None."""
        session = self._session
        tree = None if session is None else session.tree
        if session is None or tree is None or tree.parts or tree.nodes:
            return None
        begun = says.TreeBegins(tree.number, pack(tree.active))
        return Checkpoint(session.begins, begun, tuple(tree.order.tolist()), session.conditions).dump()

    def answer(self, message: Message) -> Message:
        """Answer a message; raise a Refusal, or BadMessage for what does not fit."""
        match message:
            case says.TrainingBegins():
                return self._begin(message)
            case says.TreeBegins():
                return self._begin_tree(message)
            case says.Gradients():
                return self._take(message)
            case says.SumsAsked():
                return self._sum(message)
            case says.SplitsChosen():
                return self._split(message)
            case says.TrainingEnds():
                return self._end(message)
        raise BadMessage("nothing a host is asked")

    def _begin(self, message: says.TrainingBegins) -> says.CandidatesCounted:
        if self._session is not None or self._is_over:
            raise OutOfTurn
        self._session = self._made(message)
        return says.CandidatesCounted(len(self._session.candidates.all))

    def _made(self, message: says.TrainingBegins) -> _Session:
        frame = self.aligned(message.alignment, message.as_of)
        if message.aligned != frame.height:
            raise RowsDiffer
        if message.smallest_bin < self.smallest_bin_min:
            raise BinsTooSmall(smallest=message.smallest_bin, least=self.smallest_bin_min)
        rows = unpack(message.rows, message.aligned)
        if not rows.any():
            raise RowsDiffer
        key = read_public_key(message.key)
        if key.plaintext_bits < message.slot_bits:
            raise BadMessage("a slot is longer than a plaintext")
        cuts, table = cut(frame.filter(pl.Series(rows)), bins=message.bins)
        candidates = candidates_of(cuts)
        left_bins = np.array([candidates.left_bins(one) for one in candidates.all]).reshape(-1, BINS)
        return _Session(message, table, candidates, Summing(key, candidates, grouped(table), left_bins))

    def _begin_tree(self, message: says.TreeBegins) -> says.Taken:
        session = self._in_training()
        active = self._active(message)
        keys = np.frombuffer(self.random_bytes(8 * len(session.candidates.all)), np.uint64)
        session.tree = _Tree(message.tree, active, np.argsort(keys, kind="stable"))
        return says.Taken(message.tree)

    def _active(self, message: says.TreeBegins) -> Mask:
        return unpack(message.active, len(self._in_training().table))

    def _take(self, message: says.Gradients) -> says.Taken:
        session, tree = self._in_tree(message.tree)
        if message.first != tree.taken:
            raise OutOfTurn
        tree.parts.append(session.summing.key.read_held(message.ciphertexts))
        if tree.taken > np.count_nonzero(tree.active):
            raise BadMessage("more gradients than rows")
        return says.Taken(message.tree)

    def _sum(self, message: says.SumsAsked) -> says.Sums:
        session, tree = self._in_tree(message.tree)
        if tree.taken != np.count_nonzero(tree.active):
            raise OutOfTurn
        kept, counts, sums = [], [], []
        for rows, told in self._children(session, tree, message):
            summed, ciphertexts = tree.of(rows)
            order = tree.order[told[tree.order]]
            left = session.candidates.left_sums(histogram(session.table, summed))[order]
            wanted = order[(left > 0) & (left < len(summed))].tolist()
            sum_by_candidate = session.summing.left_sums(summed, ciphertexts, wanted)
            kept.append(pack(told[tree.order]))
            counts += left.tolist()
            sums += [sum_by_candidate[one] for one in wanted]
        key = session.summing.key
        packed = compressed(key, sums, session.begins.slot_bits, self.random_bytes)
        return says.Sums(b"".join(kept), tuple(counts), key.write_all(packed))

    def _children(self, session: _Session, tree: _Tree, message: says.SumsAsked) -> list[tuple[Rows, Mask]]:
        """Return for each pair of siblings the rows of the one to sum, and what is told of in both."""
        if not message.parents:
            if tree.nodes:
                raise OutOfTurn
            rows, all_told = np.arange(len(session.table)), np.ones(len(session.candidates.all), np.bool_)
            tree.nodes[ROOT] = _Node(rows, self._told(session, tree, (rows, rows[:0]), all_told))
            return [(rows, tree.nodes[ROOT].told)]
        if len(set(message.parents)) < len(message.parents) or not tree.nodes.keys() >= set(message.parents):
            raise OutOfTurn
        parents = [tree.nodes.pop(number) for number in message.parents]
        found = []
        for number, parent, left in zip(
            message.parents, parents, unpack_rows(message.lefts, [len(one.rows) for one in parents]), strict=True
        ):
            pair = (parent.rows[left], parent.rows[~left])
            told = self._told(session, tree, pair, parent.told)
            for child, rows in zip((2 * number, 2 * number + 1), pair, strict=True):
                tree.nodes[child] = _Node(rows, told)
            is_left_smaller = np.count_nonzero(tree.active[pair[0]]) <= np.count_nonzero(tree.active[pair[1]])
            found.append((pair[0] if is_left_smaller else pair[1], told))
        return found

    def _told(self, session: _Session, tree: _Tree, pair: tuple[Rows, Rows], before: Mask) -> Mask:
        active = [rows[tree.active[rows]] for rows in pair]
        counts = (histogram(session.table, active[0]), histogram(session.table, active[1]))
        return tellable(
            session.candidates,
            before,
            counts,
            (len(active[0]), len(active[1])),
            smallest=session.begins.smallest_bin,
            leaf=session.begins.leaf_rows_min,
        )

    def _split(self, message: says.SplitsChosen) -> says.SplitsMade:
        session, tree = self._in_tree(message.tree)
        if len(message.ties) != len(message.nodes) or sum(message.ties) != len(message.positions):
            raise BadMessage("ties and positions do not agree")
        positions, numbers, lefts, at = [], [], [], 0
        place_of = np.argsort(tree.order)
        for number, ties in zip(message.nodes, message.ties, strict=True):
            node, offered = tree.nodes.get(number), message.positions[at : at + ties]
            if node is None or any(one >= len(tree.order) or not node.told[tree.order[one]] for one in offered):
                raise OutOfTurn
            chosen = min(int(tree.order[one]) for one in offered)
            candidate = session.candidates.all[chosen]
            positions.append(int(place_of[chosen]))
            numbers.append(len(session.conditions))
            session.conditions.append(condition_of(session.candidates.cuts[candidate.feature], candidate))
            lefts.append(pack(session.summing.left_bins[chosen][session.table[node.rows, candidate.feature]]))
            at += ties
        return says.SplitsMade(tuple(positions), tuple(numbers), b"".join(lefts))

    def _end(self, message: says.TrainingEnds) -> says.PartKept:
        session = self._in_training()
        if message.splits > len(session.conditions):
            raise OutOfTurn
        part = HostPart(session.begins.model, tuple(session.conditions[: message.splits]))
        self.keep(part)
        self._session, self._is_over = None, True
        return says.PartKept(part.sha256)

    def _in_training(self) -> _Session:
        if self._session is None:
            raise OutOfTurn
        return self._session

    def _in_tree(self, number: int) -> tuple[_Session, _Tree]:
        session = self._in_training()
        if session.tree is None or session.tree.number != number:
            raise OutOfTurn
        return session, session.tree
