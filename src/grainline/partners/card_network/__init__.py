"""The card network: the four elements of a bank card, and the agreement that stands for it."""

from grainline.partners.card_network.http import HttpCardNetwork
from grainline.partners.card_network.port import (
    CardAnswer,
    CardMatched,
    CardNetwork,
    CardRefused,
    CardRefusedReason,
)

__all__ = ["CardAnswer", "CardMatched", "CardNetwork", "CardRefused", "CardRefusedReason", "HttpCardNetwork"]
