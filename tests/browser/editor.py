"""Home Assistant's editor of automations, as a person uses it with the mouse."""

from typing import TYPE_CHECKING

from .pictures import wait_until_still

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from .pages import HomePage


class AutomationEditor:
    """The editor with a new automation."""

    def __init__(self, ui: HomePage) -> None:
        """Take the home that somebody has logged in to."""
        self._ui = ui
        self._page = ui.page
        self._chooser = ui.page.locator("add-automation-element-dialog")
        self.typed: list[str] = []
        """What a person has typed so far."""

    async def open(self) -> None:
        """Begin a new automation."""
        await self._ui.open("/config/automation/edit/new")
        await self._button("Add trigger").wait_for()

    async def add_trigger(self, *way: str) -> None:
        """Choose a trigger by the things that are clicked, one after the other."""
        await self._add("Add trigger", way)

    async def add_action(self, *way: str) -> None:
        """Choose an action in the same manner."""
        await self._add("Add action", way)

    async def choose(self, *labels: str) -> None:
        """Choose an option of the trigger, by whichever of its labels is shown.

        Home Assistant shows the plain value until it has loaded our translations.
        """
        form = self._page.locator("ha-automation-trigger-platform")
        found = form.get_by_text(labels[0], exact=True)
        for label in labels[1:]:
            found = found.or_(form.get_by_text(label, exact=True))
        await found.click()

    async def write(self, field: str, text: str) -> None:
        """Type the value of an optional field of the trigger."""
        rows = self._page.locator("ha-automation-trigger-platform ha-settings-row")
        heading = self._page.get_by_text(field, exact=True)
        row = rows.filter(has=heading)
        await row.locator("ha-checkbox").click()
        await row.locator("ha-selector input, ha-selector textarea").fill(text)
        self.typed.append(text)
        # The editor hands on what was typed a moment later.
        await wait_until_still(self._page)

    async def save(self) -> None:
        """Save it under the name that is proposed."""
        await self._page.get_by_role("button", name="Save").click()
        dialog = self._page.locator("ha-dialog-automation-save")
        await dialog.get_by_role("button", name="Save").click()
        await dialog.wait_for(state="hidden")

    async def _add(self, button: str, way: tuple[str, ...]) -> None:
        await self._button(button).click()
        for text in way:
            await self._chooser.get_by_text(text).first.click()
        await self._chooser.wait_for(state="hidden")

    def _button(self, name: str) -> Locator:
        return self._page.get_by_text(name, exact=True)


class Blueprints:
    """The list of blueprints, and the form of one of them."""

    def __init__(self, ui: HomePage) -> None:
        """Take the home that somebody has logged in to."""
        self._ui = ui
        self._page = ui.page

    async def open(self) -> None:
        """Show the list."""
        await self._ui.open("/config/blueprint/dashboard")

    async def import_from(self, address: str, name: str) -> None:
        """Import one from its address, once its name is read."""
        await self._page.get_by_text("Import blueprint").first.click()
        dialog = self._page.locator("ha-dialog-import-blueprint")
        await dialog.locator("input").fill(address)
        await dialog.get_by_role("button", name="Preview").click()
        await dialog.get_by_text(name).first.wait_for()
        await dialog.get_by_role("button", name="Import blueprint").click()
        await dialog.wait_for(state="hidden")

    async def use(self, name: str) -> None:
        """Begin an automation from one."""
        await self._page.get_by_text(name, exact=True).first.click()
        await self._page.locator("blueprint-automation-editor").wait_for()

    async def choose(self, field: str, entity: str) -> None:
        """Choose one of the entities that a field of the form offers."""
        rows = self._page.locator("blueprint-automation-editor ha-settings-row")
        heading = self._page.get_by_text(field, exact=True)
        row = rows.filter(has=heading)
        another = row.get_by_text("Add entity", exact=True)
        await row.get_by_text("Select an entity").or_(another).last.click()
        await row.get_by_text(entity, exact=True).first.click()
        await another.wait_for()

    async def save(self) -> None:
        """Save the automation under the blueprint's name; then it can be traced."""
        await self._page.get_by_role("button", name="Save").click()
        await self._page.get_by_text("Traces", exact=True).wait_for()
