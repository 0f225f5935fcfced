"""What the homomorphic schemes cost: microseconds of one processor, the least of some rounds, tables made beforehand.

    python benchmarks/_he.py [--rounds 5] [--rows 8192]

`mulmod` is one multiplication and reduction modulo n in a bare loop over numbers that were never ciphertexts: what
adding cannot do better than with the same library, and how fast the machine is in this minute.
"""

import argparse
import os
import time
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
from gmpy2 import mpz
from rich.console import Console
from rich.table import Table

from grainline.federated import kernel
from grainline.federated.keys import make_keys

CASES = (("okamoto-uchiyama", 2048), ("okamoto-uchiyama", 3072), ("paillier", 2048), ("paillier", 3072))
PLAINTEXT_BITS = 80  # of a row's gradient and hessian
BINS = 32


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the least counts (%(default)s)")
    parser.add_argument("--rows", type=int, default=8192, help="ciphertexts of Okamoto-Uchiyama (%(default)s)")
    parser.add_argument("--backend", choices=("portable", "native"), help="arithmetic; left out: the fastest there is")
    given = parser.parse_args()
    kernel.use(given.backend)
    columns = [figures(scheme, bits, given.rows, given.rounds) for scheme, bits in CASES]
    table = Table(f"µs each, {kernel.in_use()}", *(f"{scheme} {bits}" for scheme, bits in CASES))
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:,.2f}" for column in columns))
    Console().print(table)
    return 0


def figures(scheme: str, bits: int, rows: int, rounds: int) -> dict[str, float]:
    """Return what each operation of a new key costs."""
    key = make_keys(scheme, bits, os.urandom)
    public: Any = key.public
    rows = rows if scheme == "okamoto-uchiyama" else max(rows // 16, 64)
    few = max(rows // 16, 16)
    chance = Random(1)
    plaintexts = [chance.getrandbits(PLAINTEXT_BITS) for _ in range(rows)]
    ciphertexts = key.encrypt(plaintexts, os.urandom)
    groups = np.random.default_rng(1).integers(0, BINS, rows)
    numbers = [mpz(chance.getrandbits(public.bits)) for _ in range(rows)]
    written = public.write_all(ciphertexts)
    held = public.read_held(written)
    pairs = list(zip(ciphertexts, reversed(ciphertexts), strict=True))
    work: dict[str, tuple[Callable[[], object], int]] = {
        "mulmod": (lambda: bare(numbers, public.n), rows),
        "encrypt (guest, by the factors)": (lambda: key.encrypt(plaintexts, os.urandom), rows),
        "add": (lambda: [public.add(one, other) for one, other in pairs], rows),
        "total": (lambda: public.total(ciphertexts), rows),
        f"totals of {BINS} bins": (lambda: public.totals(held, groups, BINS), rows),
        "rerandomise (host)": (lambda: public.rerandomised(ciphertexts[:few], os.urandom), few),
        f"shift by {PLAINTEXT_BITS} and add": (
            lambda: [public.add(public.shift(one, PLAINTEXT_BITS), other) for one, other in pairs[:few]],
            few,
        ),
        "decrypt": (lambda: key.decrypt(ciphertexts[:few]), few),
        "write": (lambda: public.write_all(ciphertexts), rows),
        "read and check": (lambda: public.read_held(written), rows),
    }
    measured = {"make a key, ms": least(lambda: make_keys(scheme, bits, os.urandom), 1, rounds) / 1000}
    return measured | {name: least(call, count, rounds) for name, (call, count) in work.items()}


def bare(numbers: list[mpz], modulus: mpz) -> mpz:
    """Multiply one after the other."""
    product = mpz(1)
    for number in numbers:
        product = product * number % modulus
    return product


def least(call: Callable[[], object], count: int, rounds: int) -> float:
    """Return the least CPU time of a call, in microseconds for each of so many; the first call is not counted."""
    call()
    found = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found) / count * 1e6


if __name__ == "__main__":
    raise SystemExit(main())
