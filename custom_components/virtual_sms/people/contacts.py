"""Keep the directory of the home's people up to date, whatever is changed in it.

Contacts and groups are subentries of the numbers. They are read from the entries, not
from what is loaded: who writes is recognised while their own line is at rest.
"""

from operator import is_
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalType

from ..const import DOMAIN
from ..core.contacts import CodeKind, Contact, Directory, Group
from .contact_issues import async_clear_empty_group, async_raise_empty_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..runtime import VirtualSmsConfigEntry

SUBENTRY_CONTACT: Final = "contact"
SUBENTRY_GROUP: Final = "group"

CONF_ASSIST: Final = "assist"
CONF_CODE: Final = "code"
CONF_LANGUAGE: Final = "language"
CONF_MAY_COMMAND: Final = "may_command"
CONF_MEMBERS: Final = "members"
CONF_NUMBERS: Final = "numbers"
CONF_PERSON: Final = "person"
CONF_PIN: Final = CodeKind.PIN.value
CONF_TOTP: Final = CodeKind.TOTP.value
"""What is kept of a code, under the name of its kind."""

SIGNAL_PEOPLE: Final[SignalType[()]] = SignalType(f"{DOMAIN}_people")
"""Sent whenever a contact or a group was added, changed or removed."""


class People:
    """The directory of a home, and what follows from a change of it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Read it, and read it again whenever a number changes."""
        self._hass = hass
        self._source: list[Mapping[str, ConfigSubentry]] = []
        self._directory = self._followed = Directory()
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, self._async_follow)

    @property
    def directory(self) -> Directory:
        """Return who there is: a mapping of subentries is replaced, not changed."""
        source = [each.subentries for each in self._entries]
        if len(source) != len(self._source) or not all(
            map(is_, source, self._source, strict=True)
        ):
            self._read()
        return self._directory

    @property
    def _entries(self) -> list[VirtualSmsConfigEntry]:
        return self._hass.config_entries.async_entries(DOMAIN)

    @callback
    def async_refresh(self) -> None:
        """Read all anew, and let everybody know if something has changed."""
        self._read()
        if self._async_leave_groups():
            return  # Each change of a group has been followed meanwhile.
        before, self._followed = self._followed, self._directory
        self._async_show_empty_groups(before)
        self._async_rename_devices()
        if before.everybody != self._followed.everybody:
            async_dispatcher_send(self._hass, SIGNAL_PEOPLE)

    @callback
    def _async_follow(
        self, change: ConfigEntryChange, entry: VirtualSmsConfigEntry
    ) -> None:
        if entry.domain == DOMAIN:
            self.async_refresh()

    def _read(self) -> None:
        entries = self._entries
        self._source = [each.subentries for each in entries]
        self._directory = Directory(
            [
                read_contact(entry, each)
                for entry in entries
                for each in entry.get_subentries_of_type(SUBENTRY_CONTACT)
            ],
            [
                read_group(entry, each)
                for entry in entries
                for each in entry.get_subentries_of_type(SUBENTRY_GROUP)
            ],
        )

    def _async_leave_groups(self) -> bool:
        """Take contacts that are gone out of groups; say whether there were any."""
        entries, left = self._hass.config_entries, False
        for group in self._directory.groups:
            kept = [each.contact_id for each in self._directory.members(group)]
            if kept == list(group.members):
                continue
            entry = entries.async_get_known_entry(group.entry_id)
            subentry = entry.subentries[group.group_id]
            data = {**subentry.data, CONF_MEMBERS: kept}
            left |= entries.async_update_subentry(entry, subentry, data=data)
        return left

    def _async_show_empty_groups(self, before: Directory) -> None:
        for group in before.groups:
            if self._directory.get_group(group.group_id) is None:
                async_clear_empty_group(self._hass, group)
        for group in self._directory.groups:
            entry = self._hass.config_entries.async_get_known_entry(group.entry_id)
            if group.members or entry.disabled_by:
                async_clear_empty_group(self._hass, group)
            else:
                async_raise_empty_group(self._hass, entry, group)

    def _async_rename_devices(self) -> None:
        """Call the devices as their people are called now."""
        devices = dr.async_get(self._hass)
        for each in self._directory.everybody:
            device = devices.async_get_device_by_identifier(
                device_identifier(each), each.entry_id
            )
            if device is not None and device.name != each.name:
                devices.async_update_device(device.id, name=each.name)


PEOPLE: HassKey[People] = HassKey(f"{DOMAIN}_people")


@callback
def async_setup_people(hass: HomeAssistant) -> None:
    """Read who there is, and show what is wrong with it."""
    _async_people(hass).async_refresh()


@callback
def async_directory(hass: HomeAssistant) -> Directory:
    """Return who there is on all lines of the home, loaded or not."""
    return _async_people(hass).directory


@callback
def async_find(hass: HomeAssistant, value: str) -> Contact | Group | None:
    """Return the contact or group of an entity, of an id, or of a name.

    A name that several have is nobody's.
    """
    directory, registry = async_directory(hass), er.async_get(hass)
    entity = registry.async_get(value)
    if entity is not None and entity.platform == DOMAIN:
        return directory.get(entity.config_subentry_id or "")
    if found := directory.get(value):
        return found
    named = directory.find_named(value)
    return named[0] if len(named) == 1 else None


@callback
def async_find_person(hass: HomeAssistant, contact: Contact) -> str | None:
    """Return the entity id of a contact's person; None when there is none (any more)."""
    if contact.person_id is None:
        return None
    return er.async_resolve_entity_id(er.async_get(hass), contact.person_id)


def read_contact(entry: VirtualSmsConfigEntry, subentry: ConfigSubentry) -> Contact:
    """Read a contact from its subentry."""
    data = subentry.data
    return Contact(
        contact_id=subentry.subentry_id,
        entry_id=entry.entry_id,
        name=subentry.title,
        numbers=tuple(data[CONF_NUMBERS]),
        person_id=data.get(CONF_PERSON),
        may_command=data.get(CONF_MAY_COMMAND, False),
        code=CodeKind(data.get(CONF_CODE, CodeKind.NONE)),
        language=data.get(CONF_LANGUAGE),
        assist=_read_assist(data),
    )


def _read_assist(data: Mapping[str, Any]) -> str | None:
    """Return who answers: nobody answers who may not command."""
    return (data.get(CONF_MAY_COMMAND) and data.get(CONF_ASSIST)) or None


def read_group(entry: VirtualSmsConfigEntry, subentry: ConfigSubentry) -> Group:
    """Read a group from its subentry."""
    return Group(
        group_id=subentry.subentry_id,
        entry_id=entry.entry_id,
        name=subentry.title,
        members=tuple(subentry.data.get(CONF_MEMBERS, ())),
    )


def device_identifier(each: Contact | Group) -> tuple[str, str]:
    """Return what the device of a contact or a group is known by."""
    return DOMAIN, f"{each.entry_id}_{each.own_id}"


def _async_people(hass: HomeAssistant) -> People:
    if PEOPLE not in hass.data:
        hass.data[PEOPLE] = People(hass)
    return hass.data[PEOPLE]
