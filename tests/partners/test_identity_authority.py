"""The identity authority's port, whatever implements it."""

import pytest

from grainline.partners.identity_authority import IdentityAnswer
from grainline.partners.transport import NotTaken, PartnerUnavailable

pytestmark = pytest.mark.anyio


async def test_a_resident_matches_their_own_id(authority, sandbox):
    papers = sandbox.someone()
    assert await authority.verify(papers.name, papers.national_id) is IdentityAnswer.MATCHES


async def test_a_name_that_is_not_the_ids_is_a_mismatch(authority, sandbox):
    papers = sandbox.someone()
    assert await authority.verify("测试他人", papers.national_id) is IdentityAnswer.MISMATCH


async def test_an_id_nobody_holds_is_not_found(authority):
    assert await authority.verify("测试安柏", "990099199001010015") is IdentityAnswer.NOT_FOUND


async def test_an_authority_that_is_down_is_no_answer(authority, sandbox, hands):
    papers = sandbox.someone()
    hands.set_fault("identity-authority", "down", mode="next", count=1)
    with pytest.raises(PartnerUnavailable):
        await authority.verify(papers.name, papers.national_id)
    assert await authority.verify(papers.name, papers.national_id) is IdentityAnswer.MATCHES


async def test_a_question_that_is_no_id_is_refused_and_no_answer(authority):
    with pytest.raises(NotTaken) as refused:
        await authority.verify("测试安柏", "12")
    assert refused.value.params["reason"] == "malformed"
