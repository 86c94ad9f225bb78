"""The card on a real dashboard: read, answered, and judged by axe."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from lab.demo.lines import add_number, list_lines
from lab.home import PROJECT, USER
from simulator import Media

from .pages import HomePage

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import BrowserContext, Locator, Page

    from lab.home import Home
    from simulator import Simulator

pytestmark = pytest.mark.browser

AXE = PROJECT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SENDER, BANK = "+33612345678", "MyBank"
MARKUP = "<img src=x onerror=\"document.title='broken'\"> <b>bold</b>"
LONG = "x" * 400 + "\N{RIGHT-TO-LEFT OVERRIDE}" + "y" * 400
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
MANY = 120
# What axe finds in the card, and which rules it had nothing to judge by, however deep in the shadow of the page it stands.
VIOLATIONS = """
    async (card) => {
        const found = await axe.run(card, {});
        const judged = new Set(found.passes.map((each) => each.id));
        return [
            ...["aria-allowed-attr", "button-name", "color-contrast"].filter(
                (each) => !judged.has(each)
            ),
            ...found.violations.map(
                (each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`
            ),
        ];
    }
"""


async def furnish(home: Home, providers: Simulator) -> str:
    """Set a number up, and make it a dashboard of one card; return its entry id."""
    line = next(each for each in list_lines(providers) if each.provider == "twilio")
    entry_id = await add_number(home, providers, line)
    card = {"type": "custom:virtual-sms-card", "config_entry_id": entry_id}
    view = {"title": "SMS", "type": "sections", "sections": [{"cards": [card]}]}
    await home.command(
        "lovelace/dashboards/create",
        url_path="sms-inbox",
        title="Inbox",
        mode="storage",
    )
    await home.command(
        "lovelace/config/save", url_path="sms-inbox", config={"views": [view]}
    )
    return entry_id


async def open_card(ui: HomePage) -> Locator:
    """Open the dashboard, and return the card."""
    await ui.open("/sms-inbox")
    card = ui.page.locator("virtual-sms-card")
    await card.locator("nav").wait_for()
    return card


async def judge(page: Page, card: Locator, where: str) -> None:
    """Have axe find nothing to complain about."""
    if not await page.evaluate("typeof axe !== 'undefined'"):
        await page.add_script_tag(path=AXE)
    assert await card.evaluate(VIOLATIONS) == [], where


async def test_the_card_is_read_and_answered(
    home: Home, providers: Simulator, browser: BrowserContext, tmp_path: Path
) -> None:
    """By mouse and by keyboard, with texts that mean harm, on both sides of a restart."""
    await furnish(home, providers)
    phone = providers.providers["twilio"]
    phone.receive(BANK, "Your code is 1234")
    phone.receive(SENDER, MARKUP)
    ui = HomePage(await browser.new_page(), home.url)
    await ui.log_in(USER["username"], USER["password"])
    card = await open_card(ui)
    thread = card.locator("nav").get_by_role("button", name=SENDER)
    await thread.get_by_text("Unread: 1").wait_for(state="attached")

    await thread.focus()
    await ui.page.keyboard.press("Enter")
    log = card.get_by_role("log")
    await log.get_by_text(MARKUP).wait_for()
    await log.get_by_text("Unknown sender").wait_for()
    assert await log.locator(".text b, .text img").count() == 0
    assert "broken" not in await ui.page.title()
    await thread.get_by_text("Unread: 1").wait_for(state="detached")

    box = card.get_by_role("textbox", name="Message")
    await box.fill("« d’accord »")
    await card.get_by_text("1 SMS · 10/160").wait_for()
    await box.fill("Fête")
    await card.get_by_text("makes it expensive").wait_for()
    await box.fill("Good evening")
    await box.press("Enter")
    await log.get_by_text("Good evening").wait_for()
    await log.get_by_role("img", name="Delivered").wait_for()
    assert await box.input_value() == ""

    phone.receive(SENDER, LONG)
    await log.get_by_text(LONG[:400]).wait_for()
    await box.press("Escape")
    await log.wait_for(state="detached")
    await card.locator("nav").get_by_role("button", name=BANK).click()
    await card.get_by_text("This sender cannot be answered.").wait_for()

    await card.get_by_role("button", name="New message").click()
    await card.get_by_role("textbox", name="Phone number").fill("not a number")
    await card.get_by_role("textbox", name="Message").fill("Hello")
    await card.get_by_role("button", name="Send").click()
    problem = card.get_by_role("alert")
    said = await problem.inner_text()
    assert said.startswith("SMS not sent: not a number is not a phone number")
    await ui.page.screenshot(path=tmp_path / "refused.png")


async def test_pictures_are_seen(
    home: Home, providers: Simulator, browser: BrowserContext, tmp_path: Path
) -> None:
    """What came in, when it does and later; what is no picture has a link."""
    await furnish(home, providers)
    phone = providers.providers["twilio"]
    phone.receive(
        SENDER, "", [Media("image/png"), Media("application/pdf", b"%PDF-1.7")]
    )
    await providers.settled()
    ui = HomePage(await browser.new_page(), home.url)
    await ui.log_in(USER["username"], USER["password"])
    card = await open_card(ui)
    await card.locator("nav").get_by_role("button", name=SENDER).click()
    log = card.get_by_role("log")
    pictures = log.locator("virtual-sms-attachment img")
    await pictures.first.wait_for()
    phone.receive(SENDER, "One more", [Media("image/png")])
    await log.get_by_text("One more").wait_for()
    await pictures.nth(1).wait_for()
    for index in range(2):
        shown = pictures.nth(index)
        await shown.scroll_into_view_if_needed()
        await ui.page.wait_for_function(
            "(image) => image.complete && image.naturalWidth > 0",
            arg=await shown.element_handle(),
        )
    assert await log.locator("virtual-sms-attachment a").count() == 3
    await judge(ui.page, card, "pictures")
    await ui.page.screenshot(path=tmp_path / "pictures.png")


async def test_older_messages_come_by_scrolling(
    home: Home, providers: Simulator, browser: BrowserContext
) -> None:
    """All of a long conversation, each once, with what is read staying in sight."""
    await furnish(home, providers)
    phone = providers.providers["twilio"]
    for number in range(MANY):
        phone.receive(SENDER, f"message {number}.")
        await providers.settled()
    ui = HomePage(await browser.new_page(), home.url)
    await ui.log_in(USER["username"], USER["password"])
    card = await open_card(ui)
    await card.locator("nav").get_by_role("button", name=SENDER).click()
    log = card.get_by_role("log")
    await log.get_by_text(f"message {MANY - 1}.").wait_for()
    while await log.get_by_role("button", name="Older messages").count():
        await log.evaluate("each => { each.scrollTop = 0; }")
        await ui.page.wait_for_timeout(200)
    texts = await log.locator(".text").all_inner_texts()
    assert sorted(texts) == sorted(f"message {number}." for number in range(MANY))


@pytest.mark.parametrize("browser", ["en-US", "fr-FR"], indirect=True)
async def test_the_card_is_for_everybody(
    home: Home,
    providers: Simulator,
    browser: BrowserContext,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """No violation on desktop and phone, light and dark, in the list and in it."""
    entry_id = await furnish(home, providers)
    phone = providers.providers["twilio"]
    phone.receive(BANK, "Your code is 1234")
    phone.receive(SENDER, MARKUP)
    phone.receive(SENDER, LONG)
    await home.call(
        "virtual_sms",
        "send_message",
        answer=True,
        config_entry_id=entry_id,
        to=SENDER,
        message="Good evening",
    )
    await providers.settled()
    page = await browser.new_page()
    language = request.node.callspec.params["browser"][:2]
    ui = HomePage(page, home.url)
    await page.goto(home.url)
    await page.locator("input[name=username]").fill(USER["username"])
    await page.locator("input[name=password]").fill(USER["password"])
    await page.keyboard.press("Enter")
    await page.locator("home-assistant-main").wait_for()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
            where = f"{device}-{scheme}-{language}"
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            card = await open_card(ui)
            await card.locator("nav").get_by_role("button", name=SENDER).wait_for()
            await judge(page, card, f"{where}: list")
            await picture(page, tmp_path, f"{where}-list")
            await card.locator("nav").get_by_role("button", name=SENDER).click()
            await card.get_by_role("log").get_by_text("Good evening").wait_for()
            await card.get_by_role("textbox", name="Message").fill("Fête")
            await judge(page, card, f"{where}: conversation")
            await picture(page, tmp_path, f"{where}-conversation")
            assert await fits(page, card), where


async def fits(page: Page, card: Locator) -> bool:
    """Say whether the card is as wide as the window lets it be, and no text is wider."""
    box: Any = await card.bounding_box()
    window: Any = page.viewport_size
    log = card.get_by_role("log")
    is_narrow = await log.evaluate("each => each.scrollWidth <= each.clientWidth")
    return bool(is_narrow) and box["x"] + box["width"] <= window["width"]


async def picture(page: Page, folder: Path, name: str) -> None:
    """Take a picture for whoever wants to look at it."""
    safe = re.sub(r"\W+", "-", name)
    await page.screenshot(path=folder / f"{safe}.png", animations="disabled")


async def test_the_card_is_added_from_the_picker(
    home: Home, providers: Simulator, browser: BrowserContext, tmp_path: Path
) -> None:
    """Found by its name, with the home's number chosen, and a form to change it."""
    await furnish(home, providers)
    ui = HomePage(await browser.new_page(), home.url)
    await ui.log_in(USER["username"], USER["password"])
    await open_card(ui)
    page = ui.page
    await ui.open("/sms-inbox?edit=1")
    await (
        page.locator("hui-section").get_by_role("button", name="Add card").first.click()
    )
    chooser = page.locator("hui-dialog-create-card")
    await chooser.get_by_text("Browse all cards").click()
    await chooser.locator("input:visible").first.fill("Virtual SMS")
    await page.screenshot(path=tmp_path / "picker.png")
    found = chooser.locator(".card").filter(has_text="Virtual SMS")
    await found.locator(".overlay").first.click()
    editor = page.locator("hui-dialog-edit-card")
    await editor.locator("virtual-sms-card nav").wait_for()
    await page.screenshot(path=tmp_path / "editor.png")
    for label in ("Number", "Title"):
        await editor.get_by_text(label).first.wait_for()
    await editor.get_by_text("Twilio number").first.wait_for()
    await editor.get_by_role("button", name="Save").click()
    await page.locator("hui-section virtual-sms-card nav").nth(1).wait_for()
