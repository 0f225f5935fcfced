"""The form of a party's event files: who holds which kinds of events, and what an event's columns mean.

A party keeps Parquet files under a folder of its name, `events-00000.parquet` and so on, each holding whole residents,
sorted by resident and time. Amounts are fen; times are instants (UTC). What a kind does not use is null.
"""

from enum import StrEnum

import polars as pl


class Party(StrEnum):
    """Who holds events: none of them hands over a record."""

    SOCIAL = "social"
    PAYMENT = "payment"
    BUREAU = "bureau"


KINDS: dict[Party, tuple[str, ...]] = {
    Party.SOCIAL: (
        "conversation",  # one sitting with one contact (counterparty); `amount_fen` null, `scene` direct or group
        "group_activity",  # something done in a group (counterparty is the group); metadata only, never content
        "contact_added",
        "contact_removed",
        "login",  # `device`, `place`; `scene` normal or abnormal (another place, an unknown device, wrong password)
        "complaint",  # somebody complained of this resident, or the resident of somebody: `scene` received or made
    ),
    Party.PAYMENT: (
        "payment",  # to a merchant (counterparty); `scene` is the merchant's category, `tool` what it was paid with
        "red_packet_sent",
        "red_packet_received",
        "transfer_out",
        "transfer_in",  # `scene` salary, person or business
        "wealth_buy",  # `balance_fen` is what is held after it
        "wealth_redeem",
        "money_market_in",  # 零钱通; `balance_fen` is what is held after it
        "money_market_out",
        "bill_paid",  # `scene` names the bill; `days_late` against its due date, negative where paid before it
        "ride",  # `scene` metro, bus, taxi, bike or train
    ),
    Party.BUREAU: (
        "enquiry",  # a lender asked for the report; `scene` card, consumer_loan, mortgage or guarantee
        "account_opened",  # `scene` as above, counterparty the lender, `amount_fen` the limit or principal
        "account_closed",
        "statement",  # a month's report of one account: `amount_fen` due, `balance_fen` owed, `days_late`
        "default",  # 90 days late
        "default_cured",
    ),
}
SCENES: dict[str, tuple[str, ...]] = {
    "conversation": ("direct", "group"),
    "login": ("normal", "abnormal"),
    "complaint": ("received", "made"),
    "payment": (
        *("groceries", "dining", "transport", "fuel", "health", "education", "entertainment", "travel"),
        *("apparel", "electronics", "home", "digital", "luxury", "lottery", "lender"),
    ),
    "transfer_in": ("salary", "person", "business"),
    "bill_paid": ("electricity", "water", "gas", "internet", "phone", "rent", "card"),
    "ride": ("metro", "bus", "taxi", "bike", "train"),
    "enquiry": ("card", "consumer_loan", "mortgage", "guarantee"),
    "account_opened": ("card", "consumer_loan", "mortgage", "guarantee"),
    "account_closed": ("card", "consumer_loan", "mortgage", "guarantee"),
    "statement": ("card", "consumer_loan", "mortgage", "guarantee"),
    "default": ("card", "consumer_loan", "mortgage", "guarantee"),
    "default_cured": ("card", "consumer_loan", "mortgage", "guarantee"),
}
TOOLS = ("balance", "money_market", "debit_card", "credit_card", "pay_later")

COLUMNS: dict[str, pl.DataType] = {
    "event_id": pl.UInt64(),  # unique within the party: the same number twice is the same event twice
    "resident": pl.Int64(),
    "at": pl.Datetime("us", "UTC"),
    "ingested_at": pl.Datetime("us", "UTC"),  # when the party learned of it; never before `at`
    "kind": pl.String(),
    "amount_fen": pl.Int64(),
    "balance_fen": pl.Int64(),
    "counterparty": pl.Int64(),  # opaque, stable within the party
    "scene": pl.String(),
    "tool": pl.String(),
    "place": pl.Int32(),  # an opaque code of a city district
    "device": pl.Int64(),  # opaque
    "days_late": pl.Int32(),
}
