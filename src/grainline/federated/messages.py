"""What guest and hosts say to each other in training and inference; each question has one kind of answer.

    question (guest)     answer (host)        when
    TrainingBegins       CandidatesCounted    once
    TreeBegins           Taken                every tree
    Gradients            Taken                every tree, in parts
    SumsAsked            Sums                 every level, in parts where it is large
    SplitsChosen         SplitsMade           every level in which the host's candidates won
    TrainingEnds         PartKept             once
    DirectionsAsked      Directions           inference

Sets of rows are packed bits, first row in the highest bit of the first byte, of a session's rows in their order or of a
node's rows in that order.
"""

from typing import Annotated, TypeAlias

from grainline.federated.wire import Octets, Row, Whole, exactly, message

ROWS_MAX = 2**24
CANDIDATES_MAX = 2**20
SPLITS_MAX = 2**20
GRADIENT_BYTES_MAX = 8 * 2**20
SUM_BYTES_MAX = 40 * 2**20
NODES_MAX = 2**10
APPLICANTS_MAX = 2**12
CONSENT_BYTES_MAX = 2**10

Tree: TypeAlias = Annotated[int, Whole(0, 2**16 - 1)]
Nodes: TypeAlias = Annotated[tuple[int, ...], Row(Whole(1, 2**16 - 1), NODES_MAX)]
ModelId: TypeAlias = Annotated[bytes, exactly(16)]
RowBits: TypeAlias = Annotated[bytes, Octets(ROWS_MAX // 8)]
SplitNumbers: TypeAlias = Annotated[tuple[int, ...], Row(Whole(0, SPLITS_MAX - 1), NODES_MAX)]


@message("training-begins")
class TrainingBegins:
    """Which of the aligned rows are trained on, how to cut them, and under which key sums are made.

    `alignment` is the session in which the parties agreed on their rows. `as_of` is the moment as of which a host makes
    its features that has its own events, in whole seconds since 1970 UTC; 0 where it has a table that is ready.
    """

    model: ModelId
    alignment: Annotated[bytes, exactly(16)]
    key: Annotated[bytes, Octets(2**16)]
    aligned: Annotated[int, Whole(1, ROWS_MAX)]
    rows: RowBits
    bins: Annotated[int, Whole(2, 255)]
    leaf_rows_min: Annotated[int, Whole(1, ROWS_MAX)]
    smallest_bin: Annotated[int, Whole(1, ROWS_MAX)]
    slot_bits: Annotated[int, Whole(8, 2**10)]
    as_of: Annotated[int, Whole(0, 2**33)]


@message("candidates-counted")
class CandidatesCounted:
    """How many splits the host can offer."""

    candidates: Annotated[int, Whole(0, CANDIDATES_MAX)]


@message("tree-begins")
class TreeBegins:
    """Which of the session's rows have a gradient in this tree."""

    tree: Tree
    active: RowBits


@message("gradients")
class Gradients:
    """Encrypted gradients of the next active rows, each of as many bytes as a ciphertext has."""

    tree: Tree
    first: Annotated[int, Whole(0, ROWS_MAX)]
    ciphertexts: Annotated[bytes, Octets(GRADIENT_BYTES_MAX)]


@message("taken")
class Taken:
    """The host has it."""

    tree: Tree


@message("sums-asked")
class SumsAsked:
    """Which rows of each parent go left; none for the root. Nodes are numbered from 1, children are 2n and 2n + 1."""

    tree: Tree
    parents: Nodes
    lefts: RowBits


@message("sums")
class Sums:
    """Of the smaller child of each parent, or of the root: what is told of, with row counts and encrypted sums.

    `kept` has one bit for each parent and candidate, the candidates in an order drawn for the tree, each parent's bits
    filled up to a byte; `counts` has the rows on the left of each kept one. Encrypted are the sums of those with rows
    on both sides, as many to a ciphertext as fit.
    """

    kept: Annotated[bytes, Octets(2 * 2**20)]
    counts: Annotated[tuple[int, ...], Row(Whole(0, ROWS_MAX), CANDIDATES_MAX)]
    ciphertexts: Annotated[bytes, Octets(SUM_BYTES_MAX)]


@message("splits-chosen")
class SplitsChosen:
    """For each node the candidates of equal, largest gain; the host takes its first of them."""

    tree: Tree
    nodes: Nodes
    ties: Annotated[tuple[int, ...], Row(Whole(1, CANDIDATES_MAX), NODES_MAX)]
    positions: Annotated[tuple[int, ...], Row(Whole(0, CANDIDATES_MAX - 1), CANDIDATES_MAX)]


@message("splits-made")
class SplitsMade:
    """Which candidate was taken for each node, under which number the host keeps it, and which rows go left."""

    positions: Annotated[tuple[int, ...], Row(Whole(0, CANDIDATES_MAX - 1), NODES_MAX)]
    numbers: SplitNumbers
    lefts: RowBits


@message("training-ends")
class TrainingEnds:
    """How many of its splits the host is to keep: what later trees added is dropped when training stopped early."""

    splits: Annotated[int, Whole(0, SPLITS_MAX)]


@message("part-kept")
class PartKept:
    """The SHA-256 of the host's part of the model."""

    sha256: Annotated[bytes, exactly(32)]


@message("directions-asked")
class DirectionsAsked:
    """For whom the host is to say where all splits lead of its part with this SHA-256.

    `consents` has each applicant's signed consent, or nothing where the host asks for none: of the rows that it agreed
    to train on.
    """

    part: Annotated[bytes, exactly(32)]
    ids: Annotated[tuple[bytes, ...], Row(Octets(64), APPLICANTS_MAX)]
    consents: Annotated[tuple[bytes, ...], Row(Octets(CONSENT_BYTES_MAX), APPLICANTS_MAX)]


@message("directions")
class Directions:
    """One bit for each id and split of the host, 1 for left, each id's bits filled up to a byte."""

    lefts: Annotated[bytes, Octets(60 * 2**20)]
