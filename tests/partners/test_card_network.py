"""The card network's port, whatever implements it."""

import pytest

from grainline.partners.card_network import CardMatched, CardRefused, CardRefusedReason
from grainline.partners.transport import PartnerUnavailable

pytestmark = pytest.mark.anyio


def elements(papers, **changed: str) -> dict[str, str]:
    return {
        "card_number": papers.card_number,
        "name": papers.name,
        "national_id": papers.national_id,
        "phone": papers.phone,
    } | changed


async def test_four_right_elements_give_an_agreement_and_never_the_number(network, sandbox):
    papers = sandbox.someone()
    answer = await network.verify(**elements(papers))
    assert isinstance(answer, CardMatched)
    assert answer.last4 == papers.card_number[-4:]
    assert answer.bank == papers.bank
    assert papers.card_number not in answer.agreement
    assert await network.verify(**elements(papers)) == answer


async def test_another_holder_is_refused(network, sandbox):
    mine, theirs = sandbox.someone(), sandbox.someone()
    refused = CardRefused(CardRefusedReason.HOLDER_MISMATCH)
    assert await network.verify(**elements(mine, card_number=theirs.card_number)) == refused
    assert await network.verify(**elements(mine, name="测试他人")) == refused
    assert await network.verify(**elements(mine, national_id=theirs.national_id)) == refused


async def test_another_phone_is_refused(network, sandbox):
    papers = sandbox.someone()
    answer = await network.verify(**elements(papers, phone="19900000000"))
    assert answer == CardRefused(CardRefusedReason.PHONE_MISMATCH)


async def test_a_card_nobody_issued_is_refused(network, sandbox):
    answer = await network.verify(**elements(sandbox.someone(), card_number="9999000000009999994"))
    assert answer == CardRefused(CardRefusedReason.UNKNOWN_CARD)


async def test_a_closed_card_is_refused_until_it_is_open_again(network, sandbox, hands):
    papers = sandbox.someone()
    hands.set_card_closed(papers.card_number, True)
    assert await network.verify(**elements(papers)) == CardRefused(CardRefusedReason.CARD_CLOSED)
    hands.set_card_closed(papers.card_number, False)
    assert isinstance(await network.verify(**elements(papers)), CardMatched)


async def test_a_refused_card_signs_nothing(network, sandbox, hands):
    papers = sandbox.someone()
    await network.verify(**elements(papers, phone="19900000000"))
    assert not hands.resident(papers.phone).agreement_signed
    await network.verify(**elements(papers))
    assert hands.resident(papers.phone).agreement_signed


async def test_a_network_that_is_down_is_no_answer(network, sandbox, hands):
    hands.set_fault("card-network", "down", mode="next", count=1)
    papers = sandbox.someone()
    with pytest.raises(PartnerUnavailable):
        await network.verify(**elements(papers))
    assert not hands.resident(papers.phone).agreement_signed
