"""What guest and hosts say to each other of a scorecard; each question has one kind of answer.

    question (guest)       answer (host)      when
    ScorecardBegins        ScorecardBinned    once
    ScorecardValues        ScorecardTaken     labels, then gradients of every iteration, in parts
    ScorecardSumsAsked     ScorecardSums      after the last part
    ScorecardWeights       ScorecardTaken     every iteration
    ScorecardScoresAsked   ScorecardScores    every iteration, in parts where there are many rows
    ScorecardEnds          PartKept           once
    PointsAsked            Points             inference

Features and bins are named by numbers that the host draws by lot.
"""

from typing import Annotated, TypeAlias

from grainline.federated.messages import (
    APPLICANTS_MAX,
    CONSENT_BYTES_MAX,
    GRADIENT_BYTES_MAX,
    ROWS_MAX,
    SUM_BYTES_MAX,
    ModelId,
    RowBits,
)
from grainline.federated.wire import Octets, Row, Whole, exactly, message

FEATURES_MAX = 2**12
BINS_MAX = 2**16  # of all features
WEIGHT_BYTES_MAX = 40 * 2**20

Round: TypeAlias = Annotated[int, Whole(0, 2**16 - 1)]
Features: TypeAlias = Annotated[tuple[int, ...], Row(Whole(0, FEATURES_MAX - 1), FEATURES_MAX)]


@message("scorecard-begins")
class ScorecardBegins:
    """Which of the aligned rows are fitted on, how to cut them, and under which key sums are made.

    `as_of` is as in `training-begins`.
    """

    model: ModelId
    alignment: Annotated[bytes, exactly(16)]
    key: Annotated[bytes, Octets(2**16)]
    aligned: Annotated[int, Whole(1, ROWS_MAX)]
    rows: RowBits
    bins: Annotated[int, Whole(2, 255)]
    smallest_bin: Annotated[int, Whole(1, ROWS_MAX)]
    slot_bits: Annotated[int, Whole(8, 2**10)]
    as_of: Annotated[int, Whole(0, 2**33)]


@message("scorecard-binned")
class ScorecardBinned:
    """How many bins each feature has, and how many rows each bin."""

    bins: Annotated[tuple[int, ...], Row(Whole(2, 256), FEATURES_MAX)]
    rows: Annotated[tuple[int, ...], Row(Whole(1, ROWS_MAX), BINS_MAX)]


@message("scorecard-values")
class ScorecardValues:
    """Encrypted labels (round 0) or gradients of the next rows, each of as many bytes as a ciphertext has."""

    round: Round
    first: Annotated[int, Whole(0, ROWS_MAX)]
    ciphertexts: Annotated[bytes, Octets(GRADIENT_BYTES_MAX)]


@message("scorecard-taken")
class ScorecardTaken:
    """The host has it."""

    round: Round


@message("scorecard-sums-asked")
class ScorecardSumsAsked:
    """Of which features the sums by bin are wanted."""

    round: Round
    features: Features


@message("scorecard-sums")
class ScorecardSums:
    """Encrypted sums of all bins but the largest of each feature, as many to a ciphertext as fit."""

    round: Round
    ciphertexts: Annotated[bytes, Octets(SUM_BYTES_MAX)]


@message("scorecard-weights")
class ScorecardWeights:
    """Encrypted weights of every bin of some features: all bins for the first row of a ciphertext, then for the next.

    There are `slots` rows to a ciphertext; the weights for each come moved to its place.
    """

    round: Round
    features: Features
    slots: Annotated[int, Whole(1, 2**12)]
    ciphertexts: Annotated[bytes, Octets(WEIGHT_BYTES_MAX)]


@message("scorecard-scores-asked")
class ScorecardScoresAsked:
    """Of which rows the sum of weights is wanted."""

    round: Round
    first: Annotated[int, Whole(0, ROWS_MAX)]
    rows: Annotated[int, Whole(1, ROWS_MAX)]


@message("scorecard-scores")
class ScorecardScores:
    """Encrypted sums of weights, `slots` rows to a ciphertext."""

    round: Round
    ciphertexts: Annotated[bytes, Octets(SUM_BYTES_MAX)]


@message("scorecard-ends")
class ScorecardEnds:
    """Which features the scorecard has."""

    features: Features


@message("points-asked")
class PointsAsked:
    """For whom the host is to add up encrypted points of its part with this SHA-256.

    `ciphertexts` are as in `scorecard-weights`, with one more for each feature: for a value that has no bin. `consents`
    has each applicant's signed consent, or nothing where the host asks for none.
    """

    part: Annotated[bytes, exactly(32)]
    key: Annotated[bytes, Octets(2**16)]
    slots: Annotated[int, Whole(1, 2**12)]
    ciphertexts: Annotated[bytes, Octets(WEIGHT_BYTES_MAX)]
    ids: Annotated[tuple[bytes, ...], Row(Octets(64), APPLICANTS_MAX)]
    consents: Annotated[tuple[bytes, ...], Row(Octets(CONSENT_BYTES_MAX), APPLICANTS_MAX)]


@message("points")
class Points:
    """Encrypted points of the applicants, `slots` to a ciphertext."""

    ciphertexts: Annotated[bytes, Octets(SUM_BYTES_MAX)]
