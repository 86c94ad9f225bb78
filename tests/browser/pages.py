"""What a person finds in the pages of Home Assistant and of the simulator."""

from dataclasses import dataclass
import re
from typing import TYPE_CHECKING

from .pictures import wait_until_still

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

_INTEGRATIONS = "/config/integrations/dashboard"
_ACTIONS = "/config/tools/action"


@dataclass(frozen=True, slots=True)
class Words:
    """What Home Assistant calls the things that a person presses."""

    settings: str = "Settings"
    add_integration: str = "Add integration"
    submit: str = "Submit"


ENGLISH = Words()
FRENCH = Words("Paramètres", "Ajouter une intégration", "Valider")


class HomePage:
    """A Home Assistant in a tab of the browser."""

    def __init__(self, page: Page, url: str, words: Words = ENGLISH) -> None:
        """Take an empty tab."""
        self.page = page
        self.url = url
        self._words = words

    async def log_in(self, username: str, password: str) -> None:
        """Log in as a person."""
        await self.page.goto(self.url)
        await self.page.locator("input[name=username]").fill(username)
        await self.page.locator("input[name=password]").fill(password)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_text(self._words.settings, exact=True).wait_for()

    async def open(self, path: str) -> None:
        """Open a page by its address, also when the page that is left goes elsewhere.

        A dialog that is closed goes back in the history a moment later.
        """
        from playwright.async_api import Error

        try:
            await self.page.goto(self.url + path)
        except Error as err:
            if "ERR_ABORTED" not in err.message:
                raise
            await self.page.goto(self.url + path)

    async def open_device(self, device_id: str) -> None:
        """Open the page of a device, and wait until it is there."""
        await self.open(f"/config/devices/device/{device_id}")
        await self.shows("Last message")

    async def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        await self.page.get_by_text(text).first.wait_for()

    async def add_integration(self, name: str) -> Flow:
        """Choose an integration as a person does, and return its flow."""
        await self.open(_INTEGRATIONS)
        # A list that is empty, or not loaded yet, offers a second button.
        button = self.page.locator("[slot=fab]")
        await button.get_by_text(self._words.add_integration).click()
        chooser = self.page.locator("dialog-add-integration")
        await chooser.locator("input").fill(name)
        await chooser.get_by_text(name, exact=True).click()
        return Flow(self.page, self._words)

    async def add_contact(self) -> Flow:
        """Add a contact to the only number."""
        await self.open("/config/integrations/integration/virtual_sms")
        await self.page.get_by_role("button", name="Add contact").click()
        return Flow(self.page, self._words)

    async def open_options(self) -> Flow:
        """Open the options of the first number."""
        await self.open("/config/integrations/integration/virtual_sms")
        gear = self.page.get_by_role("button", name="Configure")
        await gear.first.click()
        return Flow(self.page, self._words)

    async def prepare_action(self, yaml: str) -> Locator:
        """Type an action, look at it in the form, and return the form."""
        await self.open(_ACTIONS)
        tools = self.page.locator("tools-action")
        await tools.get_by_text("YAML mode").click()
        await tools.locator(".cm-content").fill(yaml)
        # The editor hands on what was typed a moment later.
        await wait_until_still(self.page)
        await tools.get_by_text("UI mode").click()
        form = tools.locator("ha-service-control")
        await form.get_by_text("Send SMS").first.wait_for()
        await wait_until_still(self.page)
        return tools

    async def perform_action(self) -> str:
        """Perform the action that was typed, and return the response shown."""
        tools = await self._perform()
        response = tools.locator(".cm-content").filter(has_text="messages:").last
        return await response.inner_text()

    async def fail_action(self) -> str:
        """Perform the action that was typed, and return the error shown."""
        tools = await self._perform()
        return await tools.locator("ha-alert").first.inner_text()

    async def _perform(self) -> Locator:
        tools = self.page.locator("tools-action")
        await tools.get_by_role("button", name="Perform action").click()
        return tools


class Flow:
    """The dialog of a config flow."""

    def __init__(self, page: Page, words: Words) -> None:
        """Take the tab that shows it."""
        self._page = page
        self._words = words
        self._dialog = page.locator("dialog-data-entry-flow")
        self.typed: list[str] = []
        """What a person has typed so far."""

    @property
    def frame(self) -> Locator:
        """Return what a picture of the dialog shows."""
        return self._dialog.locator("dialog")

    async def step(self, title: str) -> None:
        """Wait for the step with this title."""
        await self._dialog.get_by_text(title, exact=True).first.wait_for()
        await wait_until_still(self._page, self.frame)

    async def wait_for_one(self, title: str, other: str) -> str:
        """Wait for the step with one of two titles, and return that."""
        found = self._dialog.get_by_text(title, exact=True)
        either = found.or_(self._dialog.get_by_text(other, exact=True)).first
        await either.wait_for()
        return await either.inner_text()

    async def choose(self, text: str) -> None:
        """Choose an item of a menu, or a radio button."""
        await self._dialog.get_by_text(text, exact=True).click()

    async def fill(self, **values: str) -> None:
        """Fill in fields by their names."""
        for name, value in values.items():
            await self._dialog.locator(f"input[name={name}]").fill(value)
            self.typed.append(value)

    async def add_to_list(self, label: str, value: str) -> None:
        """Add a line to a field that takes several, and fill it in."""
        await self._dialog.get_by_role("button", name=f"Add {label}").click()
        await self._dialog.locator("ha-selector-text input").last.fill(value)
        self.typed.append(value)

    async def switch(self, label: str) -> None:
        """Switch something on."""
        row = self._dialog.locator("ha-selector-boolean").filter(has_text=label)
        await row.locator(".switch").click()

    async def select(self, label: str, option: str) -> None:
        """Choose from a list that opens."""
        field = self._dialog.locator("ha-selector-select").filter(has_text=label)
        await field.click()
        await field.get_by_text(option, exact=True).click()

    async def toggle(self, section: str) -> None:
        """Open a closed section, or close it."""
        await self._dialog.get_by_text(section, exact=True).click()
        await wait_until_still(self._page, self.frame)

    async def submit(self) -> None:
        """Go on to the next step."""
        await self._dialog.get_by_role("button", name=self._words.submit).click()

    async def finish(self) -> None:
        """Close the last step, which offers to choose an area."""
        await self.go_on()
        await self._dialog.wait_for(state="hidden")

    async def go_on(self) -> None:
        """Leave the step that offers to choose an area for what comes after it."""
        await self._dialog.get_by_role(
            "button", name=re.compile("finish", re.IGNORECASE)
        ).click()

    async def close(self) -> None:
        """Close it without an answer."""
        await self._page.keyboard.press("Escape")
        await self._dialog.wait_for(state="hidden")

    async def text(self) -> str:
        """Return all that can be read in it."""
        return await self.frame.inner_text()

    async def error(self) -> str:
        """Return the error that the form shows."""
        return await self._dialog.locator("ha-alert").first.inner_text()

    async def follow_link(self, text: str) -> Page:
        """Open a link of the description, which opens a tab of its own."""
        async with self._page.context.expect_page() as opened:
            await self._dialog.get_by_role("link", name=text).click()
        return await opened.value


class HandsetPage:
    """The simulator's page, on which a person plays the other end."""

    def __init__(self, page: Page, url: str) -> None:
        """Take an empty tab."""
        self.page = page
        self.phones = page.locator("#phones")
        self._url = url

    async def open(self) -> None:
        """Open the page."""
        await self.page.goto(self._url)

    async def text(self, provider: str, text: str) -> None:
        """Text the home through a provider."""
        phone = self._phone(provider)
        await phone.locator("textarea").fill(text)
        await phone.get_by_role("button", name="Text the home").click()

    async def shows(self, provider: str, text: str) -> None:
        """Wait until a phone shows a text."""
        await self._phone(provider).get_by_text(text).first.wait_for()

    def _phone(self, provider: str) -> Locator:
        heading = self.page.get_by_role("heading", name=provider, exact=True)
        return self.page.locator("section").filter(has=heading)
