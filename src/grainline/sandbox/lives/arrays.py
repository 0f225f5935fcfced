"""What the arrays of a block are called: one entry a resident, a resident and month, or an event."""

import zlib

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NONE = int(np.iinfo(np.int64).min)  # stands for null until a frame is made


def dice(seed: int, block: int, subject: str) -> np.random.Generator:
    """Return the generator of one block and subject: what one subject draws moves no other."""
    return np.random.default_rng([seed, block, zlib.crc32(subject.encode())])


def logistic(log_odds: Floats) -> Floats:
    """Return the probability of these log-odds."""
    return 1.0 / (1.0 + np.exp(-log_odds))


def fen(yuan: Floats) -> Ints:
    """Return yuan as whole fen, at least one, halves to even."""
    return np.maximum(np.rint(yuan * 100), 1).astype(np.int64)


def opaque(*parts: Ints | Bools | int) -> Ints:
    """Mix whole numbers into one that tells nothing of them: the same each time, positive, 62 bits."""
    mixed = np.array([0x243F6A8885A308D3], dtype=np.uint64)
    for part in parts:
        mixed = _scramble(mixed ^ np.asarray(part, dtype=np.int64).astype(np.uint64))
    hidden: Ints = (mixed >> np.uint64(2)).astype(np.int64)
    return hidden


def _scramble(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix the bits as splitmix64 does (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = value + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return mixed ^ (mixed >> np.uint64(31))
