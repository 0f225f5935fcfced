"""Every number that the simulated lives are made of. What has no source named beside it is an assumption of ours.

Money is yuan here, because people think in yuan, and becomes fen when an amount is drawn; rates are per resident and
month unless said otherwise. `strain` is a share between 0 and 1; traits are standard normal. docs/town.md has the
formulas.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

BLOCK = (
    1_000  # residents that are drawn together, from one seed: who somebody is depends on nothing but seed and number
)
CHUNK = 5_000  # residents in one file: the memory of a process is bounded by this
HORIZON_MONTHS = 12  # for how long after the last event defaults are still told
WARM_UP_MONTHS = 12  # stress that began before the first event

# People -----------------------------------------------------------------------------------------------------------
# Average wages in 2024 were 124,110 yuan a year in urban non-private and 69,476 in private units (National Bureau of
# Statistics, May 2025): the median below lies where the smaller units are.
INCOME_MEDIAN_YUAN = 6_500.0
INCOME_SIGMA = 0.55
RHYTHMS = ("salaried", "irregular", "business", "allowance", "pension")
WORKING_RHYTHM_SHARES = (0.68, 0.20, 0.12)  # of those who are neither students nor pensioners
RHYTHM_INCOME = (1.0, 0.8, 1.25, 0.28, 0.55)  # times what the log-normal gives
PAYDAYS = (5, 10, 15, 20, 25, 28)
STUDENT_UNTIL_AGE, STUDENT_SHARE = 24, 0.70
PENSION_FROM_AGE = 60
DIGITAL_SIGMA = 0.55  # of the log-normal of how much of a life goes through the app: it causes no default
OWL_SIGMA = 0.7  # of being awake at night by nature: it causes no default
SHOWS_SIGMA = 0.35  # of the log-normal of how much of one's strain shows in what one does
NEWCOMER_SHARE = 0.06  # who joins within the months that are told
FRAUD_SHARE = 0.006
FRAUD_NEWCOMER_SHARE = 0.85
CITIES, DISTRICTS = 300, 20

# Strain: logistic(base + traits + shocks + what varies), by month --------------------------------------------------
STRAIN_BASE = -2.5
STRAIN_PRUDENCE, STRAIN_INCOME = -0.60, -0.30
STRAIN_WAVE_SIGMA, STRAIN_WAVE_RHO = 0.7, 0.92  # an autoregressive wave: what is nobody's business to explain


class Shock(NamedTuple):
    """A stress event: how often it strikes (a month), what it adds to the log-odds of strain, how long it lasts."""

    rate: float
    weight: float
    prudence: float  # the log of the rate moves by this with prudence
    plateau_months: float  # mean of the time at full weight, at least one month
    fade_months: float  # then it fades by e in so many months


SHOCKS = {
    "job_loss": Shock(0.0040, 3.0, -0.15, 6.0, 4.0),
    "illness": Shock(0.0035, 2.0, 0.0, 2.0, 4.0),
    "family": Shock(0.0030, 1.8, 0.0, 3.0, 4.0),
    "overspending": Shock(0.0040, 2.4, -0.80, 10.0, 8.0),
}
SHOCK_SEVERITY_SIGMA = 0.35
JOB_LOSS_INCOME = 0.12  # what is left of the income meanwhile

# Default: a month's hazard of ceasing to pay; 90 days later the loan is 90 days late --------------------------------
ONSET_BASE = 0.00062
ONSET_STRAIN, ONSET_PRUDENCE, ONSET_INCOME = 4.3, -0.60, -0.25
ONSET_FRAILTY_SIGMA = 0.4  # what nobody can see
ONSET_FRAUD = 0.09  # a month's hazard of those who never meant to pay, from the second month after they joined
DAYS_TO_DEFAULT = 90
INSOLVENT_DAYS = 240  # for how long after the onset bills and other lenders go unpaid too

# Days -------------------------------------------------------------------------------------------------------------
# First days of the lunar year, as in the official calendar of the Purple Mountain Observatory.
SPRING_FESTIVALS = {
    2019: "02-05", 2020: "01-25", 2021: "02-12", 2022: "02-01", 2023: "01-22", 2024: "02-10", 2025: "01-29",
    2026: "02-17", 2027: "02-06", 2028: "01-26", 2029: "02-13", 2030: "02-03", 2031: "01-23", 2032: "02-11",
    2033: "01-31", 2034: "02-19", 2035: "02-08", 2036: "01-28",
}  # fmt: skip
FESTIVALS = {  # from and to, month and day; `spring` and `new_year_shopping` follow the lunar year
    "labour": ((5, 1), (5, 5)),
    "love": ((5, 20), (5, 20)),
    "june_sale": ((6, 16), (6, 18)),
    "national": ((10, 1), (10, 7)),
    "november_sale": ((11, 9), (11, 11)),
}
HOLIDAYS = ("spring", "labour", "national")  # nobody commutes
SPRING_DAYS, NEW_YEAR_SHOPPING_DAYS = (-1, 6), (-12, -2)  # against the first day of the lunar year


class Days(NamedTuple):
    """How a day's share of something differs from an ordinary working day's."""

    weekend: float = 1.0
    festivals: Mapping[str, float] = MappingProxyType({})


SHOPPING = {"june_sale": 4.0, "november_sale": 5.0, "new_year_shopping": 1.5, "spring": 0.6, "national": 1.2}
GOING_OUT = {"spring": 1.6, "labour": 1.5, "national": 1.6, "love": 1.6}
HOURS = {  # weights of the hours 0…23 by day; what happens at night has its own
    "day": (0, 0, 0, 0, 0, 0, 1, 3, 5, 6, 6, 7, 8, 6, 5, 5, 6, 7, 9, 9, 8, 7, 5, 0),
    "meals": (0, 0, 0, 0, 0, 0, 2, 7, 4, 1, 2, 10, 14, 4, 1, 1, 2, 8, 14, 9, 5, 3, 2, 0),
    "evening": (0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 5, 4, 3, 3, 3, 4, 6, 9, 11, 12, 10, 0),
    "office": (0, 0, 0, 0, 0, 0, 0, 0, 2, 10, 10, 6, 2, 3, 8, 8, 6, 3, 1, 0, 0, 0, 0, 0),
    "night": (25, 16, 9, 6, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33),
}
NIGHT_BASE, NIGHT_STRAIN = -3.2, 2.2  # log-odds of an event lying between 23:00 and 6:00; `owl` is added
PAYDAY_SHARE, PAYDAY_MEAN_DAYS = 0.06, 1.2  # of payments and savings that wait for the payday; how long after it


# Payments ---------------------------------------------------------------------------------------------------------
class Scene(NamedTuple):
    """What is bought: how often, at what price, where and when."""

    rate: float
    median_yuan: float
    sigma: float
    online: float  # share without a place
    hours: str
    days: Days
    strain: float = 0.0  # the log of the rate moves by this with strain
    prudence: float = 0.0  # and by this with prudence


SCENE = {
    "groceries": Scene(4.2, 32, 0.8, 0.30, "day", Days(1.3, {"new_year_shopping": 1.8, "spring": 0.7})),
    "dining": Scene(3.6, 26, 0.8, 0.45, "meals", Days(1.3, GOING_OUT)),
    "transport": Scene(0.8, 12, 0.7, 0.10, "day", Days(0.9, GOING_OUT)),
    "fuel": Scene(0.45, 260, 0.4, 0.0, "day", Days(1.3, GOING_OUT)),
    "health": Scene(0.45, 75, 1.1, 0.25, "office", Days(0.8), strain=0.6),
    "education": Scene(0.25, 180, 1.3, 0.60, "evening", Days(1.0), strain=-0.6, prudence=0.15),
    "entertainment": Scene(0.9, 38, 0.9, 0.70, "evening", Days(1.6, GOING_OUT), prudence=-0.10),
    "travel": Scene(0.15, 420, 0.9, 0.85, "evening", Days(1.1, {"national": 4.0, "labour": 3.0, "spring": 2.5})),
    "apparel": Scene(0.7, 130, 0.8, 0.75, "evening", Days(1.4, SHOPPING), strain=-0.3),
    "electronics": Scene(0.12, 750, 1.1, 0.80, "evening", Days(1.2, SHOPPING), strain=-0.8),
    "home": Scene(0.6, 65, 1.0, 0.80, "evening", Days(1.2, SHOPPING)),
    "digital": Scene(0.8, 18, 0.8, 1.0, "evening", Days(1.1), prudence=-0.15),
    "luxury": Scene(0.04, 1500, 0.9, 0.30, "day", Days(1.5, SHOPPING | {"love": 4.0}), strain=-0.3, prudence=-0.20),
    "lottery": Scene(0.10, 18, 0.9, 0.10, "day", Days(1.2), strain=1.8, prudence=-0.60),
    "lender": Scene(0.10, 520, 0.8, 1.0, "evening", Days(1.0), strain=2.6, prudence=-0.50),
}
SCENE_TASTE_SIGMA = 0.5  # of the log-normal of one person's liking for one scene
AMOUNT_INCOME = 0.35  # prices paid grow with income to this power
AMOUNT_STRAIN = -0.35  # the log of an amount moves by this with strain
MERCHANTS, FAVOURITE_SHARE, FAVOURITES = 2_000, 0.72, 6
TOOL_WEIGHTS = (0.32, 0.16, 0.27, 0.13, 0.12)  # of the one tool a person mostly pays with, in the order of TOOLS
HOP_BASE, HOP_STRAIN, HOP_PRUDENCE = -2.0, 2.6, -0.25  # log-odds of paying with another one

# Giving and moving money ------------------------------------------------------------------------------------------
RED_PACKET_RATE = 0.5
RED_PACKET_DAYS = Days(1.2, {"spring": 14.0, "love": 6.0, "new_year_shopping": 1.5})
RED_PACKET_YUAN = (
    0.88,
    1.88,
    5.20,
    6.66,
    8.88,
    10.0,
    18.88,
    20.0,
    50.0,
    66.0,
    88.0,
    100.0,
    200.0,
)  # 200: the app's most
RED_PACKET_WEIGHTS = (9, 9, 6, 12, 12, 12, 8, 10, 8, 5, 4, 3, 2)
TRANSFER_RATE, TRANSFER_MEDIAN_YUAN, TRANSFER_SIGMA = 0.8, 300.0, 1.2
TRANSFER_STRAIN = 0.7  # borrowing from friends: more comes in, more goes out again
PASS_RATE, PASS_STRAIN, PASS_FRAUD, PASS_BUSINESS = 0.03, 3.2, 2.0, 1.6  # money that leaves within hours of coming
PASS_MEDIAN_YUAN, PASS_SIGMA, PASS_MEAN_HOURS = 1_800.0, 0.9, 2.5
FRIENDS = 60

# Saving -----------------------------------------------------------------------------------------------------------
MONEY_MARKET_USERS, WEALTH_USERS = 0.75, 0.35
MONEY_MARKET_IN, MONEY_MARKET_OUT = 0.9, 0.9
SAVING_STRAIN = -1.8  # the log of rates and amounts put aside moves by this with strain
TAKING_STRAIN = 1.2  # the log of the rate of taking out
OPENING_MONTHS, OPENING_SIGMA, OPENING_PRUDENCE = 0.9, 0.9, 0.6  # of income held at first: median, spread, by prudence
IN_SHARE, IN_SIGMA, IN_PRUDENCE = 0.12, 0.8, 0.25  # of a month's income put in at once
OUT_BASE, OUT_STRAIN, OUT_PRUDENCE = -1.1, 2.6, -0.45  # log-odds of the mean share of a balance taken out at once
FAST_OUT, FAST_OUT_STRAIN, FAST_MEAN_HOURS = 0.03, 2.6, 7.0  # what is put in and leaves within hours
WEALTH_BUY, WEALTH_REDEEM, WEALTH_OPENING_MONTHS = 0.35, 0.14, 2.5
WEALTH_STEP_YUAN = 100


# Bills ------------------------------------------------------------------------------------------------------------
class Bill(NamedTuple):
    """A monthly bill: who has it, what it comes to, and how that varies with the seasons."""

    share: float
    every_months: int
    median_yuan: float
    sigma: float
    summer: float = 1.0  # July to September, and January


BILL = {
    "electricity": Bill(0.75, 1, 95, 0.5, 1.7),
    "water": Bill(0.60, 2, 65, 0.4),
    "gas": Bill(0.50, 2, 85, 0.5),
    "internet": Bill(0.55, 1, 70, 0.3),
    "phone": Bill(0.92, 1, 58, 0.4),
    "rent": Bill(0.30, 1, 1_700, 0.5),
    "card": Bill(0.45, 1, 1_600, 0.9),
}
AUTOPAY_BASE, AUTOPAY_PRUDENCE = -0.8, 0.6  # log-odds of a bill being paid by itself on its due date
EARLY_MEAN_DAYS, EARLY_PRUDENCE, EARLY_SIGMA = 3.5, 1.2, 2.0
LATE_BASE, LATE_STRAIN, LATE_PRUDENCE = -3.4, 4.0, -0.60  # log-odds of a bill being late
LATE_MEAN_DAYS, LATE_MEAN_STRAIN, LATE_MOST_DAYS = 3.0, 14.0, 75
UNPAID_WHILE_INSOLVENT = 0.35

# Rides and the social side ----------------------------------------------------------------------------------------
COMMUTER_SHARE, COMMUTE_RATE, COMMUTE_SIGMA_MINUTES = 0.30, 12.0, 25.0
RIDE = {"metro": (1.0, 4.0, 0.3), "bus": (0.6, 2.0, 0.2), "taxi": (0.7, 22.0, 0.5), "bike": (0.7, 2.0, 0.3),
        "train": (0.12, 150.0, 0.7)}  # rate, median yuan, sigma  # fmt: skip
RIDE_DAYS = {"taxi": Days(1.3, GOING_OUT), "train": Days(1.3, {"national": 5.0, "spring": 4.0, "labour": 4.0})}
CONVERSATION_RATE, GROUP_ACTIVITY_RATE, CONTACT_ADDED_RATE, CONTACT_REMOVED_RATE = 7.0, 3.0, 0.35, 0.10
SOCIABLE = 0.55  # the log of social rates moves by this with sociability
CONVERSATION_DAYS = Days(1.2, {"spring": 2.2})
LOGIN_RATE, ABNORMAL_BASE, ABNORMAL_STRAIN, ABNORMAL_FRAUD = 4.0, 0.012, 1.2, 2.3
SECOND_DEVICE_SHARE, NEW_DEVICE_RATE, NEW_DEVICE_FRAUD = 0.25, 0.035, 0.30
COMPLAINT_RECEIVED, COMPLAINT_STRAIN, COMPLAINT_PRUDENCE, COMPLAINT_FRAUD = 0.006, 1.6, -0.40, 1.8
COMPLAINT_MADE = 0.008

# Bureau -----------------------------------------------------------------------------------------------------------
ACCOUNT_SLOTS = ("card", "card", "consumer_loan", "mortgage", "consumer_loan", "consumer_loan")
SLOT_SHARES = (0.52, 0.22, 0.16, 0.22, 0.0, 0.0)  # held at the first month; the last two can be opened later
LIMIT_INCOMES = (2.5, 3.5, 2.0, 90.0, 1.5, 1.5)  # limit or principal, in months of income
OPENING_RATE, OPENING_STRAIN = 0.010, 2.0  # of each of the last two slots
LOAN_MONTHS = 12
ENQUIRY_RATE, ENQUIRY_STRAIN, ENQUIRY_PRUDENCE = 0.07, 2.3, -0.25
MISS_BASE, MISS_STRAIN, MISS_PRUDENCE, MISS_INSOLVENT = -5.2, 3.6, -0.50, 5.5  # log-odds of missing a due date
CURE_BASE, CURE_STRAIN, CURE_AFTER_DEFAULT = 0.9, -2.5, -2.2  # log-odds of paying all that is late
SLIP_SHARE, SLIP_MEAN_DAYS = 0.025, 4.0  # paid a few days late, out of carelessness

# When a party learns of an event: share and mean of each speed, in seconds ----------------------------------------
INGESTION = {
    "social": ((0.93, 90.0), (0.06, 2.5 * 3600), (0.01, 30 * 3600.0)),
    "payment": ((0.90, 120.0), (0.085, 3 * 3600.0), (0.015, 36 * 3600.0)),
    "bureau": ((0.25, 1800.0), (0.60, 10 * 3600.0), (0.15, 40 * 3600.0)),
}
INGESTION_MOST_S = 7 * 86_400
