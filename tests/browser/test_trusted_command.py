"""From a number that was just added to a door that opens for one person only."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from lab.demo.lines import add_number, list_lines
from lab.home import USER

from .editor import AutomationEditor
from .pages import HomePage

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from lab.home import Home
    from simulator import Simulator

pytestmark = pytest.mark.browser

NAME, NUMBER, PIN, COMMAND = "Sam", "+33 6 12 34 56 78", "blue42", "open garage"
DOOR = "input_boolean.garage_door"
# As little is typed as can be: what is chosen is a click, also an entity, and the name
# of the automation is left as it is proposed.
TYPED = [NAME, NUMBER, PIN, COMMAND]


async def test_a_command_with_a_code_is_set_up_by_four_words(
    home: Home, providers: Simulator, browser: BrowserContext
) -> None:
    """Only a name, a number, the code and the text are typed, and the door opens."""
    await home.command("input_boolean/create", name="Garage door", icon="mdi:garage")
    await add_number(home, providers, list_lines(providers)[0])
    ui = HomePage(await browser.new_page(), home.url)
    await ui.log_in(USER["username"], USER["password"])

    flow = await ui.add_contact()
    await flow.step("Whom do you want to text?")
    await flow.fill(name=NAME)
    await flow.add_to_list("Phone number", NUMBER)
    await flow.switch("May give commands")
    await flow.select("Code", "PIN")
    await flow.submit()
    await flow.step(f"The PIN of {NAME}")
    await flow.fill(pin=PIN)
    await flow.submit()
    await flow.step("Success")
    await flow.finish()

    editor = AutomationEditor(ui)
    await editor.open()
    await editor.add_trigger("Services", NAME, "SMS received")
    await editor.choose("equals", "The whole text")
    await editor.write("Text", COMMAND)
    await editor.add_action("Helpers", "Input boolean", "Garage door", "Turn on")
    await editor.save()

    assert [*flow.typed, *editor.typed] == TYPED
    for text in (COMMAND, f"{COMMAND} red42", f"{COMMAND} {PIN}"):
        assert (await home.state(DOOR))["state"] == "off"
        providers.twilio.receive(NUMBER.replace(" ", ""), text)
        await providers.settled()
    async with asyncio.timeout(30):
        while (await home.state(DOOR))["state"] != "on":
            await asyncio.sleep(0.1)
