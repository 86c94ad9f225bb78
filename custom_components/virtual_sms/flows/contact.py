"""Add and change a contact: whom a number texts, and who is recognised."""

from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    ConversationAgentSelector,
    EntitySelector,
    EntitySelectorConfig,
    LanguageSelector,
    LanguageSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from ..adapters.plain_text import show
from ..core.contacts import CodeKind
from ..core.phone_numbers import InvalidNumberError, parse_number
from ..people.contacts import (
    CONF_ASSIST,
    CONF_CODE,
    CONF_LANGUAGE,
    CONF_MAY_COMMAND,
    CONF_NUMBERS,
    CONF_PERSON,
)
from .contact_check_steps import CONF_SEND_TEST
from .contact_code import CodeSteps
from .people import FormRefusedError
from .schemas import CONF_NAME, Form

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

FIELDS: Final = (
    CONF_PERSON,
    CONF_MAY_COMMAND,
    CONF_CODE,
    CONF_LANGUAGE,
    CONF_ASSIST,
)
"""What is stored as it was typed, if it was."""


class NumbersSelector(TextSelector):
    """One number or more, as text: a single one needs no list."""

    @override
    def __call__(self, data: Any) -> str | list[str]:
        typed = data if isinstance(data, list) else [data]
        return super().__call__([str(each) for each in typed])


def contact_schema(*, is_new: bool) -> vol.Schema:
    """Return the form of a contact; a new one can be sent a test text."""
    codes = SelectSelectorConfig(
        options=list(CodeKind),
        mode=SelectSelectorMode.DROPDOWN,
        translation_key=CONF_CODE,
    )
    numbers = TextSelectorConfig(type=TextSelectorType.TEL, multiple=True)
    test = {vol.Optional(CONF_SEND_TEST, default=False): BooleanSelector()}
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Required(CONF_NUMBERS): NumbersSelector(numbers),
            vol.Optional(CONF_PERSON): EntitySelector(
                EntitySelectorConfig(domain="person")
            ),
            vol.Optional(CONF_MAY_COMMAND, default=False): BooleanSelector(),
            vol.Optional(CONF_CODE, default=CodeKind.NONE.value): SelectSelector(codes),
            vol.Optional(CONF_LANGUAGE): LanguageSelector(LanguageSelectorConfig()),
            vol.Optional(CONF_ASSIST): ConversationAgentSelector(),
            **(test if is_new else {}),
        }
    )


class ContactFlow(CodeSteps):
    """Ask who it is, and what they may do."""

    @override
    def _schema(self) -> vol.Schema:
        return contact_schema(is_new=self._subentry is None)

    @override
    def _read(self, typed: Form) -> Form:
        kept = dict(self._subentry.data) if self._subentry else {}
        data = {key: kept[key] for key in kept if key not in FIELDS}
        data |= {key: typed[key] for key in FIELDS if key in typed}
        data[CONF_NUMBERS] = self._read_numbers(typed[CONF_NUMBERS])
        if CONF_PERSON in data:
            data[CONF_PERSON] = self._registry_id(data[CONF_PERSON])
        return data

    @override
    async def _async_complete(self) -> SubentryFlowResult:
        kind = CodeKind(self._data[CONF_CODE])
        self._drop_codes(but=kind)
        if kind is not CodeKind.NONE and self._data[CONF_MAY_COMMAND]:
            return await self._async_set_code(kind)
        return await self._async_end()

    @override
    def _show_stored(self, data: Form) -> Form:
        """Show the person by the name that the entity has by now."""
        registry_id = data.pop(CONF_PERSON, None)
        if registry_id is not None:
            registry = er.async_get(self.hass)
            data[CONF_PERSON] = er.async_resolve_entity_id(registry, registry_id)
        return data

    def _read_numbers(self, typed: list[str]) -> list[str]:
        """Read them all, each once; a number is one person's, in the whole home."""
        numbers = list(dict.fromkeys(map(self._read_number, typed)))
        if not numbers:
            raise FormRefusedError("invalid_number", CONF_NUMBERS, {"value": "?"})
        for number in numbers:
            owner = self._directory.find_sender(number)
            if owner is not None and self._is_other(owner):
                placeholders = {"number": number, "owner": owner.name}
                raise FormRefusedError("number_taken", CONF_NUMBERS, placeholders)
        return numbers

    def _read_number(self, text: str) -> str:
        try:
            return parse_number(text, self.hass.config.country)
        except InvalidNumberError as err:
            value = {"value": show(err.value)}
            raise FormRefusedError("invalid_number", CONF_NUMBERS, value) from err

    def _registry_id(self, entity_id: str) -> str:
        """Return what outlives a new name of the entity, where it has such a thing."""
        entity = er.async_get(self.hass).async_get(entity_id)
        return entity.id if entity is not None else entity_id
