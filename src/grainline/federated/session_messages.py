"""What a party and the lender say to each other around every other message, and to compare their sets."""

from typing import Annotated

from grainline.federated.wire import MAX_MESSAGE_BYTES, Octets, Row, Text, Whole, exactly, message

SESSION_BYTES = 16
ROUNDS_MAX = 2**31 - 1
BATCH = 8192  # points, tags or rows in a message
SET_MAX = 20_000_000  # ids
POINT_BYTES = 32
TAG_BYTES = 16

Session = Annotated[bytes, exactly(SESSION_BYTES)]
Round = Annotated[int, Whole(1, ROUNDS_MAX)]
Body = Annotated[bytes, Octets(MAX_MESSAGE_BYTES, least=1)]
Count = Annotated[int, Whole(0, SET_MAX)]
Digest = Annotated[bytes, exactly(32)]
Points = Annotated[bytes, Octets(BATCH * POINT_BYTES)]


@message("session-ask")
class Ask:
    """Lender to party: the message of this round; the first opens the session."""

    session: Session
    round: Round
    body: Body


@message("session-answer")
class Answer:
    """Party to lender: the one answer to the message of this round."""

    session: Session
    round: Round
    body: Body


@message("session-working")
class Working:
    """Party to lender: the answer is being worked out. A sign of life, and nothing else."""

    session: Session
    round: Round


@message("session-declined")
class Declined:
    """Party to lender: why there is no answer: a code, and the numbers that go with it."""

    session: Session
    round: Round
    code: Annotated[str, Text(64)]
    numbers: Annotated[str, Text(200)]


@message("session-close")
class Close:
    """Lender to party: forget what you keep of this session; its id is spent."""

    session: Session


@message("session-closed")
class Closed:
    """Party to lender: it is forgotten."""

    session: Session


@message("psi-offer")
class PsiOffer:
    """Either way: how many ids one has, and the SHA-256 of one's blinded points in the order they will be sent."""

    count: Count
    commitment: Digest


@message("psi-points")
class PsiPoints:
    """Either way: the next of one's blinded points; empty when there are no more."""

    batch: Annotated[int, Whole(0, SET_MAX // BATCH)]
    points: Points


@message("psi-fetch")
class PsiFetch:
    """Lender to party: raise this batch of my points to your secret."""

    batch: Annotated[int, Whole(0, SET_MAX // BATCH)]


@message("psi-tags")
class PsiTags:
    """Party to lender: 16 bytes of the hash of each doubly blinded point of the batch, in its order."""

    batch: Annotated[int, Whole(0, SET_MAX // BATCH)]
    tags: Annotated[bytes, Octets(BATCH * TAG_BYTES)]


@message("psi-rows")
class PsiRows:
    """Lender to party: the next rows of the common table, each by its place among the points the party sent."""

    places: Annotated[tuple[int, ...], Row(Whole(0, SET_MAX), BATCH)]
    last: Annotated[int, Whole(0, 1)]


@message("psi-aligned")
class PsiAligned:
    """Party to lender: so many rows are taken down."""

    rows: Count
