"""The SMS gateway: one text to one phone, keyed."""

from grainline.partners.sms.http import HttpSms
from grainline.partners.sms.port import Sms

__all__ = ["HttpSms", "Sms"]
