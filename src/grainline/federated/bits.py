"""Sets of rows as packed bits, the first row in the highest bit of the first byte."""

import numpy as np
import numpy.typing as npt

from grainline.federated.wire import BadMessage

Mask = npt.NDArray[np.bool_]


def pack(mask: Mask) -> bytes:
    """Return the bits of a mask, filled up to a byte with nought."""
    return np.packbits(mask).tobytes()


def unpack(data: bytes, count: int) -> Mask:
    """Return the mask of so many bits; raise BadMessage for bytes that are not exactly that."""
    if len(data) != -(-count // 8):
        raise BadMessage(f"{len(data)} bytes are not {count} bits")
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    if bits[count:].any():
        raise BadMessage("bits beyond the last")
    return bits[:count].astype(np.bool_)


def unpack_rows(data: bytes, counts: list[int]) -> list[Mask]:
    """Return one mask after the other, each of which was packed by itself; raise BadMessage."""
    found, at = [], 0
    for count in counts:
        size = -(-count // 8)
        found.append(unpack(data[at : at + size], count))
        at += size
    if at != len(data):
        raise BadMessage(f"{len(data) - at} bytes too many")
    return found
