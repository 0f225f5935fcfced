"""What is told of a bureau's tradelines: groups, and the families of features over them."""

from grainline.behaviour import measures as m
from grainline.behaviour.events import Party
from grainline.behaviour.families import Cells, Family, Mix, Ratio, Shares, Trends, Way
from grainline.behaviour.groups import Group, by_scene
from grainline.behaviour.measures import Unit

MONTHLY, LONG = (30, 90, 180, 360), (90, 180, 360, 540)
ALL = (30, 90, 180, 360, 540)


def _sorts(kind: str, zh: str, en: str, *, guarantees: bool = False) -> tuple[Group, ...]:
    """Return the groups of a kind: all of it, then cards, consumer loans, mortgages, and guarantees where told."""
    words = {
        "card": (f"信用卡{zh}", f"{en} of cards"),
        "consumer_loan": (f"消费贷{zh}", f"{en} of consumer loans"),
        "mortgage": (f"房贷{zh}", f"{en} of mortgages"),
    }
    if guarantees:
        words["guarantee"] = (f"担保{zh}", f"{en} of guarantees")
    return (Group(kind, zh, en, (kind,)), *by_scene(kind, words))


ENQUIRIES = _sorts("enquiry", "征信查询", "enquiries", guarantees=True)
OPENED = _sorts("account_opened", "新开账户", "accounts opened")
CLOSED = _sorts("account_closed", "销户", "accounts closed")
STATEMENTS = _sorts("statement", "月度账单", "monthly statements")
DEFAULTS = _sorts("default", "违约", "defaults")
CURED = _sorts("default_cured", "违约结清", "cures of defaults")

FAMILIES = (
    Family(
        "promises_kept",
        Party.BUREAU,
        "履约",
        "Promises kept: days late of monthly statements",
        ("B4", "C3"),
        (
            Cells(STATEMENTS, (m.COUNT, m.LATE_MEAN, m.LATE_MAX, m.LATE_STD, m.LATE_SHARE), ALL),
            Cells(STATEMENTS, (m.LATE_LAST,), (360,)),
            Trends(STATEMENTS, (m.LATE_SHARE,), ((90, 360),)),
        ),
    ),
    Family(
        "debts",
        Party.BUREAU,
        "负债",
        "Debts: what is due and owed, and how much of the limits is used",
        ("B4",),
        (
            Cells(STATEMENTS, (m.AMOUNT_SUM, m.AMOUNT_MEAN, m.AMOUNT_MAX, m.OWED_MEAN, m.OWED_MAX), MONTHLY),
            Cells(STATEMENTS, (m.OWED_LAST,), (90,)),
            Cells(STATEMENTS[:3], (m.UTILISATION_MEAN, m.UTILISATION_MAX), LONG),
            Cells(STATEMENTS[:3], (m.UTILISATION_LAST,), (90,)),
            Cells(STATEMENTS[:1], (m.COUNTERPARTIES, m.COUNTERPARTY_ENTROPY), MONTHLY),
            Shares(STATEMENTS[1:], STATEMENTS[0], (m.COUNT, m.AMOUNT_SUM), MONTHLY),
            Mix("statement.scene", "账单类型", "sorts of statements", STATEMENTS[1:], m.COUNT, MONTHLY),
            Trends(STATEMENTS, (m.OWED_MEAN, m.AMOUNT_MEAN), ((30, 180), (90, 360))),
        ),
    ),
    Family(
        "appetite",
        Party.BUREAU,
        "借贷需求",
        "Appetite: enquiries by lenders, accounts opened and closed",
        ("B4",),
        (
            Cells(ENQUIRIES, (m.COUNT, m.COUNTERPARTIES, m.ACTIVE_DAYS, m.DAYS_SINCE_LAST), (7, *ALL)),
            Cells(OPENED, (m.COUNT, m.AMOUNT_SUM, m.AMOUNT_MAX, m.COUNTERPARTIES, m.DAYS_SINCE_LAST), ALL),
            Cells(CLOSED, (m.COUNT, m.DAYS_SINCE_LAST), ALL),
            Mix("enquiry.scene", "征信查询类型", "sorts of enquiries", ENQUIRIES[1:], m.COUNT, LONG),
            Ratio(
                "account.balance",
                "开户销户平衡",
                "accounts opened less closed, over both",
                (OPENED[0], m.COUNT),
                (CLOSED[0], m.COUNT),
                ALL,
                Way.BALANCE,
                Unit.BALANCE,
            ),
            Ratio(
                "account.opened_per_enquiry",
                "每次查询的开户数",
                "accounts opened for each enquiry",
                (OPENED[0], m.COUNT),
                (ENQUIRIES[0], m.COUNT),
                ALL,
            ),
            Trends(ENQUIRIES, (m.COUNT,)),
        ),
    ),
    Family(
        "defaults",
        Party.BUREAU,
        "违约与补救",
        "Defaults, and how fast they were answered",
        ("B4", "C6"),
        (
            Cells(DEFAULTS, (m.COUNT, m.COUNTERPARTIES, m.DAYS_SINCE_LAST), LONG),
            Cells(CURED, (m.COUNT, m.CURE_MEAN, m.CURE_MAX, m.DAYS_SINCE_LAST), LONG),
            Ratio(
                "default.balance",
                "违约与结清平衡",
                "defaults less cures, over both",
                (DEFAULTS[0], m.COUNT),
                (CURED[0], m.COUNT),
                LONG,
                Way.BALANCE,
                Unit.BALANCE,
            ),
        ),
    ),
)
