"""Know whom the home believes: everybody's codes, on all lines, and who is locked.

Messages are judged by workers, where they are written down. So what those look up is
replaced as a whole whenever a contact changes, and never changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
import logging
import sqlite3
from typing import TYPE_CHECKING

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntryChange,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.hass_dict import HassKey

from ..adapters.models import RejectReason
from ..bus import EventData, async_listen
from ..const import DEFAULT_COMMAND_MAX_AGE, DOMAIN, OPTION_COMMAND_MAX_AGE
from ..core.code_memory import CodeMemory
from ..core.command_code import Code, leave_out_guesses, read_stored
from ..core.consent import may_be_wish
from ..core.contacts import Contact, Directory
from ..core.guard import ContactGuard, Writer
from ..store.changes import Change, Received, StatusChanged
from ..store.database import DatabaseClosedError
from .contact_facts import async_note_delivery, async_note_facts
from .contact_issues import async_clear_locked, async_list_locked, async_raise_locked
from .contacts import CONF_CODE, SUBENTRY_CONTACT, async_directory

if TYPE_CHECKING:
    from ..core.gateway import Gateway
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)
_CANNOT_WRITE = (sqlite3.Error, DatabaseClosedError)


@dataclass(frozen=True, slots=True)
class _Known:
    """Who there is, and by which codes they prove it, by their ids."""

    directory: Directory
    codes: Mapping[str, Code | None] = field(repr=False)


class Trust:
    """What the home knows of its contacts' codes."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Take up who was locked, and follow contacts and what they write."""
        self._hass = hass
        self._memory = CodeMemory()
        self._known = _Known(Directory(), {})
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_follow)
        async_listen(hass, None, self._async_handle)
        for contact_id in async_list_locked(hass):
            self._memory.lock(contact_id)
        self._async_read()

    def create_guard(self, entry: VirtualSmsConfigEntry) -> ContactGuard:
        """Return who judges what comes in on a line."""

        def max_age() -> timedelta:
            seconds = entry.options.get(OPTION_COMMAND_MAX_AGE, DEFAULT_COMMAND_MAX_AGE)
            return timedelta(seconds=seconds)

        return ContactGuard(partial(self._find, entry.entry_id), self._memory, max_age)

    async def async_load(self, entry: VirtualSmsConfigEntry, gateway: Gateway) -> None:
        """Take in what a line has stored of codes, and of who wants no messages."""
        rows = await gateway.store.codes.read()
        self._memory.load(entry.entry_id, rows)
        for contact_id in rows.locked:
            # Whoever was unlocked while this line was at rest stays unlocked.
            if not self._memory.is_locked(contact_id):
                await gateway.store.codes.unlock(contact_id)
        for contact in self._known.directory.contacts:
            self._async_show(contact)
        await self.async_follow_consent(entry, gateway)

    async def async_follow_consent(
        self, entry: VirtualSmsConfigEntry, gateway: Gateway
    ) -> None:
        """Show which contacts of a line want no messages from it."""
        contacts = [
            each
            for each in self._known.directory.contacts
            if each.entry_id == entry.entry_id
        ]
        numbers = [each.numbers[0] for each in contacts]
        stopped = await gateway.store.consent.list_stopped(numbers)
        for each in contacts:
            has_opted_out = each.numbers[0] in stopped
            async_note_facts(self._hass, each.contact_id, has_opted_out=has_opted_out)

    def is_locked(self, contact_id: str | None) -> bool:
        """Say whether a contact is not believed any more.

        Who may not command by now is asked for no code, and so is as all others.
        """
        if contact_id is None or contact_id not in self._known.codes:
            return False
        return self._memory.is_locked(contact_id)

    @callback
    def async_leave_out_guesses(self, contact_id: str | None, text: str) -> list[str]:
        """Return what a contact's text may have been without a wrong code."""
        code = self._known.codes.get(contact_id or "")
        return leave_out_guesses(code, text) if code else []

    async def async_unlock(self, contact_id: str) -> None:
        """Believe a contact again, and forgive what was wrong.

        Raises what keeps that from being written down; then they stay locked.
        """
        for gateway in self._gateways:
            await gateway.store.codes.unlock(contact_id)
        self._memory.unlock(contact_id)
        async_clear_locked(self._hass, contact_id)
        async_note_facts(self._hass, contact_id, is_locked=False)

    def _find(self, entry_id: str, number: str) -> Writer | None:
        """Return whose number it is, for a line; called by workers."""
        known = self._known
        contact = known.directory.find_sender(number, entry_id)
        if contact is None:
            return None
        return Writer(
            contact_id=contact.contact_id,
            may_command=contact.contact_id in known.codes,
            code=known.codes.get(contact.contact_id),
        )

    @property
    def _entries_at_work(self) -> list[VirtualSmsConfigEntry]:
        return self._hass.config_entries.async_loaded_entries(DOMAIN)

    @property
    def _gateways(self) -> list[Gateway]:
        return [each.runtime_data.gateway for each in self._entries_at_work]

    @callback
    def _async_follow(
        self, _change: ConfigEntryChange, entry: VirtualSmsConfigEntry
    ) -> None:
        if entry.domain == DOMAIN:
            before = self._known.directory
            self._async_read()
            now = self._known.directory
            for each in before.contacts:
                if now.get_contact(each.contact_id) is None:
                    self._async_forget(each.contact_id)
            self._async_follow_numbers(before, now)

    @callback
    def _async_follow_numbers(self, before: Directory, now: Directory) -> None:
        """Show who among new contacts, and those with new numbers, has opted out."""
        new = set(map(_number_of, now.contacts)) - set(map(_number_of, before.contacts))
        lines = {entry_id for entry_id, _, _ in new}
        for entry in self._entries_at_work:
            if entry.entry_id in lines:
                self._async_spawn_consent(entry)

    @callback
    def _async_read(self) -> None:
        directory = async_directory(self._hass)
        entries = self._hass.config_entries.async_entries(DOMAIN)
        stored = {
            each.subentry_id: each.data
            for entry in entries
            for each in entry.get_subentries_of_type(SUBENTRY_CONTACT)
        }
        codes: dict[str, Code | None] = {}
        for contact in directory.contacts:
            if contact.may_command:
                data = stored[contact.contact_id]
                codes[contact.contact_id] = read_stored(data.get(CONF_CODE), data)
        self._known = _Known(directory, codes)

    @callback
    def _async_forget(self, contact_id: str) -> None:
        """Forget a contact that is gone, here and on all lines."""
        self._memory.forget(contact_id)
        async_clear_locked(self._hass, contact_id)
        for gateway in self._gateways:
            self._hass.async_create_background_task(
                _forget(gateway, contact_id), f"{DOMAIN} forget codes"
            )

    @callback
    def _async_handle(
        self, entry: VirtualSmsConfigEntry, change: Change, data: EventData
    ) -> None:
        """Show who is locked now, is reached or not, or may have opted out or in."""
        match change:
            case Received(contact_id=str(contact_id)):
                contact = self._known.directory.get_contact(contact_id)
                if contact is not None:
                    self._async_show(contact)
                is_about_consent = may_be_wish(change.message)
            case StatusChanged(reason=reason):
                if (addressee := data["contact_id"]) is not None:
                    async_note_delivery(self._hass, str(addressee), change)
                is_about_consent = reason is RejectReason.OPTED_OUT
            case _:
                return
        if is_about_consent:
            self._async_spawn_consent(entry)

    @callback
    def _async_spawn_consent(self, entry: VirtualSmsConfigEntry) -> None:
        self._hass.async_create_background_task(
            self._async_try_consent(entry, entry.runtime_data.gateway),
            f"{DOMAIN} consent",
        )

    async def _async_try_consent(
        self, entry: VirtualSmsConfigEntry, gateway: Gateway
    ) -> None:
        try:
            await self.async_follow_consent(entry, gateway)
        except _CANNOT_WRITE as err:
            _LOGGER.debug("Consents cannot be read now: %s", type(err).__name__)

    @callback
    def _async_show(self, contact: Contact) -> None:
        """Show that a contact is locked, where it is."""
        if self._memory.is_locked(contact.contact_id):
            async_raise_locked(self._hass, contact)
            async_note_facts(self._hass, contact.contact_id, is_locked=True)


def _number_of(contact: Contact) -> tuple[str, str, str]:
    """Return which number of a contact is texted, and by which line."""
    return contact.entry_id, contact.contact_id, contact.numbers[0]


async def _forget(gateway: Gateway, contact_id: str) -> None:
    try:
        await gateway.store.codes.forget(contact_id)
    except _CANNOT_WRITE as err:
        _LOGGER.debug("Codes cannot be forgotten now: %s", type(err).__name__)


TRUST: HassKey[Trust] = HassKey(f"{DOMAIN}_trust")


@callback
def async_trust(hass: HomeAssistant) -> Trust:
    """Return what the home knows of its contacts' codes."""
    if TRUST not in hass.data:
        hass.data[TRUST] = Trust(hass)
    return hass.data[TRUST]
