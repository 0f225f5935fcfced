"""The double-entry book: the only record of money, and the only way to write it.

Owns journals, entries and balances. A journal is posted by `ledger.post` in the database (see post.sql): it balances,
it is keyed, and what it wrote the application's role can neither change nor delete.
"""

from grainline.ledger.chart import HOUSE, MEMBER_ACCOUNTS, Account, product_sub
from grainline.ledger.service import roll_up_house
from grainline.ledger.store import Journal, Line, closed_through, open_from, post, post_batch

__all__ = [
    "HOUSE",
    "MEMBER_ACCOUNTS",
    "Account",
    "Journal",
    "Line",
    "closed_through",
    "open_from",
    "post",
    "post_batch",
    "product_sub",
    "roll_up_house",
]
