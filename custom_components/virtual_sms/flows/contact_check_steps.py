"""Send a new contact a test text, and wait until they answer it."""

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, override

from homeassistant.config_entries import ConfigSubentry, SubentryFlowResult
from homeassistant.core import callback

from ..people.contacts import CONF_LANGUAGE, CONF_NUMBERS, SUBENTRY_CONTACT
from .contact_check import CheckFailedError, ContactCheck
from .people import FormRefusedError, PeopleFlow
from .schemas import Form

if TYPE_CHECKING:
    import asyncio

CONF_SEND_TEST: Final = "send_test"


class ContactCheckSteps(PeopleFlow):
    """The steps of the test: it is only done where it was wished for."""

    _is_unsaved = False
    _problem = ""
    _waiting: asyncio.Task[bool] | None = None

    async def _async_end(self) -> SubentryFlowResult:
        """Send the test that is wanted, then finish."""
        if not self._typed.get(CONF_SEND_TEST):
            return self._finish()
        self._is_unsaved = True
        return await self.async_step_check()

    async def async_step_check(self, _: Form | None = None) -> SubentryFlowResult:
        """Text the contact, and wait until they have answered."""
        number = self._data[CONF_NUMBERS][0]
        if self._waiting is None:
            check = ContactCheck(
                hass=self.hass,
                entry=self._get_entry(),
                numbers=self._data[CONF_NUMBERS],
                language=self._data.get(CONF_LANGUAGE) or self.hass.config.language,
            )
            self._waiting = self.hass.async_create_background_task(
                check.async_run(), "Test of a contact"
            )
        if self._waiting.done():
            return self.async_show_progress_done(next_step_id="checked")
        return self.async_show_progress(
            step_id="check",
            progress_action="check",
            description_placeholders={"number": number},
            progress_task=self._waiting,
        )

    async def async_step_checked(self, _: Form | None = None) -> SubentryFlowResult:
        """Finish if they have answered, else say what is known and ask what now."""
        waiting, self._waiting = self._waiting, None
        try:
            if waiting is not None and await waiting:
                return await self.async_step_keep()
        except CheckFailedError as err:
            self._problem = str(err)
            return await self.async_step_not_reached()
        return await self.async_step_no_answer()

    async def async_step_not_reached(self, _: Form | None = None) -> SubentryFlowResult:
        """Say why the text got nowhere, and ask what now."""
        return self.async_show_menu(
            step_id="not_reached",
            menu_options=["check", "correct", "keep"],
            description_placeholders={"problem": self._problem},
        )

    async def async_step_no_answer(self, _: Form | None = None) -> SubentryFlowResult:
        """Say that nobody answered, and ask what now."""
        return self.async_show_menu(
            step_id="no_answer", menu_options=["check", "correct", "keep"]
        )

    async def async_step_correct(self, _: Form | None = None) -> SubentryFlowResult:
        """Show the form again, as it was filled in."""
        self._is_unsaved = False
        return self._show("user", self._typed)

    async def async_step_keep(self, _: Form | None = None) -> SubentryFlowResult:
        """Write the contact down."""
        self._is_unsaved = False
        return self._finish()

    @callback
    @override
    def async_remove(self) -> None:
        """Keep the contact when the window is closed while it waits for an answer."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if not self._is_unsaved or entry is None:
            return
        # Another one that took its name or number meanwhile stands in its place.
        with suppress(FormRefusedError):
            self._check()
            contact = ConfigSubentry(
                data=MappingProxyType(self._data),
                subentry_type=SUBENTRY_CONTACT,
                title=self._title,
                unique_id=None,
            )
            self.hass.config_entries.async_add_subentry(entry, contact)
