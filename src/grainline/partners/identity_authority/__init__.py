"""The identity authority: whether a name belongs to a national id."""

from grainline.partners.identity_authority.http import HttpIdentityAuthority
from grainline.partners.identity_authority.port import IdentityAnswer, IdentityAuthority

__all__ = ["HttpIdentityAuthority", "IdentityAnswer", "IdentityAuthority"]
