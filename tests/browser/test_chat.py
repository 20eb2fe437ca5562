"""The citizen's chat in a real browser: reload, restart, keyboard, exit, danger."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from bot.message import Message
from limani.demo.stage import Stage, free_port, open_stage

_SMALL = """() => [...document.querySelectorAll('a, button, textarea')]
    .filter((one) => one.checkVisibility() && !one.classList.contains('skip'))
    .map((one) => [one.getBoundingClientRect(), one])
    .filter(([box]) => box.height < 44 || box.width < 44)
    .map(([box, one]) => `${one.outerHTML.slice(0, 60)} ${box.width}x${box.height}`)"""


async def _lines(page: Page) -> list[str]:
    return await page.locator("#talk > li").all_inner_texts()


async def _says(page: Page, words: str) -> None:
    """Writes, and waits until the bot has answered with choices."""
    await page.fill("#text", words)
    await page.press("#text", "Enter")
    await expect(page.locator("#talk > li[data-by=citizen]", has_text=words)).to_be_visible()
    await expect(page.locator("#talk > li").last).to_have_attribute("data-by", "bot")
    await expect(page.locator("#choices button").first).to_be_visible()


async def test_the_talk_survives_a_reload(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.url}/chat/")
    await expect(page.locator("#choices button").first).to_be_visible()  # it greets by itself
    await _says(page, "δεν έχουμε φαγητό")
    before = await _lines(page)
    await page.reload()
    await expect(page.locator("#talk > li")).to_have_count(len(before))
    assert await _lines(page) == before
    await expect(page.locator("#choices button").first).to_be_visible()


async def test_the_talk_survives_a_restart_of_the_server(browser: Browser, tmp_path: Path) -> None:
    port = free_port(0)
    page = await browser.new_page(locale="el-GR")
    async with open_stage(port, tmp_path) as stage:
        await page.goto(f"{stage.url}/chat/")
        await _says(page, "δεν έχουμε φαγητό")
        before = await _lines(page)
    await page.fill("#text", "τίποτα")
    await page.press("#text", "Enter")
    async with open_stage(port, tmp_path):
        await expect(page.locator("#talk > li", has_text="Ερώτηση 2")).to_be_visible(timeout=20_000)
        after = await _lines(page)
        assert after[: len(before)] == before
        assert sum("τίποτα" in line for line in after[len(before) :]) == 1
    await page.close()


async def test_a_small_phone_and_the_keyboard_are_enough(stage: Stage, page: Page) -> None:
    await page.set_viewport_size({"width": 320, "height": 568})
    await page.goto(f"{stage.url}/chat/")
    await expect(page.locator("#choices button").first).to_be_visible()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    for _ in range(30):
        if await page.evaluate("document.activeElement.id") == "text":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type("πεινάω")
    await page.keyboard.press("Enter")
    await expect(page.locator("#talk > li", has_text="Ερώτηση 1")).to_be_visible()
    await expect(page.get_by_role("button", name="Λίγο")).to_be_visible()
    for _ in range(30):
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.textContent") == "Λίγο":
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("#talk > li", has_text="Ερώτηση 2")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    assert await page.evaluate(_SMALL) == []
    box = await page.locator("#exit").bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 568


async def test_danger_is_told_at_once_with_numbers_to_touch(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.url}/chat/")
    await _says(page, "δεν θέλω να ζω άλλο")
    urgent = page.locator("#talk .bubble.urgent").first
    for number in ("112", "1018", "10306"):
        await expect(urgent.locator(f'a[href="tel:{number}"]').first).to_be_visible()
    await expect(page.locator("#assertive")).to_contain_text("112")


async def test_escape_twice_leaves_and_coming_back_shows_nothing(browser: Browser, stage: Stage) -> None:
    context = await browser.new_context(locale="el-GR")
    page = await context.new_page()

    async def weather(route: Route) -> None:
        await route.fulfill(body="<title>weather</title>", content_type="text/html")

    await page.route(lambda url: not url.startswith(stage.url), weather)
    await page.goto("about:blank")
    await page.goto(f"{stage.url}/chat/")
    await _says(page, "φοβάμαι πολύ, θέλω φαγητό")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(page).to_have_title("weather")
    await page.go_back()
    assert "chat" not in page.url  # the chat's place in the history was taken by the other page
    await page.goto(f"{stage.url}/chat/")
    await expect(page.locator("#choices button").first).to_be_visible()
    assert not any("φοβάμαι" in line for line in await _lines(page))
    assert await page.evaluate("localStorage.length + sessionStorage.length") == 0
    await context.close()


async def test_what_a_citizen_writes_is_never_markup(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.url}/chat/")
    await _says(page, '<img src=x onerror="document.title=1"> φαγητό')
    assert await page.locator("#talk img").count() == 0


async def test_without_script_the_page_gives_the_phones(browser: Browser, stage: Stage) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{stage.url}/chat/")
    await expect(page.get_by_text("You can call")).to_be_visible()
    await expect(page.locator('a[href="tel:1018"]')).to_be_visible()
    await expect(page.locator("#text")).to_be_hidden()
    await context.close()


async def test_only_numbers_that_are_phones_become_links(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.url}/chat/")
    await _says(page, "γεια σας")
    token = next(c["value"] for c in await page.context.cookies() if c["name"] == "limani_chat")
    parts = stage.app.parts
    citizen = await parts.db.read(lambda tx: parts.citizens.find(tx, "web", token))
    assert citizen is not None
    words = Message(
        "test.numbers", "Κοστίζει 100 ευρώ. Καλέστε 100, 166 ή 2813 409112. Όχι 1120, 3.100 ή 10/199."
    )
    await parts.db.write(lambda tx: stage.app.outbox.put(tx, citizen, words, parts.clock.now()))
    parts.bell.ring(f"web:{citizen}")
    links = page.locator("#talk > li", has_text="Κοστίζει").locator("a")
    await expect(links).to_have_count(3)
    hrefs = [await link.get_attribute("href") for link in await links.all()]
    assert hrefs == ["tel:100", "tel:166", "tel:2813409112"]
