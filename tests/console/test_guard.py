"""What protects each page: headers, form tokens, origins, roles, and words that stay words."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from store.schema import tickets
from tests.console.conftest import Browser, House, act, form_token, see, sign_in

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"
PAGES = ("/console/", "/console/tickets", "/console/tickets/HRK-7F3K", "/console/shift")


@pytest.fixture
async def case(house: House) -> str:
    """One waiting case whose citizen wrote and answered HTML."""
    await house.do(
        lambda tx: house.town.case(
            tx,
            house.clock.now(),
            "HRK-7F3K",
            words=(("citizen", EVIL),),
            answers={"where": EVIL, EVIL: "x"},
            district=EVIL[:60],
        )
    )
    return "HRK-7F3K"


@pytest.mark.parametrize("path", PAGES)
async def test_a_citizens_words_are_never_markup(case: str, browser: Browser, path: str) -> None:
    await sign_in(browser, "dora")
    text = await see(browser, path)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    if path.endswith(case):
        assert "&lt;script&gt;alert(1)" in text
        assert "{{7*7}}" in text.replace("&#39;", "'"), "words are no template either"


async def test_a_note_is_never_markup(case: str, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await act(browser, case, "note", text=EVIL)
    text = await see(browser, f"/console/tickets/{case}")
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 3


@pytest.mark.parametrize("path", [*PAGES, "/console/login", "/console/nowhere"])
async def test_every_page_carries_its_headers(case: str, browser: Browser, path: str) -> None:
    if path != "/console/login":
        await sign_in(browser, "eleni")
    answer = await browser.get(path)
    policy = answer.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'self'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce is not None
    scripts = re.findall(r"<script[^>]*>", await answer.text())
    assert all(f'nonce="{nonce[1]}"' in script for script in scripts)


async def test_each_page_has_a_nonce_of_its_own(browser: Browser) -> None:
    first, second = [await browser.get("/console/login") for _ in range(2)]
    assert first.headers["Content-Security-Policy"] != second.headers["Content-Security-Policy"]


async def test_a_change_without_the_form_token_changes_nothing(
    house: House, case: str, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    for fields in ({}, {"csrf": "AAAA"}, {"csrf": await _token_of_another(house)}):
        answer = await browser.post(f"/console/tickets/{case}/take", data=fields)
        assert answer.status == 403
    assert await _owner(house) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_change_from_another_site_changes_nothing(
    house: House, case: str, browser: Browser, headers: dict[str, str]
) -> None:
    await sign_in(browser, "eleni")
    token = await form_token(browser, f"/console/tickets/{case}")
    answer = await browser.post(f"/console/tickets/{case}/take", data={"csrf": token}, headers=headers)
    assert answer.status == 403
    assert await _owner(house) is None


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:8080"}])
async def test_a_change_from_our_own_page_is_done(
    house: House, case: str, browser: Browser, headers: dict[str, str]
) -> None:
    await sign_in(browser, "eleni")
    token = await form_token(browser, f"/console/tickets/{case}")
    path = f"/console/tickets/{case}/take"
    answer = await browser.post(path, data={"csrf": token}, headers=headers, allow_redirects=False)
    assert answer.status == 303
    assert await _owner(house) == "eleni"


@pytest.mark.parametrize("deed", ["take", "reply", "note", "transfer", "handback", "close", "review"])
async def test_looking_changes_nothing(case: str, browser: Browser, deed: str) -> None:
    await sign_in(browser, "dora")
    assert (await browser.get(f"/console/tickets/{case}/{deed}")).status in (404, 405)


async def test_only_a_supervisor_reviews_whatever_the_page_shows(
    house: House, case: str, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    assert "Mark as reviewed" not in await see(browser, f"/console/tickets/{case}")
    refused = await act(browser, case, "review")
    assert refused.status == 403
    assert "Only a supervisor" in await refused.text()
    async with house.browser() as other:
        await sign_in(other, "dora")
        assert (await act(other, case, "review")).status == 303
        assert "Reviewed by Δώρα" in await see(other, f"/console/tickets/{case}")


async def test_nobody_reads_without_a_session(case: str, browser: Browser) -> None:
    assert (await browser.get(f"/console/api/tickets/{case}")).status == 401
    assert (await browser.get("/console/events")).status == 401
    for path in PAGES:
        answer = await browser.get(path, allow_redirects=False)
        assert answer.status == 303
        assert "HRK-7F3K" not in await answer.text()


async def test_only_our_own_static_files_are_served(browser: Browser) -> None:
    page = await see(browser, "/console/login")
    found = re.search(r"/console/static/console\.css\?v=\w+", page)
    assert found is not None
    sheet = await browser.get(found[0])
    assert "immutable" in sheet.headers["Cache-Control"]
    assert len(await sheet.read()) < 30_000
    assert len(await (await browser.get("/console/static/console.js")).read()) < 8_192
    for name in ("app.py", "..%2fapp.py", "%2e%2e/app.py"):
        assert (await browser.get(f"/console/static/{name}", allow_redirects=False)).status in (303, 404)


async def _token_of_another(house: House) -> str:
    async with house.browser() as other:
        await sign_in(other, "nikos")
        return await form_token(other, "/console/")


async def _owner(house: House) -> str | None:
    return await house.db.read(lambda tx: tx.execute(select(tickets.c.assigned_to)).scalar())
