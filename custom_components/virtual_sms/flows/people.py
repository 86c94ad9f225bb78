"""What the forms of a contact and of a group have in common."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow

from ..core.contacts import Contact, Directory, Group, read_name
from ..number_tables import async_load_tables
from ..people.contacts import CONF_NUMBERS, async_directory
from .form_errors import NO_ERROR, FormError, require_entry
from .schemas import CONF_NAME, Form

if TYPE_CHECKING:
    import probatio as vol

    from ..runtime import VirtualSmsConfigEntry

LONGEST_NAME: Final = 100
"""Letters: ids of entities are made of it, and those have an end."""


class FormRefusedError(Exception):
    """What was typed cannot be taken; `error` is what the form says."""

    def __init__(
        self, key: str, at: str = "base", placeholders: dict[str, str] | None = None
    ) -> None:
        """Name the sentence, the field, and what the sentence tells."""
        super().__init__(key)
        self.error = FormError(key, at, placeholders or {})


class PeopleFlow(ConfigSubentryFlow):
    """Add a contact or a group, or change it: the same form does for both.

    The number is not reloaded: the directory follows, and the entities follow it.
    """

    _typed: Form
    _title: str
    _data: Form

    @abstractmethod
    def _schema(self) -> vol.Schema:
        """Return the form."""

    @abstractmethod
    def _read(self, typed: Form) -> Form:
        """Return what is stored of what was typed; raises FormRefusedError."""

    def _show_stored(self, data: Form) -> Form:
        """Return what the form shows of what is stored."""
        return data

    async def async_step_user(
        self, user_input: Form | None = None
    ) -> SubentryFlowResult:
        """Ask for a new one."""
        return await self._async_ask("user", user_input)

    async def async_step_reconfigure(
        self, user_input: Form | None = None
    ) -> SubentryFlowResult:
        """Ask what changes."""
        return await self._async_ask("reconfigure", user_input)

    async def _async_ask(self, step_id: str, typed: Form | None) -> SubentryFlowResult:
        if typed is None:
            return self._show(step_id, self._current)
        self._typed = typed
        try:
            await async_load_tables(self.hass, typed.get(CONF_NUMBERS, ()))
            self._title, self._data = self._read_name(typed), self._read(typed)
        except FormRefusedError as err:
            return self._show(step_id, typed, err.error)
        return await self._async_complete()

    async def _async_complete(self) -> SubentryFlowResult:
        """Ask for more where more is needed, then finish."""
        return self._finish()

    def _show(
        self, step_id: str, values: Form, error: FormError = NO_ERROR
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(self._schema(), values),
            description_placeholders=error.placeholders or None,
            errors=error.errors,
        )

    def _check(self) -> None:
        """Raise FormRefusedError if another window took name or number meanwhile."""
        self._read_name(self._typed)
        self._read(self._typed)

    def _finish(self) -> SubentryFlowResult:
        """Write it down, or show the form again with what keeps it from that."""
        try:
            self._check()
        except FormRefusedError as err:
            step_id = "reconfigure" if self._subentry else "user"
            return self._show(step_id, self._typed, err.error)
        if (subentry := self._subentry) is None:
            return self.async_create_entry(title=self._title, data=self._data)
        return self.async_update_and_abort(
            self._get_entry(), subentry, title=self._title, data=self._data
        )

    def _read_name(self, typed: Form) -> str:
        """Return the name; on one line, contacts and groups share them."""
        name = read_name(typed[CONF_NAME])
        if not 0 < len(name) <= LONGEST_NAME:
            raise FormRefusedError("invalid_name", CONF_NAME)
        namesakes = self._directory.find_named(name, self._get_entry().entry_id)
        if any(map(self._is_other, namesakes)):
            raise FormRefusedError("name_taken", CONF_NAME)
        return name

    def _is_other(self, each: Contact | Group) -> bool:
        """Say whether it is not the one that is being changed."""
        subentry = self._subentry
        return subentry is None or each.own_id != subentry.subentry_id

    @property
    def _current(self) -> dict[str, Any]:
        if (subentry := self._subentry) is None:
            return {}
        return {CONF_NAME: subentry.title, **self._show_stored(dict(subentry.data))}

    @property
    def _subentry(self) -> ConfigSubentry | None:
        """Return the one that is being changed; ends the flow if it was removed."""
        if self.source != SOURCE_RECONFIGURE:
            return None
        subentry_id = self._reconfigure_subentry_id
        if (found := self._get_entry().subentries.get(subentry_id)) is None:
            raise AbortFlow("removed")
        return found

    @override
    @callback
    def _get_entry(self) -> VirtualSmsConfigEntry:
        return require_entry(self.hass, self._entry_id)

    @property
    def _directory(self) -> Directory:
        return async_directory(self.hass)
