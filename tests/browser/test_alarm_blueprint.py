"""From a blueprint's address to an alarm that rests when somebody answers."""

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web
import pytest

from lab.demo.lines import add_number, list_lines
from lab.home import LOCALHOST, PROJECT, USER, free_port

from .editor import Blueprints
from .pages import HomePage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext

    from lab.home import Home
    from simulator import Simulator

pytestmark = pytest.mark.browser

FILE = PROJECT / "blueprints" / "automation" / "virtual_sms" / "alarm.yaml"
NAME = "Alarm until somebody answers"
SAM, ANN = "+33612345678", "+33687654321"
ALARM = "Alarm: Cellar leak! Answer ok if you see to it."


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Serve the blueprint, as the project's page does."""

    async def serve(_: web.Request) -> web.FileResponse:
        return web.FileResponse(FILE)

    app = web.Application()
    app.router.add_get("/alarm.yaml", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, LOCALHOST, port).start()
    yield f"http://{LOCALHOST}:{port}/alarm.yaml"
    await runner.cleanup()


async def furnish(home: Home, providers: Simulator) -> None:
    """Make a home with a number, two contacts and a leak sensor."""
    entry_id = await add_number(home, providers, list_lines(providers)[0])
    flows = "/api/config/config_entries/subentries/flow"
    for name, number in (("Sam", SAM), ("Ann", ANN)):
        contact = {"name": name, "numbers": [number]}
        await home.walk(flows, (entry_id, "contact"), [contact])
    await home.command("input_boolean/create", name="Water")
    state = "{{ is_state('input_boolean.water', 'on') }}"
    sensor = {"name": "Cellar leak", "state": state}
    await home.configure("template", {"next_step_id": "binary_sensor"}, sensor)


async def wait_for_texts(providers: Simulator, count: int) -> list[tuple[str, str]]:
    """Wait until so many texts have left, and list who was sent what."""
    async with asyncio.timeout(30):
        while len(providers.twilio.messages) < count:
            await asyncio.sleep(0.1)
    await providers.settled()
    return [(each.to, each.text) for each in providers.twilio.messages]


async def test_an_alarm_is_made_from_the_blueprint_by_clicks_alone(
    home: Home, providers: Simulator, browser: BrowserContext, address: str
) -> None:
    """Its address is all that is typed; it texts, is answered, and everybody knows."""
    await furnish(home, providers)
    before = len(home.log)
    ui = HomePage(await browser.new_page(), home.url)
    await ui.log_in(USER["username"], USER["password"])

    blueprints = Blueprints(ui)
    await blueprints.open()
    await blueprints.import_from(address, NAME)
    await blueprints.use(NAME)
    await blueprints.choose("Sensors", "Cellar leak")
    for name in ("Sam", "Ann"):
        await blueprints.choose("People", name)
    await blueprints.save()

    await home.call("input_boolean", "turn_on", entity_id="input_boolean.water")
    texts = await wait_for_texts(providers, 2)
    assert sorted(texts) == [(SAM, ALARM), (ANN, ALARM)]
    providers.twilio.receive(SAM, "Ok")
    told = (await wait_for_texts(providers, 4))[2:]
    assert sorted(told) == [
        (SAM, f"You have taken it: {ALARM}"),
        (ANN, f"Sam has taken it: {ALARM}"),
    ]
    [taken] = home.find("virtual_sms_alert", state="acknowledged")
    assert taken["contact"] == "Sam"
    assert providers.twilio.phones.calls == []
    assert "automation" not in home.log[before:]
