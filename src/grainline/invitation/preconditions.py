"""What must hold before points count at all: who one is, that money can reach one, and no negative record."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grainline.invitation.policy import Policy

NO_REAL_NAME = "no_real_name"
UNDER_AGE = "under_age"
STUDENT = "student"
NO_CARD = "no_card"

ADULT_AT = 18  # years (A2)
FACTS: dict[str, pl.DataType] = {
    "real_name": pl.Boolean(),  # verified
    "born_on": pl.Date(),
    "student": pl.Boolean(),
    "card_bound": pl.Boolean(),
    "willingness": pl.Boolean(),  # said that they would bind one
    "consent_social": pl.Boolean(),
}
PRECONDITIONS: dict[str, dict[str, str]] = {
    NO_REAL_NAME: {"zh": "尚未完成实名认证", "en": "Your real name is not verified yet"},
    UNDER_AGE: {"zh": "本产品仅面向年满 18 周岁的用户", "en": "This product is for people of 18 years and older"},
    STUDENT: {"zh": "本产品不面向在校学生", "en": "This product is not offered to students"},
    NO_CARD: {
        "zh": "尚未绑定银行卡，也未表示愿意绑定",
        "en": "There is no bank card, nor a word that one will be bound",
    },
    "default_recorded": {"zh": "近一年征信中有违约记录", "en": "The credit record shows a default within a year"},
    "complaints_received": {"zh": "近半年被投诉次数较多", "en": "There were several complaints within half a year"},
    "abnormal_logins": {"zh": "近三个月异常登录次数较多", "en": "There were many unusual logins within three months"},
}


class Missing(NamedTuple):
    """A precondition's code, and who does not meet it."""

    reason: str
    who: NDArray[np.bool_]


def missing(policy: Policy, people: pl.DataFrame) -> list[Missing]:
    """Return each precondition with who does not meet it; a fact that is not known is not met.

    Negative records are of the features the policy names; where a party tells nothing, there is none. Who withholds the
    social consent is not judged by what the social platform holds: its columns are null then.
    """

    def those(condition: pl.Expr) -> NDArray[np.bool_]:
        return people.select(condition.fill_null(value=True)).to_series().to_numpy()

    adult_since = pl.col("month").dt.offset_by(f"-{ADULT_AT}y")
    facts = [
        Missing(NO_REAL_NAME, those(~pl.col("real_name"))),
        Missing(UNDER_AGE, those(pl.col("born_on") > adult_since)),
        Missing(STUDENT, those(pl.col("student"))),
        Missing(NO_CARD, those(~(pl.col("card_bound") | pl.col("willingness")))),
    ]
    records = [
        Missing(entry.reason, those((pl.col(entry.feature) > entry.at_most).fill_null(value=False)))
        for entry in policy.negative
    ]
    return facts + records
