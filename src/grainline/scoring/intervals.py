"""How sure a count lets one be: closed forms, so that the same counts always give the same interval."""

from math import exp, log, sqrt
from statistics import NormalDist

Interval = tuple[float, float]
Z_95 = NormalDist().inv_cdf(0.975)


def z_of(confidence: float) -> float:
    """Return how many standard deviations a two-sided interval of a confidence, 0 … 1, reaches."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(hits: int, count: int, *, z: float = Z_95) -> Interval:
    """Return the interval of a share, 0 … 1 (Wilson 1927); of nobody it is all of it."""
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, z * z
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = z / (1 + square / count) * sqrt(share * (1 - share) / count + square / (4 * count * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def difference(hits: int, count: int, *, of: tuple[int, int], z: float = Z_95) -> Interval:
    """Return the interval of a share less another group's, -1 … 1 (Newcombe 1998, method 10); counts must not be 0."""
    share, other = hits / count, of[0] / of[1]
    (low, high), (other_low, other_high) = wilson(hits, count, z=z), wilson(*of, z=z)
    gap = share - other
    return (
        gap - sqrt((share - low) ** 2 + (other_high - other) ** 2),
        gap + sqrt((high - share) ** 2 + (other - other_low) ** 2),
    )


def ratio(hits: int, count: int, *, of: tuple[int, int], z: float = Z_95) -> Interval:
    """Return the interval of a share over another group's (Katz et al. 1978, on the logarithm).

    Half a person is added to every count where one of the hits is 0, so that there is a logarithm at all.
    """
    some = 0.5 if 0 in (hits, of[0]) else 0.0
    above, below = (hits + some) / (count + some), (of[0] + some) / (of[1] + some)
    spread = sqrt(max(0.0, 1 / (hits + some) - 1 / (count + some) + 1 / (of[0] + some) - 1 / (of[1] + some)))
    middle = log(above / below)
    return exp(middle - z * spread), exp(middle + z * spread)


def chi_square(probability: float, degrees: int) -> float:
    """Return the chi-square quantile by the cube of a normal one (Wilson and Hilferty 1931), good to a few per cent."""
    spread = 2 / (9 * degrees)
    return float(degrees * (1 - spread + NormalDist().inv_cdf(probability) * sqrt(spread)) ** 3)
