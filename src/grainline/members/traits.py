"""What a national id tells of somebody, for figures by group: the id is opened here and does not leave.

GB 11643-1999: digits 1–2 are the province where it was issued, 7–14 the day of birth, and the 17th is odd for men.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from stdnum.cn import ric

from grainline.kit.db import Tx
from grainline.kit.sealing import Vault
from grainline.members.traits_store import sealed_ids


@dataclass(frozen=True)
class Traits:
    """Sex, day of birth, and the first two digits of the id."""

    sex: str
    born_on: date
    region: str


async def traits_of(tx: Tx, vault: Vault, member_ids: Sequence[int]) -> dict[int, Traits]:
    """Return what the verified ids of members tell; who has none is left out."""
    return {
        member_id: _told(vault.unseal(sealed, member_id=member_id, wrapped_key=wrapped_key))
        async for member_id, sealed, wrapped_key in sealed_ids(tx, member_ids)
    }


def _told(national_id: str) -> Traits:
    return Traits("male" if int(national_id[16]) % 2 else "female", ric.get_birth_date(national_id), national_id[:2])
