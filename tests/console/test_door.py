"""Who gets in, for how long, and who does not."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient
from sqlalchemy import select

from console.throttle import FREE
from escalation.people import disable
from store.schema import logins
from tests.console.conftest import ENGLISH, PASSWORD, Browser, House, form_token, see, sign_in


async def test_a_stranger_is_sent_to_the_door_and_comes_back_to_where_he_wanted(browser: Browser) -> None:
    answer = await browser.get("/console/tickets", allow_redirects=False)
    assert answer.status == 303
    assert answer.headers["Location"] == "/console/login?next=/console/tickets"
    token = await form_token(browser, answer.headers["Location"])
    fields = {"csrf": token, "name": "eleni", "password": PASSWORD, "next": "/console/tickets"}
    entered = await browser.post("/console/login", data=fields, allow_redirects=False)
    assert entered.headers["Location"] == "/console/tickets"
    assert "All cases" in await see(browser, "/console/tickets")


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "/console/../x", "/console/logout"]
)
async def test_sign_in_leads_nowhere_else(browser: Browser, place: str) -> None:
    token = await form_token(browser, "/console/login")
    fields = {"csrf": token, "name": "eleni", "password": PASSWORD, "next": place}
    entered = await browser.post("/console/login", data=fields, allow_redirects=False)
    assert entered.headers["Location"] == "/console/"


async def test_wrong_name_and_wrong_password_look_the_same(browser: Browser) -> None:
    wrong_password = await sign_in(browser, "eleni", "not-the-password")
    wrong_name = await sign_in(browser, "nobody", "not-the-password")
    assert wrong_password.status == wrong_name.status == 403
    sentence = "Name and password do not match"
    assert sentence in await wrong_password.text()
    assert sentence in await wrong_name.text()


async def test_a_session_is_a_row_that_nobody_can_use_who_reads_it(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    cookie = _cookie(browser, "limani")
    row = await house.db.read(lambda tx: tx.execute(select(logins)).one())
    assert row.person == "eleni"
    assert cookie not in row.token_hash
    assert len(cookie) >= 43


async def test_every_sign_in_gets_a_fresh_token(browser: Browser) -> None:
    await sign_in(browser, "eleni")
    first = _cookie(browser, "limani")
    await browser.post("/console/logout", data={"csrf": await form_token(browser, "/console/")})
    await sign_in(browser, "eleni")
    assert _cookie(browser, "limani") != first


async def test_twelve_idle_hours_end_it(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    house.clock.advance(timedelta(hours=11))
    await see(browser, "/console/")
    house.clock.advance(timedelta(hours=11))
    await see(browser, "/console/")
    house.clock.advance(timedelta(hours=3))
    assert (await browser.get("/console/", allow_redirects=False)).status == 303


async def test_a_page_that_refreshes_itself_does_not_keep_the_session_alive(
    house: House, browser: Browser
) -> None:
    await sign_in(browser, "eleni")
    house.clock.advance(timedelta(hours=11))
    await browser.get("/console/", headers={"X-Limani-Refresh": "1"})
    house.clock.advance(timedelta(hours=2))
    assert (await browser.get("/console/", allow_redirects=False)).status == 303


async def test_signing_out_kills_the_session_on_the_server(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    kept = _cookie(browser, "limani")
    await browser.post("/console/logout", data={"csrf": await form_token(browser, "/console/")})
    again = await browser.get("/console/", cookies={"limani": kept}, allow_redirects=False)
    assert again.status == 303


async def test_a_disabled_account_is_out_at_once(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await house.do(lambda tx: disable(tx, "eleni", house.clock.now()))
    assert (await browser.get("/console/", allow_redirects=False)).status == 303
    assert (await sign_in(browser, "eleni")).status == 403


async def test_guessing_is_slowed_and_a_known_browser_is_not(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    await browser.post("/console/logout", data={"csrf": await form_token(browser, "/console/")})
    jar = CookieJar(unsafe=True)
    async with cast(Browser, TestClient(browser.server, headers=ENGLISH, cookie_jar=jar)) as stranger:
        for _ in range(FREE):
            assert (await sign_in(stranger, "eleni", "not-the-password")).status == 403
        slowed = await sign_in(stranger, "eleni")
        assert slowed.status == 429
        assert "Too many tries" in await slowed.text()
        assert (await sign_in(browser, "eleni")).status == 303, "the responder's own browser gets in"
        house.clock.advance(timedelta(minutes=31))
        assert (await sign_in(stranger, "eleni")).status == 303


async def test_behind_https_the_cookie_is_bound_to_the_host(house: House) -> None:
    async with house.browser(public_url="https://limani.example") as client:
        answer = await client.get("/console/login")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-limani-door=")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


async def test_the_demo_signs_in_by_itself_and_only_on_this_machine(house: House) -> None:
    async with house.browser(auto_login="dora") as client:
        assert "Signed in as" in await see(client, "/console/tickets")
    with pytest.raises(ValueError, match="demo"):
        house.console(auto_login="dora", public_url="https://limani.example")


async def test_the_door_speaks_the_browsers_language_until_another_is_chosen(browser: Browser) -> None:
    greek = await browser.get("/console/login", headers={"Accept-Language": "el-GR"})
    assert "Κωδικός" in await greek.text()
    token = await form_token(browser, "/console/login")
    await browser.post("/console/login/language", data={"csrf": token, "language": "en"})
    assert "Password" in await see(browser, "/console/login")


async def test_the_chosen_language_stays_with_the_account(house: House, browser: Browser) -> None:
    await sign_in(browser, "eleni")
    token = await form_token(browser, "/console/")
    await browser.post("/console/language", data={"csrf": token, "language": "el", "back": "/console/shift"})
    async with house.browser() as other:
        await sign_in(other, "eleni")
        assert "Δεν περιμένει κανείς" in await see(other, "/console/")


def _cookie(client: Browser, name: str) -> str:
    return next(cookie.value for cookie in client.session.cookie_jar if cookie.key == name)
