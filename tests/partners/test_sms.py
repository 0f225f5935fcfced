"""The SMS gateway's port, whatever implements it."""

import httpx
import pytest

from grainline.partners.transport import KeyConflict, PartnerUnavailable

pytestmark = pytest.mark.anyio


async def test_a_message_arrives_and_its_code_can_be_read(sms, sandbox, hands):
    phone = sandbox.someone().phone
    assert hands.latest_code(phone) is None
    await sms.send(key=f"otp-1-{phone}", phone=phone, text="验证码 482913，5 分钟内有效。")
    await sms.send(key=f"otp-2-{phone}", phone=phone, text="您的合同号 20260115001 验证码 007531。")
    assert [message.key for message in hands.inbox(phone)] == [f"otp-2-{phone}", f"otp-1-{phone}"]
    assert hands.latest_code(phone) == "007531"


async def test_the_same_key_sends_once(sms, sandbox, hands):
    phone = sandbox.someone().phone
    for _ in range(3):
        await sms.send(key=f"due-{phone}", phone=phone, text="还款提醒")
    assert len(hands.inbox(phone)) == 1


async def test_the_same_key_for_another_message_is_a_conflict(sms, sandbox, hands):
    phone = sandbox.someone().phone
    await sms.send(key=f"paid-{phone}", phone=phone, text="已放款")
    with pytest.raises(KeyConflict):
        await sms.send(key=f"paid-{phone}", phone=phone, text="放款失败")
    assert [message.text for message in hands.inbox(phone)] == ["已放款"]


async def test_a_gateway_that_is_down_takes_nothing_and_the_same_key_may_be_sent_again(sms, sandbox, hands):
    phone = sandbox.someone().phone
    hands.set_fault("sms", "down", mode="next", count=2)
    for _ in range(2):
        with pytest.raises(PartnerUnavailable):
            await sms.send(key=f"line-{phone}", phone=phone, text="额度已开通")
    assert hands.inbox(phone) == []
    await sms.send(key=f"line-{phone}", phone=phone, text="额度已开通")
    assert len(hands.inbox(phone)) == 1


async def test_the_inbox_page_shows_a_message_as_text_and_asks_nothing_of_other_hosts(sms, sandbox):
    phone = sandbox.someone().phone
    await sms.send(key=f"page-{phone}", phone=phone, text="<b>验证码</b> 135790")
    page = httpx.get(f"{sandbox.url}/inbox", params={"phone": phone}, trust_env=False)
    assert page.status_code == 200
    assert "&lt;b&gt;验证码&lt;/b&gt; 135790" in page.text
    assert 'lang="zh-CN"' in page.text
    assert "SMS inbox" in page.text
    assert "://" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
