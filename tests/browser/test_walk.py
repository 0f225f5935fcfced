"""From sign-in to a repaid loan, on the pages, at the width of a phone; and who is not invited learns why."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from walk import Walk, wrong

pytestmark = pytest.mark.browser

SETTLES_MS = 30_000
READING_MS = 20_000
CHINESE = re.compile(r"[一-鿿]")


def test_an_invited_resident_borrows_and_repays(walk: Callable[[str], Walk]) -> None:
    ming = walk("invited")
    _sign_in_by_phone(ming)
    _find_the_entry(ming)
    _open_the_line(ming)
    _choose_amount_term_and_purpose(ming)
    _read_what_it_costs(ming)
    _sign_the_contract(ming)
    loan = _watch_it_being_paid(ming)
    _see_the_loan(ming, loan)
    _let_a_month_pass(ming, loan)
    _repay_a_part_by_hand(ming, loan)
    _settle_early_in_full(ming, loan)
    _withdraw_a_consent(ming)
    _read_it_in_english(ming, loan)
    _sign_out(ming)
    proof = ming.platform.command("verify")
    assert proof.returncode == 0, proof.stdout


def test_who_is_not_invited_sees_why_and_when_next(walk: Callable[[str], Walk]) -> None:
    li = walk("not-invited")
    li.go("/", "sign-in")
    li.sign_in(li.platform.not_invited)
    li.arrive("me")
    li.tap("services")
    li.tap("wallet")
    li.arrive("wallet")
    expect(li.on("not-invited")).to_be_visible()
    expect(li.on("borrow-entry")).to_have_count(0)
    li.look("wallet")
    li.tap("why-not")
    li.arrive("invitation")
    assert li.on("reasons").locator("li").count() >= 1
    assert li.on("advice").locator("li").count() >= 1
    expect(li.on("next-evaluation").locator("time")).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-01$"))
    expect(li.on("supplements").locator("li")).to_have_count(4)
    li.look("why")
    li.tap("hand-in-income")
    expect(li.on("supplement-send")).to_be_disabled()
    li.look("supplement")
    li.tap("supplement-cancel")
    expect(li.on("statement")).to_have_count(0)
    li.go("/borrow", "invitation")  # the way to a loan leads back to the reasons
    li.expect_refusal("/line", 404)
    li.go("/credit?product=jintiao", "invitation")
    expect(li.on("title")).to_have_text("京东金条")
    assert int(li.on("points").inner_text()) < 80
    expect(li.on("reasons").locator("li").first).to_have_text("信用分未达到本产品的开通要求")
    li.look("score")


def _sign_in_by_phone(ming: Walk) -> None:
    phone = ming.platform.invited
    ming.go("/", "sign-in")
    ming.look("sign-in")
    ming.type("phone", phone)
    code = ming.ask_for_code(phone, by="send-code")
    expect(ming.on("inbox")).to_have_attribute("href", re.compile(rf"^{ming.platform.sandbox_url}/inbox"))
    ming.type("code", wrong(code))
    ming.tap("sign-in")
    expect(ming.on("error-detail")).to_have_text("验证码错误，请重新输入")
    ming.expect_refusal("/sign-in", 403)
    ming.look("sign-in-wrong-code")
    ming.type("code", code)
    ming.tap("sign-in")
    ming.arrive("me")
    ming.look("me")


def _find_the_entry(ming: Walk) -> None:
    ming.tap("services")
    ming.arrive("services")
    ming.look("services")
    ming.tap("wallet")
    ming.arrive("wallet")
    expect(ming.on("borrow-entry")).to_be_visible()
    expect(ming.on("not-invited")).to_have_count(0)
    ming.look("wallet-invited")
    ming.tap("borrow-entry")
    ming.arrive("credit")
    expect(ming.on("step-real_name")).to_have_attribute("aria-current", "step")
    ming.look("credit-steps")


def _open_the_line(ming: Walk) -> None:
    _give_a_name(ming)
    _give_a_card(ming)
    _consent(ming)
    expect(ming.on("step-line")).to_have_attribute("aria-current", "step")
    ming.look("credit-last-step")
    ming.tap("continue")
    ming.arrive("line")
    expect(ming.on("apply")).to_be_disabled()
    ming.on("student-no").check()
    ming.look("apply")
    ming.tap("apply")
    expect(ming.on("line-opened")).to_be_visible()
    ming.look("line-opened")
    ming.back("credit")
    ming.look("credit-open")
    ming.tap("borrow")


def _give_a_name(walker: Walk) -> None:
    papers = walker.platform.papers(walker.platform.invited)
    expect(walker.on("step-real_name")).to_have_attribute("aria-current", "step")
    walker.tap("continue")
    walker.arrive("real-name")
    walker.type("name", papers.name)
    walker.type("national-id", papers.national_id)
    walker.look("real-name")
    walker.tap("submit")
    walker.arrive("credit")


def _give_a_card(walker: Walk) -> None:
    papers = walker.platform.papers(walker.platform.invited)
    expect(walker.on("step-card")).to_have_attribute("aria-current", "step")
    walker.tap("continue")
    walker.arrive("card")
    walker.type("card-number", papers.card_number)
    walker.type("card-phone", papers.phone)
    walker.look("card")
    walker.tap("submit")
    walker.arrive("credit")


def _consent(walker: Walk) -> None:
    """Nothing is ticked beforehand, and what is required must be before it goes on."""
    expect(walker.on("step-consents")).to_have_attribute("aria-current", "step")
    walker.tap("continue")
    walker.arrive("give-consents")
    expect(walker.on("required-bureau")).to_be_visible()
    for source in ("bureau", "payment", "social", "device"):
        expect(walker.on(f"consent-{source}")).to_have_attribute("aria-checked", "false")
    walker.on("consent-social").click()
    expect(walker.on("give-consents")).to_be_disabled()
    walker.on("consent-bureau").click()
    walker.look("consents")
    walker.tap("give-consents")
    walker.arrive("credit")


def _choose_amount_term_and_purpose(ming: Walk) -> None:
    ming.arrive("borrow")
    ming.type("amount", "150")
    expect(ming.on("amount-hint")).to_have_text("请输入 100 元的整数倍")
    expect(ming.on("next")).to_be_disabled()
    ming.look("borrow-wrong-amount")
    ming.type("amount", "10000")
    ming.on("instalments-5").check()
    ming.on("purpose-travel").check()
    expect(ming.on("preview")).to_have_attribute("aria-busy", "false")
    ming.tap("schedule-toggle")
    expect(ming.on("preview").locator("tbody tr")).to_have_count(5)
    ming.look("borrow")
    ming.on("instalments-20").check()
    expect(ming.on("preview").locator("tbody tr")).to_have_count(20)
    ming.look("borrow-20", desk=False)
    ming.on("instalments-5").check()
    expect(ming.on("preview").locator("tbody tr")).to_have_count(5)


def _read_what_it_costs(ming: Walk) -> None:
    ming.tap("next")
    expect(ming.on("disclosure")).to_be_visible()
    expect(ming.on("disclosure-agree")).to_be_disabled()
    first = ming.on("disclosure").locator("dl").first
    expect(first).to_contain_text("年化利率（单利）")
    ming.look("disclosure")
    expect(ming.on("disclosure-agree")).to_be_enabled(timeout=READING_MS)
    ming.look("disclosure-read", desk=False)


def _sign_the_contract(ming: Walk) -> None:
    code = ming.ask_for_code(ming.platform.invited, by="disclosure-agree")
    ming.arrive("contract")
    expect(ming.on("summary")).to_contain_text("10,000")
    ming.look("contract")
    ming.type("code", wrong(code))
    ming.tap("sign")
    expect(ming.on("error-detail")).to_have_text("验证码错误，请重新输入")
    ming.expect_refusal("/draws", 403)
    ming.look("contract-wrong-code", desk=False)
    # The bank takes the payout and keeps it, so that there is something to watch.
    ming.platform.hands().set_fault("rail", "stays_processing", mode="next", count=1)
    ming.type("code", code)
    ming.tap("sign")


def _watch_it_being_paid(ming: Walk) -> str:
    """Return the address of the loan."""
    ming.arrive("draw")
    expect(ming.on("live")).to_have_attribute("data-live", "true")
    expect(ming.on("draw-state")).to_have_attribute("data-state", "sent")
    expect(ming.on("step-sent")).to_have_attribute("data-done", "true")
    expect(ming.on("step-paid")).to_have_attribute("data-done", "false")
    ming.look("progress")
    ming.platform.hands().release()
    expect(ming.on("draw-state")).to_have_attribute("data-state", "paid", timeout=SETTLES_MS)
    expect(ming.on("step-paid")).to_have_attribute("data-done", "true")
    ming.look("progress-paid")
    ming.tap("loan")
    ming.arrive("loan")
    return ming.page.url.removeprefix(ming.platform.url)


def _see_the_loan(ming: Walk, loan: str) -> None:
    expect(ming.on("outstanding")).to_have_text("10,000.00")
    expect(ming.on("rows").locator('li[data-state="scheduled"]')).to_have_count(5)
    ming.look("loan")
    ming.go("/calendar", "calendar")
    expect(ming.on("instalments").locator("li")).to_have_count(1)
    ming.look("calendar")
    ming.go("/wallet", "wallet")
    expect(ming.on("next-due")).to_be_visible()
    ming.look("wallet-borrowing")
    ming.go("/credit", "credit")
    expect(ming.on("used")).to_contain_text("10,000")
    ming.look("credit-borrowing")
    ming.go("/loans", "loans")
    ming.look("loans")
    ming.go("/cards", "cards")
    ming.look("cards")


def _let_a_month_pass(ming: Walk, loan: str) -> None:
    # The first due date is 28 to 31 days away; one more day brings also a walk before breakfast past its debit.
    moved = ming.platform.command("sandbox", "advance", "--days", "32")
    assert moved.returncode == 0, moved.stderr
    ming.go(loan, "loan")
    expect(ming.on("row-1")).to_have_attribute("data-state", "paid")
    expect(ming.on("outstanding")).to_have_text("8,000.00")
    [debit] = ming.on("repayments").locator("a").all()
    expect(debit).to_have_attribute("data-state", "collected")
    expect(debit).to_contain_text("自动扣款")
    ming.look("loan-after-debit")
    ming.go("/calendar", "calendar")
    ming.look("calendar-after-debit")


def _repay_a_part_by_hand(ming: Walk, loan: str) -> None:
    ming.go(loan, "loan")
    ming.tap("pay")
    ming.arrive("pay")
    ming.on("way-other").check()
    ming.type("amount", "99999")
    expect(ming.on("amount")).to_contain_text("最多还")
    expect(ming.on("confirm")).to_be_disabled()
    ming.look("pay-too-much")
    ming.type("amount", "500.50")
    expect(ming.on("confirm")).to_have_text("确认还款 500.50 元")
    ming.look("pay-part", desk=False)
    ming.tap("confirm")
    ming.arrive("repayment")
    expect(ming.on("repayment-state")).to_have_attribute("data-state", "collected", timeout=SETTLES_MS)
    ming.look("repayment")
    ming.tap("loan")
    ming.arrive("loan")
    expect(ming.on("repayments").locator('a[data-state="collected"]')).to_have_count(2)
    ming.look("loan-part-repaid")


def _settle_early_in_full(ming: Walk, loan: str) -> None:
    ming.tap("pay")
    ming.arrive("pay")
    ming.on("way-payoff").check()
    # Meanwhile a part is paid on another device, so that what this page would pay is more than what is owed.
    other = Walk(ming.platform, ming.page.context.new_page(), ming.folder, "other-device")
    other.go(f"{loan}/pay", "pay")
    other.on("way-other").check()
    other.type("amount", "100")
    other.tap("confirm")
    other.arrive("repayment")
    expect(other.on("repayment-state")).to_have_attribute("data-state", "collected", timeout=SETTLES_MS)
    other.page.close()
    other.check_nothing_went_wrong()
    ming.tap("confirm")
    expect(ming.on("error-detail")).to_contain_text("还款金额超过应还总额")
    ming.expect_refusal(f"{re.sub('[0-9a-f-]{36}', '…', loan)}/repayments", 409)
    ming.look("pay-refused")
    ming.tap("confirm")
    ming.arrive("repayment")
    expect(ming.on("repayment-state")).to_have_attribute("data-state", "collected", timeout=SETTLES_MS)
    ming.tap("loan")
    ming.arrive("loan")
    expect(ming.on("loan")).to_have_attribute("data-state", "settled")
    expect(ming.on("outstanding")).to_have_text("0.00")
    expect(ming.on("rows").locator('li[data-state="paid"]')).to_have_count(5)
    expect(ming.on("pay")).to_have_count(0)
    ming.look("loan-settled")
    ming.go("/credit", "credit")
    expect(ming.on("used")).to_have_text("已用 0 元")


def _read_it_in_english(ming: Walk, loan: str) -> None:
    ming.go("/me", "me")
    ming.tap("language-en")
    ming.arrive("me")
    ming.look("english-me", desk=False)
    for path, route in (
        ("/wallet", "wallet"),
        ("/credit", "credit"),
        ("/credit/line", "line"),
        ("/consents", "consents"),
        (loan, "loan"),
    ):
        ming.go(path, route)
        ming.look(f"english-{route}", desk=False)
        assert not CHINESE.search(ming.on(f"page-{route}").inner_text()), route
    ming.go("/borrow", "borrow")
    ming.type("amount", "1000")
    ming.on("purpose-medical").check()
    ming.tap("next")
    expect(ming.on("disclosure").locator("dl")).to_contain_text("Annual rate (simple)")
    ming.look("english-disclosure", desk=False)
    ming.tap("disclosure-change")
    ming.look("english-borrow", desk=False)


def _withdraw_a_consent(ming: Walk) -> None:
    """From Me it takes two taps, and three are allowed."""
    ming.go("/me", "me")
    ming.tap("consents")
    ming.arrive("consents")
    expect(ming.on("consent-social")).to_have_attribute("aria-checked", "true")
    ming.on("consent-social").click()
    expect(ming.on("consent-withdrawn")).to_be_visible()
    expect(ming.on("consent-social")).to_have_attribute("aria-checked", "false")
    expect(ming.on("consent-bureau")).to_have_attribute("aria-checked", "true")
    ming.look("consent-withdrawn")


def _sign_out(ming: Walk) -> None:
    ming.go("/me", "me")
    ming.tap("sign-out")
    ming.arrive("sign-in")
    ming.page.goto("/wallet")
    ming.arrive("sign-in")


def test_anybody_compares_the_products_for_a_loan_of_their_choice(walk: Callable[[str], Walk]) -> None:
    reader = walk("products")
    reader.go("/products", "products")
    cells = reader.on("row-verdict").locator("td")
    expect(cells).to_have_text(["没有这个期限以下按 5 个月计算", "可以", "可以"])
    # 10,000 yuan over six months at 0.06 % a day costs the same with Jiebei and Jintiao
    most = reader.on("row-interest").locator("td").filter(has_text="至")
    expect(most).to_have_count(3)
    assert most.nth(1).locator("span").last.inner_text() == most.nth(2).locator("span").last.inner_text()
    reader.look("six-months")
    reader.on("shape-interest_first").check()
    expect(cells).to_have_text(["没有这种还款方式", "没有这种还款方式", "可以"])
    reader.on("shape-equal_principal").check()
    reader.on("instalments-10").check()
    reader.type("amount", "200")
    expect(cells).to_have_text(["可以", "没有这个期限以下按 12 个月计算", "低于单笔最低金额"])
    reader.look("small")
    reader.tap("language-en")
    expect(cells).to_have_text(["Possible", "Not one of its termsFigures for 12 months", "Less than its smallest draw"])
    reader.look("english")


def test_another_product_has_an_entry_of_its_own(walk: Callable[[str], Walk]) -> None:
    ming = walk("entries")
    ming.go("/wallet", "sign-in")
    ming.sign_in(ming.platform.invited)
    ming.arrive("wallet")
    ming.look("wallet")
    ming.tap("product-jiebei")
    ming.arrive("credit")
    expect(ming.on("title")).to_have_text("借呗")
    assert int(ming.on("points").inner_text()) >= 600
    ming.look("jiebei")


def test_who_is_declined_sees_why_what_would_change_it_and_has_a_person_look(walk: Callable[[str], Walk]) -> None:
    ming = walk("declined")
    platform = ming.platform
    platform.hands().set_elsewhere(platform.invited, open_loans=1, owed_fen=100_000, overdue_days=30)
    ming.go("/credit?product=jiebei", "sign-in")
    ming.sign_in(platform.invited)
    ming.arrive("credit")
    for step, take in (("real_name", _give_a_name), ("card", _give_a_card), ("consents", _consent)):
        if ming.on(f"step-{step}").get_attribute("aria-current") == "step":
            take(ming)
    ming.tap("continue")
    ming.arrive("line")
    ming.on("student-no").check()
    ming.tap("apply")
    expect(ming.on("decision")).to_have_attribute("data-result", "declined")
    expect(ming.on("reasons")).to_contain_text("在其他机构有逾期未还")
    expect(ming.on("way-1")).to_contain_text("还清在其他机构的逾期欠款")
    expect(ming.on("way-1")).to_contain_text("额度约 ¥")
    ming.tap("notice-toggle")
    expect(ming.on("notice-text")).to_contain_text("征信机构")
    ming.look("declined")
    ming.tap("ask-review")  # one tap from the result
    expect(ming.on("review-until")).to_be_visible()
    expect(ming.on("ask-review")).to_have_count(0)
    ming.look("in-review")
    [waiting] = json.loads(platform.command("review", "list", "--json").stdout)
    assert waiting["asked_by"] == "member"
    words = ("--by", "chen", "--reason", "逾期已还清，凭证已核实", "--json")
    answered = platform.command("review", "answer", waiting["review_id"], "approved", *words)
    assert answered.returncode == 0, answered.stderr
    ming.go("/credit/line?product=jiebei", "line")
    expect(ming.on("line-card")).to_be_visible()
    expect(ming.on("reasons")).to_contain_text("人工复核")
    ming.look("answered")
