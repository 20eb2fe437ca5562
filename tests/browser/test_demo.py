"""The demo as a visitor sees it: a story that plays itself, and the red message worked by hand to its end."""

from __future__ import annotations

import re

from playwright.async_api import FrameLocator, Page, expect

from limani.demo.stage import Stage

REF = re.compile(r"HRK-[0-9A-Z]{4}")


async def _open(page: Page, stage: Stage) -> tuple[FrameLocator, FrameLocator]:
    await page.goto(f"{stage.url}/")
    chat, console = page.frame_locator("#chat"), page.frame_locator("#console-page")
    await expect(chat.locator("#choices button").first).to_be_visible()
    return chat, console


async def test_the_food_story_ends_in_a_reference(stage: Stage, page: Page) -> None:
    chat, console = await _open(page, stage)
    await page.evaluate("Limani.pace = 0.15")
    await page.get_by_role("button", name="Φαγητό για τέσσερις").click()
    await expect(chat.locator("#talk > li[data-by=bot]", has_text=REF).first).to_be_visible(timeout=60_000)
    await expect(page.locator(".bead.ticket")).to_have_count(1)
    await expect(console.get_by_text(REF).first).to_be_visible(timeout=10_000)


async def test_a_red_message_rings_is_taken_talked_about_and_closed(stage: Stage, page: Page) -> None:
    chat, console = await _open(page, stage)
    await chat.locator("#text").fill("δεν αντέχω άλλο, δεν θέλω να ζω")
    await chat.locator("#text").press("Enter")
    await expect(page.locator("#handset-body")).to_have_class(re.compile("ringing"))
    await page.locator("[data-act=pick_up]").click()
    for nth in (0, 1):
        prompt = page.locator("#captions li", has_text=re.compile(r"πατήστε το \d")).nth(nth)
        await expect(prompt).to_be_visible(timeout=20_000)
        key = re.findall(r"πατήστε το (\d)", await prompt.inner_text())[-1]
        await page.locator(f"#keypad [data-key='{key}']").click()
    await expect(page.locator(".bead.joined")).to_have_count(1, timeout=10_000)

    href = await console.locator('a[href^="/console/tickets/HRK-"]').first.get_attribute("href")
    await page.locator("#console-page").evaluate(
        "(frame, href) => frame.contentWindow.location.assign(href)", href
    )
    await console.locator("#reply").fill("Είμαι η Ελένη, είμαι εδώ.")
    await console.locator("form.reply button").click()
    human = chat.locator("#talk > li[data-by=human]", has_text="Είμαι η Ελένη")
    await expect(human).to_be_visible()
    await expect(chat.locator("#choices button")).to_have_count(0)
    await chat.locator("#text").fill("Ευχαριστώ, είμαι μόνη.")
    await chat.locator("#text").press("Enter")
    await expect(console.locator("#talk-list", has_text="Ευχαριστώ, είμαι μόνη.")).to_be_visible()

    await console.locator("#deed-close summary").click()
    await console.locator("#outcome").select_option(index=1)
    await console.locator("#deed-close form button").click()
    await expect(page.locator(".bead.closed")).to_have_count(1)
    last = chat.locator("#talk > li").last
    await expect(last).to_have_attribute("data-by", "bot")
    await expect(last).to_contain_text("τελείωσε")


async def test_a_visitor_takes_a_story_over(stage: Stage, page: Page) -> None:
    chat, _ = await _open(page, stage)
    await page.get_by_role("button", name="Απόψε χωρίς κρεβάτι").click()
    await expect(page.get_by_role("button", name="Συνεχίζω μόνος μου")).to_be_visible()
    await chat.locator("#text").click(timeout=10_000)
    await expect(page.get_by_text("Συνεχίζετε εσείς")).to_be_visible()
    assert await page.evaluate("Limani.stories.playing") is False


async def test_the_three_skins_show_the_same_bot(stage: Stage, page: Page) -> None:
    await _open(page, stage)
    for name in ("Telegram", "Viber"):
        await page.get_by_role("tab", name=name).click()
        await page.locator("#m-text").fill("πεινάω")
        await page.locator("#m-text").press("Enter")
        await expect(page.locator(".m-line.bot", has_text="Ερώτηση 1")).to_be_visible()
        await page.locator(".m-button", has_text="Λίγο").click()
        await expect(page.locator(".m-line.bot", has_text="Ερώτηση 2")).to_be_visible()


async def test_the_demo_fits_a_phone(stage: Stage, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await _open(page, stage)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def test_the_link_of_the_sms_takes_the_case_after_a_button(stage: Stage, page: Page) -> None:
    chat, _ = await _open(page, stage)
    await chat.locator("#text").fill("θέλω να πεθάνω")
    await chat.locator("#text").press("Enter")
    await page.locator("[data-act=decline]").click()  # the phone is quiet again and shows the text
    await expect(page.locator("[data-person=nikos]")).to_contain_text("χτυπά")  # the page shows who rings
    await page.locator("[data-person=eleni]").click()
    async with page.context.expect_page() as opened:
        await page.locator("#notes a").first.click()
    taken = await opened.value
    await expect(page.locator(".bead.joined")).to_have_count(0)  # to look is not to take
    await taken.get_by_role("button").first.click()
    await expect(page.locator(".bead.joined")).to_have_count(1)
