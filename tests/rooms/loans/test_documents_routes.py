"""Documents over the API: the member's own, named, hashed, the same each time."""

import base64
from datetime import timedelta
from hashlib import sha256
from urllib.parse import unquote

import psycopg
import pytest
from document_samples import squeezed, text_of

from grainline.loans.documents import VERSIONS, DocumentKind
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio
ENGLISH = {"Accept-Language": "en"}


async def _file(person: Borrower, path: str, **headers: str) -> tuple[bytes, str]:
    """Fetch a document, check its headers against its bytes, and return it with its file name."""
    answer = await person.call("GET", path, **headers)
    assert answer.status_code == 200, answer.text
    digest = sha256(answer.content)
    assert answer.headers["etag"] == f'"{digest.hexdigest()}"'
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    kind, _, name = answer.headers["content-disposition"].partition("; filename*=UTF-8''")
    assert kind.startswith('attachment; filename="')
    assert kind.isascii()
    return answer.content, unquote(name)


async def test_the_contract_that_was_signed_with_its_hash_and_code(stage: Stage) -> None:
    person = await stage.borrower()
    made = await person.contract(10_000)
    path = f"/contracts/{made['contract_id']}/document"
    before, name = await _file(person, path)
    assert name == f"个人借款合同-{made['contract_id'][:8]}.pdf"
    assert "尚未签署" in squeezed("".join(text_of(before)))

    body = {"contract_id": made["contract_id"], "contract_hash": made["hash"], "code": await person.code()}
    await person.post("/draws", body, key=new_key())
    after, _ = await _file(person, path)
    printed = squeezed("".join(text_of(after)))
    for line in made["text"].splitlines():
        assert squeezed(line) in printed
    assert made["hash"] in printed
    assert "短信一次性验证码" in printed

    stage.tick(86_400)
    assert await _file(person, path) == (after, name)


async def test_the_disclosure_as_it_was_shown(stage: Stage) -> None:
    person = await stage.borrower()
    shown = await person.disclosure(5_000)
    content, name = await _file(person, f"/disclosures/{shown['disclosure_id']}/document", **ENGLISH)
    assert name.startswith("Cost disclosure-")
    printed = squeezed("".join(text_of(content)))
    for item in shown["items"]:  # shown in Chinese, and so printed: the language is that of what was signed
        assert squeezed(item["label"] + item["value"]) in printed
    assert squeezed(shown["statement"]) in printed
    assert shown["hash"] in printed
    assert squeezed("SHA-256 of the text") in printed


async def test_the_statement_of_a_loan_and_of_all(stage: Stage) -> None:
    person = await stage.borrower()
    first = await person.loan(10_000)
    await stage.pass_days(40)
    second = await person.loan(3_000)
    await person.repay(second, 100_000)
    today = stage.today()

    content, name = await _file(person, f"/loans/{first}/statement")
    assert name == f"借款对账单-{today - timedelta(days=40)}_{today}.pdf"
    printed = squeezed("".join(text_of(content)))
    assert f"{today - timedelta(days=40)}放款" in printed
    assert "第1期到期" in printed
    loan = await person.get(f"/loans/{first}")
    assert f"当日结清金额¥{loan['payoff_fen'] // 100:,}.{loan['payoff_fen'] % 100:02}" in printed

    text, name = await _file(person, f"/statement?from={today}&format=csv", **ENGLISH)
    assert name == f"Statement of loans-{today}_{today}.csv"
    rows = text.decode("utf-8-sig").splitlines()
    assert rows[0].startswith("Loan number,Date,What happened,")
    assert {row.split(",")[0] for row in rows[1:]} == {first, second}
    assert f"{second},{today},Paid out,3000.00,,3000.00,,,," in rows
    assert any(row.startswith(f"{second},{today},Repayment,,1000.00,2000.00,1000.00,0.00,") for row in rows)


async def test_a_statement_of_no_loan_is_empty(stage: Stage) -> None:
    person = await stage.borrower()
    content, _ = await _file(person, "/statement")
    assert "本期间内没有借款" in squeezed("".join(text_of(content)))


async def test_a_period_that_is_none_or_not_over_is_refused(stage: Stage) -> None:
    person = await stage.borrower()
    tomorrow = stage.today() + timedelta(days=1)
    for query in (f"from={stage.today()}&to={stage.today() - timedelta(days=1)}", f"to={tomorrow}"):
        answer = await person.call("GET", f"/statement?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "statement_period_invalid")
    answer = await person.call("GET", "/statement?format=xlsx")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_the_certificate_once_the_loan_is_settled(stage: Stage) -> None:
    person = await stage.borrower()
    loan_id = await person.loan(2_000)
    path = f"/loans/{loan_id}/settlement-certificate"
    answer = await person.call("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (409, "loan_not_settled")

    await stage.pass_days(3)
    await person.repay(loan_id, (await person.get(f"/loans/{loan_id}"))["payoff_fen"])
    content, name = await _file(person, path)
    assert name == f"贷款结清证明-{loan_id[:8]}.pdf"
    printed = squeezed("".join(text_of(content)))
    assert f"结清日{stage.today()}" in printed
    assert "¥2,000.00" in printed

    stage.tick(90 * 86_400 - 86_400 * 4)
    assert (await _file(person, path))[0] == content


async def test_nobody_reads_anothers_documents(stage: Stage) -> None:
    person, other = await stage.borrower(), await stage.borrower()
    loan_id = await person.loan(2_000)
    [[contract_id, disclosure_id]] = await stage.rows(
        "select contract_id, disclosure_id from loans.contracts where member_id = %s", person.member_id
    )
    paths = {
        f"/loans/{loan_id}/statement": "loan_not_found",
        f"/loans/{loan_id}/settlement-certificate": "loan_not_found",
        f"/contracts/{contract_id}/document": "contract_not_found",
        f"/disclosures/{disclosure_id}/document": "disclosure_not_found",
    }
    for path, code in paths.items():
        answer = await other.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, code)
        assert (await stage.api.get(path)).status_code == 401
    assert loan_id not in (await other.call("GET", "/statement?format=csv")).text
    assert (await stage.api.get("/statement")).status_code == 401


async def test_the_first_hash_is_kept_and_another_one_breaks(stage: Stage) -> None:
    person = await stage.borrower()
    shown = await person.disclosure(1_000)
    path = f"/disclosures/{shown['disclosure_id']}/document"
    content, _ = await _file(person, path)
    await _file(person, path, **ENGLISH)
    kept = await stage.rows(
        "select language, template_version, pdf_hash from loans.documents where member_id = %s and subject = %s"
        " order by language",
        person.member_id,
        shown["disclosure_id"],
    )
    assert [row[0] for row in kept] == ["en", "zh"]
    assert kept[1][1:] == (VERSIONS[DocumentKind.DISCLOSURE, "zh"], sha256(content).digest())

    async with await _owner(stage) as owner:
        await owner.execute("update loans.documents set pdf_hash = sha256('') where member_id = %s", [person.member_id])
    answer = await person.call("GET", path)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


async def test_the_app_may_not_change_what_it_kept(stage: Stage) -> None:
    for sql in ("update loans.documents set pdf_hash = ''", "delete from loans.documents"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await stage.rows(sql)


async def _owner(stage: Stage) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(stage.owner_url, autocommit=True)
