"""Who lives in a block: what can be known of them, and the traits that nobody sees."""

from dataclasses import dataclass

import numpy as np

from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Floats, Ints, dice, logistic
from grainline.sandbox.lives.calendar_days import Span

RHYTHM = {name: code for code, name in enumerate(p.RHYTHMS)}


@dataclass(frozen=True)
class People:
    """The residents of one block, one entry each. Days are indexes of the span; negative lie before it."""

    number: Ints
    born_day: Ints
    female: Bools
    student: Bools
    rhythm: Ints
    income_yuan: Floats  # a month's, while nothing has gone wrong
    income_z: Floats
    payday: Ints  # day of the month
    prudence: Floats
    sociability: Floats
    digital: Floats  # multiplies how often anything happens in the app
    owl: Floats
    shows: Floats  # multiplies the strain that shows
    fraud: Bools
    joined_day: Ints
    city: Ints
    home: Ints
    work: Ints

    def __len__(self) -> int:
        return len(self.number)

    def has(self, rhythm: str) -> Bools:
        """Return whose income has this rhythm."""
        theirs: Bools = self.rhythm == RHYTHM[rhythm]
        return theirs


def people_of(seed: int, block: int, span: Span) -> People:
    """Draw the residents of a block: numbers block × 1,000 + 1 and on."""
    rng = dice(seed, block, "people")
    n = p.BLOCK
    age = np.clip(15 + rng.gamma(2.7, 9.0, n), 16, 85)
    student = (age < p.STUDENT_UNTIL_AGE) & (rng.random(n) < p.STUDENT_SHARE)
    rhythm = rng.choice(3, size=n, p=p.WORKING_RHYTHM_SHARES).astype(np.int64)
    rhythm = np.where(student, RHYTHM["allowance"], np.where(age >= p.PENSION_FROM_AGE, RHYTHM["pension"], rhythm))
    income_z, prudence = rng.standard_normal(n), rng.standard_normal(n)
    fraud = (rng.random(n) < p.FRAUD_SHARE) & ~student
    joins = rng.random(n) < np.where(fraud, p.FRAUD_NEWCOMER_SHARE, p.NEWCOMER_SHARE)
    city = (p.CITIES * rng.random(n) ** 2.5).astype(np.int64)
    home, work = city * 100 + rng.integers(p.DISTRICTS, size=n), city * 100 + rng.integers(p.DISTRICTS, size=n)
    level = np.exp(p.INCOME_SIGMA * income_z) * np.array(p.RHYTHM_INCOME)[rhythm]
    return People(
        number=block * p.BLOCK + 1 + np.arange(n, dtype=np.int64),
        born_day=span.days - (age * 365.25).astype(np.int64) - rng.integers(365, size=n),
        female=rng.random(n) < 0.5,
        student=student,
        rhythm=rhythm,
        income_yuan=p.INCOME_MEDIAN_YUAN * level,
        income_z=income_z,
        payday=rng.choice(p.PAYDAYS, size=n).astype(np.int64),
        prudence=prudence,
        sociability=rng.standard_normal(n),
        digital=rng.lognormal(-(p.DIGITAL_SIGMA**2) / 2, p.DIGITAL_SIGMA, n),
        owl=p.OWL_SIGMA * rng.standard_normal(n),
        shows=rng.lognormal(-(p.SHOWS_SIGMA**2) / 2, p.SHOWS_SIGMA, n).clip(0.0, 2.5),
        fraud=fraud,
        joined_day=np.where(joins, rng.integers(span.days, size=n), -1),
        city=city,
        home=home,
        work=work,
    )


@dataclass(frozen=True)
class Known:
    """What the lender may know of each resident without any party's records."""

    real_name: Bools
    card_bound: Bools
    willingness: Bools
    consent_social: Bools
    supplements: dict[str, Bools]  # requirement A4: which proofs were handed in


def known_of(seed: int, block: int, people: People) -> Known:
    """Draw what the lender may know; it follows from traits only loosely."""
    rng = dice(seed, block, "known")
    n = len(people)
    real_name = rng.random(n) < np.where(people.fraud, 0.97, 0.93)
    works = ~(people.student | people.has("pension"))
    shares = {
        "occupation": np.where(works, 0.30, 0.05),
        "education": np.where(people.income_z > 0, 0.22, 0.12),
        "property": logistic(-2.6 + 0.6 * people.income_z),
        "income": np.where(people.has("salaried"), 0.25, 0.08) * logistic(1.0 + 0.4 * people.prudence),
    }
    return Known(
        real_name=real_name,
        card_bound=real_name & (rng.random(n) < 0.88),
        willingness=rng.random(n) < np.where(people.fraud, 0.85, 0.35),
        consent_social=rng.random(n) < 0.85,
        supplements={name: rng.random(n) < share for name, share in shares.items()},
    )
