"""What a newcomer does in the first ten minutes, as the README tells it."""

import re
from typing import TYPE_CHECKING

import pytest

from lab.demo.dashboard import show_dashboard
from lab.home import USER

from .pages import HandsetPage, HomePage
from .pictures import SHOWN

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from lab.home import Home
    from simulator import Simulator

    from .pages import Flow
    from .pictures import Album

pytestmark = pytest.mark.browser

AUTOMATIC = "Automatic: set the address at the provider for me"
SENDER = "+14155550100"
QUESTION, ANSWER = "Is the garage door closed?", "The garage door is open."


async def test_a_newcomer_gets_along(
    home: Home, providers: Simulator, browser: BrowserContext, album: Album
) -> None:
    """Both numbers are set up, text and receive, all with mouse and keyboard."""
    ui = HomePage(await browser.new_page(), home.url)
    handset = HandsetPage(await browser.new_page(), providers.url)
    await ui.page.bring_to_front()
    await ui.log_in(USER["username"], USER["password"])

    await add_twilio_number(ui, providers, album)
    await add_ovh_number(ui, providers, album)
    twilio, ovh = await home.command("config_entries/get", domain="virtual_sms")

    await text_the_home(ui, handset, home, twilio["entry_id"])
    await answer_by_action(ui, home, twilio["entry_id"], album)
    await see_the_delivery(ui, home, twilio["entry_id"], album)
    await see_the_handset(ui, handset, home, ovh["entry_id"], album)
    await see_the_dashboard(ui, home, [twilio, ovh], album)
    await see_the_options(ui, album)

    assert album.taken == set(SHOWN)
    album.conclude()


async def add_twilio_number(ui: HomePage, providers: Simulator, album: Album) -> None:
    """Add Twilio's number; the token is wrong at first."""
    flow = await ui.add_integration("Virtual SMS")
    await flow.step("Which provider is your number from?")
    await album.take(ui.page, "provider", flow.frame)
    await flow.choose("Twilio")

    await flow.step("Connect to Twilio")
    await flow.toggle("Advanced")
    await flow.fill(api_url=providers.url)
    await flow.toggle("Advanced")
    await flow.fill(**providers.twilio.credentials)
    await album.take(ui.page, "twilio-credentials", flow.frame)
    await flow.fill(auth_token="0" * 32)
    await flow.submit()
    assert "does not accept" in await flow.error()
    # It is open, as the address in it may be what is wrong.
    await flow.toggle("Advanced")
    await album.take(ui.page, "twilio-wrong-token", flow.frame)
    await flow.fill(**providers.twilio.credentials)
    await flow.submit()

    await flow.step("Choose a number")
    await flow.fill(name="Home")
    await album.take(ui.page, "twilio-number", flow.frame)
    await flow.submit()
    await flow.step("How should messages arrive?")
    await flow.choose(AUTOMATIC)
    await album.take(ui.page, "callbacks", flow.frame)
    await flow.submit()
    await decline_contact(flow)


async def add_ovh_number(ui: HomePage, providers: Simulator, album: Album) -> None:
    """Add OVHcloud's number, whose access is allowed by a click."""
    flow = await ui.add_integration("Virtual SMS")
    await flow.choose("OVHcloud")

    await flow.step("Connect to OVHcloud")
    await flow.toggle("Advanced")
    await flow.fill(api_url=providers.url)
    await flow.toggle("Advanced")
    await flow.fill(**providers.ovh.credentials)
    await album.take(ui.page, "ovh-credentials", flow.frame)
    await flow.fill(consumer_key="")
    await flow.submit()

    await flow.step("Allow access at OVHcloud")
    await album.take(ui.page, "ovh-click", flow.frame)
    tab = await flow.follow_link("this page of OVHcloud")
    await tab.get_by_role("button", name="Authorise").click()
    await tab.get_by_text("validated").wait_for()
    await tab.close()

    await flow.step("Choose a number")
    await flow.fill(name="Holiday home")
    await album.take(ui.page, "ovh-number", flow.frame)
    await flow.submit()
    await flow.step("How should messages arrive?")
    await flow.choose(AUTOMATIC)
    await flow.submit()
    await decline_contact(flow)


async def decline_contact(flow: Flow) -> None:
    """Leave the offer of a contact, which follows the areas if devices came in time."""
    areas, contact = "Name and assign", "Whom do you want to text?"
    if await flow.wait_for_one(areas, contact) == areas:
        await flow.go_on()
    await flow.step(contact)
    await flow.close()


async def text_the_home(
    ui: HomePage, handset: HandsetPage, home: Home, entry_id: str
) -> None:
    """Watch the device page while a text comes in."""
    await ui.open_device(await device_of(home, entry_id))
    await handset.open()
    await handset.text("Twilio", QUESTION)
    await ui.shows(QUESTION)
    await ui.shows(SENDER)


async def device_of(home: Home, entry_id: str) -> str:
    """Return the id of a number's device."""
    devices = await home.command("config/device_registry/list")
    return next(each["id"] for each in devices if entry_id in each["config_entries"])


async def answer_by_action(
    ui: HomePage, home: Home, entry_id: str, album: Album
) -> None:
    """Answer from the page for actions: first with a slip, then rightly."""
    await ui.prepare_action(action(entry_id, "the neighbour"))
    assert "the neighbour is not a phone number" in await ui.fail_action()

    tools = await ui.prepare_action(action(entry_id, SENDER))
    await album.take(ui.page, "action", tools.locator("ha-card").first, height=1000)
    response = await ui.perform_action()
    assert re.search("status: (queued|sent|delivered)", response)
    assert SENDER in response


def action(entry_id: str, to: str) -> str:
    """Write an action as a person would."""
    return (
        "action: virtual_sms.send_message\n"
        "data:\n"
        f"  config_entry_id: {entry_id}\n"
        f"  to: '{to}'\n"
        f"  message: {ANSWER}\n"
    )


async def see_the_delivery(
    ui: HomePage, home: Home, entry_id: str, album: Album
) -> None:
    """See on the device page that the answer was delivered."""
    await ui.open_device(await device_of(home, entry_id))
    await ui.shows("Delivered")
    await ui.shows("delivered an SMS to")
    await album.take(ui.page, "device", height=1040)


async def see_the_handset(
    ui: HomePage, handset: HandsetPage, home: Home, entry_id: str, album: Album
) -> None:
    """See the answer there, and text through the other number too."""
    await handset.page.bring_to_front()
    await handset.shows("Twilio", ANSWER)
    await handset.shows("Twilio", "delivered ✓")
    await handset.text("OVHcloud", "Is the heating on?")
    await ui.open_device(await device_of(home, entry_id))
    await ui.shows("Is the heating on?")
    await home.call(
        "notify",
        "holiday_home",
        message="The heating is on, 19 °C.",
        target="06 12 34 56 78",
    )
    await handset.shows("OVHcloud", "delivered ✓")
    await album.take(handset.page, "handset", handset.phones)


async def see_the_dashboard(
    ui: HomePage, home: Home, entries: list[dict[str, str]], album: Album
) -> None:
    """See both numbers side by side."""
    await show_dashboard(home, [(each["title"], each["entry_id"]) for each in entries])
    await ui.page.bring_to_front()
    await ui.open("/virtual-sms")
    await ui.shows(QUESTION)
    await ui.shows("Is the heating on?")
    # The list of what happened comes last.
    for told in ("Message", "Delivered"):
        await ui.page.locator("ha-logbook").get_by_text(told).nth(1).wait_for()
    await album.take(ui.page, "dashboard")
    await ui.open("/virtual-sms/conversations")
    card = ui.page.locator("virtual-sms-card").first
    await card.locator("nav").get_by_role("button", name=SENDER).click()
    await card.get_by_role("log").get_by_text(ANSWER).wait_for()
    await album.take(ui.page, "card", card)


async def see_the_options(ui: HomePage, album: Album) -> None:
    """Look at what can be changed, and leave it."""
    flow = await ui.open_options()
    await flow.step("Receiving, sending and privacy")
    await album.take(ui.page, "options", flow.frame, height=1400)
    await flow.submit()
    await flow.step("Success")
    await flow.finish()
