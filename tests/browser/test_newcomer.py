"""What a newcomer does in the first ten minutes."""

from typing import TYPE_CHECKING, Any

import pytest

from lab.home import USER

from .pages import HomePage

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from lab.home import Home
    from simulator import Simulator

    from .pictures import Album

pytestmark = pytest.mark.browser


async def test_newcomer(
    home: Home, providers: Simulator, browser: BrowserContext, album: Album
) -> None:
    page = await browser.new_page()
    ui = HomePage(page, home.url)
    await ui.log_in(USER["username"], USER["password"])
    flow = await ui.add_integration("Virtual SMS")
    await flow.title("Who is your number from?")
    await flow.choose("Twilio")
    await flow.title("Connect to Twilio")
    await flow.fill(**providers.twilio.credentials)
    await flow.expand("Advanced")
    await flow.fill(api_url=providers.url)
    await flow.submit()
    await flow.title("Choose a number")
    await flow.fill(name="Home")
    await flow.submit()
    await flow.title("How do messages get here?")
    await album.take(page, "callbacks", flow.frame)
    await flow.choose("Automatic: set the address at the provider for me")
    await flow.submit()
    await page.wait_for_timeout(3000)
    await album.take(page, "x1")
    await flow.submit("Finish")
    await page.wait_for_timeout(3000)
    await album.take(page, "x2")
    flow = await ui.add_integration("Virtual SMS")
    await flow.title("Who is your number from?")
    await flow.choose("OVHcloud")
    await flow.title("Connect to OVHcloud")
    keys = providers.ovh.credentials
    await flow.fill(application_key=keys["application_key"], application_secret=keys["application_secret"])
    await flow.expand("Advanced")
    await flow.fill(api_url=providers.url)
    await album.take(page, "x3", flow.frame)
    await flow.submit()
    await page.wait_for_timeout(3000)
    await album.take(page, "x4")
    async with browser.expect_page() as opened:
        await flow.dialog.get_by_role("link").last.click()
    p2 = await opened.value
    await album.take(p2, "x5")
    await p2.get_by_role("button").first.click()
    await p2.wait_for_timeout(500)
    await album.take(p2, "x6")
    await p2.close()
    await page.wait_for_timeout(4000)
    await album.take(page, "x7")
    await flow.fill(name="Work")
    await flow.submit()
    await flow.choose("Automatic: set the address at the provider for me")
    await flow.submit()
    await flow.submit("Finish")
    await page.wait_for_timeout(3000)
    await ui.open("/config/integrations/integration/virtual_sms")
    await page.wait_for_timeout(4000)
    await album.take(page, "x8")
    await ui.open("/config/tools/action")
    await page.wait_for_timeout(4000)
    print(page.url)
    await album.take(page, "x9")
    await ui.open("/developer-tools/action")
    await page.wait_for_timeout(4000)
    print(page.url)
    await album.take(page, "x10")
    entries = await home.command("config_entries/get", domain="virtual_sms")
    dev = await home.command("config/device_registry/list")
    d = [x for x in dev if x["name"]=="Home"][0]
    await page.goto(home.url+"/config/devices/device/"+d["id"])
    await page.wait_for_timeout(4000)
    await album.take(page, "x11")
