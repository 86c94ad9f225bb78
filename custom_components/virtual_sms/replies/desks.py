"""Set up what waits for answers: questions and alerts."""

from contextlib import suppress
import sqlite3

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.start import async_at_started

from ..const import DOMAIN
from ..core.gateway import Gateway
from ..home_file import async_get_home_file
from ..lines import async_wait_until_read
from ..store.database import DatabaseClosedError
from .alerts import ALERTS, AlertDesk
from .answering import async_add_desk
from .questions import QUESTIONS, QuestionDesk


async def async_setup_desks(hass: HomeAssistant) -> None:
    """Take up what an earlier run left; go on with it once the home has started.

    Then all numbers have been set up, and automations run. What is for a number that
    could not be set up by then waits for it.
    """
    file = async_get_home_file(hass)
    questions = hass.data[QUESTIONS] = QuestionDesk(hass, file)
    alerts = hass.data[ALERTS] = AlertDesk(hass, file)
    async_add_desk(hass, questions)
    async_add_desk(hass, alerts)
    # What goes wrong is logged; a home without its questions still sends and receives.
    with suppress(HomeAssistantError):
        await questions.async_load()
        await alerts.async_load()

    async def resume(_: HomeAssistant) -> None:
        await questions.async_resume()
        await alerts.async_resume()
        # Who answered in time is not to find that it has passed.
        await async_wait_until_read(hass)
        questions.async_begin()
        alerts.async_begin()

    @callback
    def resume_line(_: ConfigEntryChange, entry: ConfigEntry[object]) -> None:
        if entry.domain == DOMAIN and entry.state is ConfigEntryState.LOADED:
            questions.async_resume_line(entry.entry_id)
            alerts.async_resume_line(entry.entry_id)

    async_at_started(hass, resume)
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, resume_line)


async def async_keep_back(hass: HomeAssistant, line: str, gateway: Gateway) -> None:
    """Have a number that goes to work not send what was over while it was at rest."""
    for desk in (hass.data[QUESTIONS], hass.data[ALERTS]):
        with suppress(DatabaseClosedError, sqlite3.Error):
            await gateway.outbox.withdraw_all(desk.async_list_over(line))


async def async_erase_home(hass: HomeAssistant) -> None:
    """End what is open, so that who waits for it learns it, and delete all of it."""
    hass.data[ALERTS].async_cancel_all()
    hass.data[QUESTIONS].async_end_all()
    await async_get_home_file(hass).async_erase()
