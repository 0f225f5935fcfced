"""A data party's side of fitting a scorecard: a state machine that is asked and answers.

It holds features and, of the guest's, only ciphertexts: of labels and gradients, which it adds up by bin, and of
weights of its bins, which it adds up by row. It learns how many rounds there were and which of its features are in the
scorecard, and nothing of labels, weights of evidence or points.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np
import polars as pl

from grainline.federated import scorecard_messages as says
from grainline.federated.bits import unpack
from grainline.federated.cells import Group, grouped, sums_by_bin
from grainline.federated.he import Ciphertext, PublicKey, RandomBytes
from grainline.federated.host import BinsTooSmall, OutOfTurn, RowsDiffer
from grainline.federated.host_sums import compressed
from grainline.federated.keys import read_public_key
from grainline.federated.messages import PartKept
from grainline.federated.scorecard_bins import Binned, Ints, binned, characteristics_of, shuffled
from grainline.federated.scorecard_model import ScorecardHostPart, read_characteristic
from grainline.federated.scorecard_sums import packed_scores, weights_by_bin
from grainline.federated.wire import BadMessage, Message, decode, encode

WEIGHINGS_MAX = 200  # in each, a guest could ask of some of its own choice who is in which bin
TABLE_BINS = 256


@dataclass
class _Session:
    begins: says.ScorecardBegins
    key: PublicKey
    data: Binned
    groups: list[Group]
    weighings: int = 0
    round: int = -1
    values: list[Ciphertext] = field(default_factory=list)
    weights: list[list[list[Ciphertext]]] = field(default_factory=list)  # by slot, feature, bin
    features: tuple[int, ...] = ()
    scored: int = 0


@dataclass
class ScorecardHost:
    """One fit with a guest.

    `aligned` gives the host's features of the rows that were agreed on in a session, in their order, as of a moment (0
    where there is none); `keep` puts the host's part away before the last answer. A host that is made of a `checkpoint`
    goes on from there.
    """

    aligned: Callable[[bytes, int], pl.DataFrame]
    keep: Callable[[ScorecardHostPart], None]
    random_bytes: RandomBytes
    checkpoint_before: bytes | None = None
    smallest_bin_min: int = 1  # of the host's own choice: no guest may ask for more detail
    _session: _Session | None = None
    _is_over: bool = False

    def __post_init__(self) -> None:
        if self.checkpoint_before is not None:
            kept = json.loads(self.checkpoint_before)
            begins = decode(bytes.fromhex(kept["begins"]))
            if not isinstance(begins, says.ScorecardBegins):
                raise BadMessage("no checkpoint")
            made = [read_characteristic(one) for one in kept["characteristics"]]
            self._session = self._of(begins, binned(self._rows(begins), made))
            self._session.round, self._session.weighings = kept["round"], kept["weighings"]

    def checkpoint(self) -> bytes | None:
        """Return what is needed to go on from here, where nothing encrypted is held; else None."""
        session = self._session
        if session is None or session.values or session.weights:
            return None
        kept = {
            "begins": encode(session.begins).hex(),
            "characteristics": [asdict(one) for one in session.data.characteristics],
            "round": session.round,
            "weighings": session.weighings,
        }
        return json.dumps(kept, ensure_ascii=False).encode()

    def answer(self, message: Message) -> Message:
        """Answer a message; raise a Refusal, or BadMessage for what does not fit."""
        match message:
            case says.ScorecardBegins():
                return self._begin(message)
            case says.ScorecardValues():
                return self._take(message)
            case says.ScorecardSumsAsked():
                return self._sum(message)
            case says.ScorecardWeights():
                return self._weigh(message)
            case says.ScorecardScoresAsked():
                return self._score(message)
            case says.ScorecardEnds():
                return self._end(message)
        raise BadMessage("nothing a host is asked")

    def _begin(self, message: says.ScorecardBegins) -> says.ScorecardBinned:
        if self._session is not None or self._is_over:
            raise OutOfTurn
        if message.smallest_bin < self.smallest_bin_min:
            raise BinsTooSmall(smallest=message.smallest_bin, least=self.smallest_bin_min)
        frame = self._rows(message)
        made = characteristics_of(frame, bins=message.bins, smallest=message.smallest_bin)
        self._session = self._of(message, binned(frame, shuffled(made, self.random_bytes)))
        data = self._session.data
        bins = tuple(one.bins for one in data.characteristics)
        return says.ScorecardBinned(bins, tuple(int(one) for counts in data.counts for one in counts))

    def _rows(self, message: says.ScorecardBegins) -> pl.DataFrame:
        frame = self.aligned(message.alignment, message.as_of)
        if message.aligned != frame.height:
            raise RowsDiffer
        rows = unpack(message.rows, message.aligned)
        if not rows.any():
            raise RowsDiffer
        return frame.filter(pl.Series(rows))

    def _of(self, message: says.ScorecardBegins, data: Binned) -> _Session:
        key = read_public_key(message.key)
        if key.plaintext_bits < message.slot_bits:
            raise BadMessage("a slot is longer than a plaintext")
        return _Session(message, key, data, grouped(data.table))

    def _take(self, message: says.ScorecardValues) -> says.ScorecardTaken:
        session = self._in_session()
        if message.first == 0:
            if message.round <= session.round:
                raise OutOfTurn
            session.round, session.values, session.weights = message.round, [], []
        if message.round != session.round or message.first != len(session.values):
            raise OutOfTurn
        session.values += session.key.read_all(message.ciphertexts)
        if len(session.values) > len(session.data.table):
            raise BadMessage("more values than rows")
        return says.ScorecardTaken(message.round)

    def _sum(self, message: says.ScorecardSumsAsked) -> says.ScorecardSums:
        session = self._in_session()
        rows = np.arange(len(session.data.table))
        if message.round != session.round or len(session.values) != len(rows):
            raise OutOfTurn
        features = self._features(session, message.features)
        counts = session.data.counts
        needed = [np.zeros(TABLE_BINS, np.bool_) for _ in counts]
        for one in features:
            needed[one][told_of(counts[one])] = True
        sums = sums_by_bin(session.key, session.groups, rows, session.values, needed) if features else {}
        told = [sums[one][place] for one in features for place in told_of(counts[one]).tolist()]
        packed = compressed(session.key, told, session.begins.slot_bits, self.random_bytes)
        session.values = []
        return says.ScorecardSums(message.round, session.key.write_all(packed))

    def _weigh(self, message: says.ScorecardWeights) -> says.ScorecardTaken:
        session = self._in_session()
        if message.round <= session.round or session.weighings >= WEIGHINGS_MAX:
            raise OutOfTurn
        features = self._features(session, message.features)
        bins = [session.data.characteristics[one].bins for one in features]
        session.weights = weights_by_bin(session.key, message.ciphertexts, message.slots, bins)
        session.round, session.features, session.scored, session.values = message.round, features, 0, []
        session.weighings += 1
        return says.ScorecardTaken(message.round)

    def _score(self, message: says.ScorecardScoresAsked) -> says.ScorecardScores:
        session = self._in_session()
        rows, last = len(session.data.table), message.first + message.rows
        if message.round != session.round or not session.weights or message.first != session.scored or last > rows:
            raise OutOfTurn
        codes = session.data.table[message.first : last][:, list(session.features)]
        packed = packed_scores(session.key, session.weights, codes.astype(np.int64), self.random_bytes)
        session.scored = last
        if last == rows:
            session.weights = []
        return says.ScorecardScores(message.round, session.key.write_all(packed))

    def _end(self, message: says.ScorecardEnds) -> PartKept:
        session = self._in_session()
        kept = [session.data.characteristics[one] for one in self._features(session, message.features)]
        part = ScorecardHostPart(session.begins.model, kept)
        self.keep(part)
        self._session, self._is_over = None, True
        return PartKept(part.sha256)

    def _in_session(self) -> _Session:
        if self._session is None:
            raise OutOfTurn
        return self._session

    def _features(self, session: _Session, asked: tuple[int, ...]) -> tuple[int, ...]:
        """Return what is asked for, if it is some of the features, each once."""
        if len(set(asked)) != len(asked) or max(asked, default=0) >= max(1, len(session.data.characteristics)):
            raise BadMessage("other features")
        return asked


def told_of(counts: Ints) -> Ints:
    """Return all bins of a feature but the largest, which nobody needs to add up: it is the rest."""
    return np.delete(np.arange(len(counts)), int(np.argmax(counts)))
