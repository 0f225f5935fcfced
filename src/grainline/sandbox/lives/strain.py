"""What goes wrong in a life, month by month, and whether it ends in default.

Months run from 12 before the first told to 12 after the last; `Course` keeps the told ones apart.
"""

from dataclasses import dataclass

import numpy as np

from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Floats, Ints, dice, logistic
from grainline.sandbox.lives.calendar_days import Span
from grainline.sandbox.lives.people import People

NEVER = -(1 << 40)  # a day that never comes
DAYS_A_MONTH = 30.4375


@dataclass(frozen=True)
class Course:
    """How the lives of a block go. Arrays over residents and told months, unless said otherwise."""

    strain: Floats  # over told months and the horizon's
    showing: Floats  # strain as far as it shows, at most 1
    income_yuan: Floats
    insolvent: Bools
    shock_day: dict[str, Ints]  # day on which each first struck, or NEVER
    onset_day: Ints  # who ceases to pay, and when; or NEVER
    default_day: Ints  # 90 days later, if not beyond the horizon; or NEVER


def course_of(seed: int, block: int, people: People, span: Span) -> Course:
    """Draw the course of a block's lives."""
    rng = dice(seed, block, "strain")
    n, width = len(people), p.WARM_UP_MONTHS + span.months + p.HORIZON_MONTHS
    log_odds = _wave(rng, n, width) + p.STRAIN_BASE
    log_odds += (p.STRAIN_PRUDENCE * people.prudence + p.STRAIN_INCOME * people.income_z)[:, None]
    jobless = np.zeros((n, width), dtype=bool)
    shock_day: dict[str, Ints] = {}
    for name, shock in p.SHOCKS.items():
        struck, plateau = _strike(rng, people, shock, width)
        if name == "job_loss":
            struck = np.where(people.student | people.has("pension"), width, struck)
        since = np.arange(width)[None, :] - struck[:, None]
        fade = np.exp(-np.maximum(since - plateau[:, None], 0.0) / shock.fade_months)
        severity = shock.weight * rng.lognormal(0.0, p.SHOCK_SEVERITY_SIGMA, n)
        log_odds += np.where(since >= 0, severity[:, None] * fade, 0.0)
        if name == "job_loss":
            jobless = (since >= 0) & (since < plateau[:, None])
        shock_day[name] = _day_in(rng, np.where(struck < width, struck, -1), span)
    strain = logistic(log_odds)
    onset_day = _onsets(rng, people, strain, span)
    told = slice(p.WARM_UP_MONTHS, p.WARM_UP_MONTHS + span.months)
    return Course(
        strain=strain[:, p.WARM_UP_MONTHS :],
        showing=np.minimum(strain[:, told] * people.shows[:, None], 1.0),
        income_yuan=people.income_yuan[:, None] * np.where(jobless[:, told], p.JOB_LOSS_INCOME, 1.0),
        insolvent=_insolvent(onset_day, span),
        shock_day=shock_day,
        onset_day=onset_day,
        default_day=_defaults(onset_day, span),
    )


def _wave(rng: np.random.Generator, n: int, width: int) -> Floats:
    """Draw an autoregressive wave of each resident: x(t) = ρ x(t − 1) + √(1 − ρ²) σ ε."""
    noise = p.STRAIN_WAVE_SIGMA * rng.standard_normal((n, width))
    wave = np.empty((n, width))
    wave[:, 0] = noise[:, 0]
    for month in range(1, width):
        fresh = np.sqrt(1 - p.STRAIN_WAVE_RHO**2) * noise[:, month]
        wave[:, month] = p.STRAIN_WAVE_RHO * wave[:, month - 1] + fresh
    return wave


def _strike(rng: np.random.Generator, people: People, shock: p.Shock, width: int) -> tuple[Ints, Floats]:
    """Return in which month a shock strikes first (`width` for never) and how many months it lasts in full."""
    rate = shock.rate * np.exp(shock.prudence * people.prudence)
    struck = np.floor(rng.exponential(1.0, len(people)) / rate)
    plateau = 1.0 + rng.exponential(shock.plateau_months - 1.0, len(people))
    return np.minimum(struck, width).astype(np.int64), plateau


def _onsets(rng: np.random.Generator, people: People, strain: Floats, span: Span) -> Ints:
    """Return the day on which each ceases to pay, by a hazard in each month; NEVER for most."""
    frailty = p.ONSET_FRAILTY_SIGMA * rng.standard_normal(len(people))
    fixed = frailty + p.ONSET_PRUDENCE * people.prudence + p.ONSET_INCOME * people.income_z
    hazard = p.ONSET_BASE * np.exp(p.ONSET_STRAIN * strain + fixed[:, None])
    month_start = (np.arange(strain.shape[1]) - p.WARM_UP_MONTHS) * DAYS_A_MONTH
    settled_in = month_start[None, :] >= people.joined_day[:, None] + DAYS_A_MONTH
    hazard = np.where(people.fraud[:, None], np.where(settled_in, p.ONSET_FRAUD, 0.0), hazard)
    hazard[:, : p.WARM_UP_MONTHS - 3] = 0.0  # who had defaulted before the first day would not be asked about
    ceased = rng.random(strain.shape) < 1.0 - np.exp(-hazard)
    return _day_in(rng, np.where(ceased.any(axis=1), ceased.argmax(axis=1), -1), span)


def _day_in(rng: np.random.Generator, month: Ints, span: Span) -> Ints:
    """Return a day in months counted from the warm-up's first; NEVER for a negative month."""
    months = np.arange(-p.WARM_UP_MONTHS, span.months + p.HORIZON_MONTHS + 1)
    firsts = np.array([(_first_of(span, int(index)) - np.datetime64(span.first)).astype(int) for index in months])
    length = np.diff(firsts)
    day = firsts[month] + (rng.random(len(month)) * length[np.minimum(month, len(length) - 1)]).astype(np.int64)
    return np.where(month < 0, NEVER, day)


def _first_of(span: Span, month: int) -> np.datetime64:
    first: np.datetime64 = (np.datetime64(span.first, "M") + month).astype("datetime64[D]")
    return first


def _insolvent(onset_day: Ints, span: Span) -> Bools:
    since = span.starts[None, :-1] - onset_day[:, None]
    return (since >= 0) & (since < p.INSOLVENT_DAYS)


def _defaults(onset_day: Ints, span: Span) -> Ints:
    last = (_first_of(span, span.months + p.HORIZON_MONTHS) - np.datetime64(span.first)).astype(int) - 1
    day = onset_day + p.DAYS_TO_DEFAULT
    return np.where((day >= 0) & (day <= last), day, NEVER)
