"""What a person finds in the pages of Home Assistant and of the simulator."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

INTEGRATIONS = "/config/integrations/dashboard"


class HomePage:
    """A Home Assistant in a tab of the browser."""

    def __init__(self, page: Page, url: str) -> None:
        """Take an empty tab."""
        self.page = page
        self.url = url

    async def log_in(self, username: str, password: str) -> None:
        """Log in as a person."""
        await self.page.goto(self.url)
        await self.page.locator("input[name=username]").fill(username)
        await self.page.locator("input[name=password]").fill(password)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_text("Settings", exact=True).wait_for()

    async def open(self, path: str) -> None:
        """Open a page by its address."""
        await self.page.goto(self.url + path)

    async def add_integration(self, name: str) -> Flow:
        """Choose an integration as a person does, and return its flow."""
        await self.open(INTEGRATIONS)
        await self.page.get_by_text("Add integration").click()
        await self.page.locator("dialog-add-integration input").fill(name)
        await self.page.locator("dialog-add-integration").get_by_text(
            name, exact=True
        ).click()
        return Flow(self.page)


class Flow:
    """The dialog of a config flow."""

    def __init__(self, page: Page) -> None:
        """Take the tab that shows it."""
        self._page = page
        self.dialog = page.locator("dialog-data-entry-flow")

    @property
    def frame(self) -> Locator:
        """Return what a picture of the dialog shows."""
        return self.dialog.locator("dialog")

    async def title(self, text: str) -> None:
        """Wait for the step with this title."""
        await self.dialog.get_by_text(text, exact=True).first.wait_for()
        # It slides in, and its description follows.
        await self._page.wait_for_timeout(500)

    async def choose(self, text: str) -> None:
        """Choose an item of a menu, or a radio button."""
        await self.dialog.get_by_text(text, exact=True).click()

    async def fill(self, **values: str) -> None:
        """Fill in fields by their names."""
        for name, value in values.items():
            await self.dialog.locator(f"input[name={name}]").fill(value)

    async def expand(self, section: str) -> None:
        """Open a closed section."""
        await self.dialog.get_by_text(section, exact=True).click()
        await self._page.wait_for_timeout(500)

    async def submit(self, button: str = "Submit") -> None:
        """Go on to the next step."""
        await self.dialog.get_by_role("button", name=button).click()

    async def said(self) -> str:
        """Return the error that the form shows."""
        return await self.dialog.locator("ha-alert").first.inner_text()
