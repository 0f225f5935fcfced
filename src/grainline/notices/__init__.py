"""News to people: what happened, from the outbox, as an SMS.

Owns the texts and the sending. A message is sent under its own key, so at-least-once never reaches a phone twice.
"""

from grainline.notices.service import send_due

__all__ = ["send_due"]
