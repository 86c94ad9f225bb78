"""The forms of the config flow, and how to read them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util import dt as dt_util

from ..adapters.models import CredentialField, PhoneNumber
from ..adapters.plain_text import clean_pasted
from ..adapters.replaced_secret import LASTS, previous_keys
from ..const import (
    CONF_MODE,
    CONF_NUMBER,
    MODE_AUTOMATIC,
    MODE_MANUAL,
    MODE_POLLING,
    OPTION_BALANCE_THRESHOLD,
    OPTION_COMMAND_MAX_AGE,
    OPTION_POLL_INTERVAL,
    OPTION_PRIVACY,
    OPTION_RETRY_FOR,
    OPTION_SIMPLIFY,
    SECTION_LIMITS,
)
from ..core.privacy import Privacy
from ..store.usage import Limit, Limits

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

CONF_API_URL = "api_url"
CONF_CONFIRM = "confirm"
CONF_NAME = "name"
SECTION_ADVANCED = "advanced"

MODES = (MODE_AUTOMATIC, MODE_MANUAL, MODE_POLLING)

DEFAULT_RETRY_FOR = 30
"""Minutes that sending is tried for."""
DEFAULT_COMMAND_MAX_AGE = 300
"""Seconds after which a command is not believed any more."""
MOST_SEGMENTS = 1_000_000

type Form = dict[str, Any]
type Fields = Sequence[CredentialField]

TAKEOVER = vol.Schema({vol.Required(CONF_CONFIRM, default=False): BooleanSelector()})


def credentials_schema(
    fields: Fields, shown: Form, stored: Mapping[str, str]
) -> vol.Schema:
    """Return a provider's credential form.

    Rare fields sit in a section that is closed, unless what is wrong may be in it.
    Secrets that are stored may be left empty.
    """
    plain = [field for field in fields if not field.advanced]
    advanced = [field for field in fields if field.advanced]
    return vol.Schema(
        _inputs(plain, stored)
        | {
            vol.Optional(SECTION_ADVANCED): section(
                vol.Schema(_inputs(advanced, stored)),
                {"collapsed": not any(shown.get(SECTION_ADVANCED, {}).values())},
            )
        }
    )


def read_credentials(form: Form) -> dict[str, str]:
    """Return what was typed, without the section and empty fields.

    What is copied from a web page or a mail may hold signs that nobody sees, and
    dashes that only look like those of a key. No field has a blank inside.
    """
    flat = form | form.get(SECTION_ADVANCED, {})
    flat.pop(SECTION_ADVANCED, None)
    cleaned = {key: "".join(clean_pasted(value).split()) for key, value in flat.items()}
    return {key: text for key, text in cleaned.items() if text}


def keep_secrets(
    fields: Fields,
    typed: Mapping[str, str],
    stored: Mapping[str, str],
    *,
    renews: bool = False,
) -> dict[str, str]:
    """Complete newly typed credentials with the stored ones that belong to them.

    A form does not show secrets, so one that is left empty stays as long as the
    field it belongs to stays. `renews` tells that the provider refuses what is
    stored.
    """
    credentials = dict(typed)
    for field in fields:
        if _still_belongs(field, fields, typed, stored, renews=renews):
            credentials.setdefault(field.key, stored[field.key])
    for field in fields:
        if field.rotates and _same(_owner(field, fields), typed, stored):
            credentials |= _previous(field.key, credentials[field.key], stored)
    return credentials


def _still_belongs(
    field: CredentialField,
    fields: Fields,
    typed: Mapping[str, str],
    stored: Mapping[str, str],
    *,
    renews: bool,
) -> bool:
    """Say whether a stored secret goes on if its field is left empty.

    One that a click can renew goes on only where no other secret is new.
    """
    if not field.secret or field.key not in stored:
        return False
    by_click = not field.required and field.requires is None
    if by_click and (renews or any(each.key in typed for each in _needed(fields))):
        return False
    return _same(_owner(field, fields), typed, stored)


def _needed(fields: Fields) -> list[CredentialField]:
    return [field for field in fields if field.secret and field.required]


def _owner(field: CredentialField, fields: Fields) -> str:
    """Name the field that says whose a secret is."""
    identifying = (each.key for each in fields if each.required and not each.secret)
    return field.requires or next(identifying)


def _same(key: str, typed: Mapping[str, str], stored: Mapping[str, str]) -> bool:
    return key in stored and typed.get(key) == stored[key]


def _previous(key: str, secret: str, stored: Mapping[str, str]) -> dict[str, str]:
    """Keep a secret that was replaced for a day: it may have signed what is underway.

    What is kept without an end comes from an older version, and is over.
    """
    previous, until = previous_keys(key)
    if secret != stored[key]:
        end = dt_util.utcnow() + LASTS
        return {previous: stored[key], until: end.isoformat()}
    if previous in stored and until in stored:
        return {previous: stored[previous], until: stored[until]}
    return {}


def find_gap(fields: Fields, credentials: Mapping[str, str]) -> str | None:
    """Return the form's word for a field that was left empty and must not be."""
    if any(field.key not in credentials for field in _needed(fields)):
        return "invalid_auth"
    if any(
        field.requires is not None
        and field.key in credentials
        and field.requires not in credentials
        for field in fields
    ):
        return "api_key_incomplete"
    return None


def shown_credentials(fields: Fields, credentials: Mapping[str, str]) -> Form:
    """Return what a form may show of stored credentials, in the form's shape."""
    shown = [each for each in fields if not each.secret and each.key in credentials]
    plain = {each.key: credentials[each.key] for each in shown if not each.advanced}
    advanced = {each.key: credentials[each.key] for each in shown if each.advanced}
    return plain | {SECTION_ADVANCED: advanced}


def number_schema(numbers: list[PhoneNumber], *, typed: bool) -> vol.Schema:
    """Return the form that chooses a number, or lets it be typed."""
    options = [
        SelectOptionDict(value=each.number, label=_label(each)) for each in numbers
    ]
    number = SelectSelectorConfig(
        options=options, mode=SelectSelectorMode.DROPDOWN, custom_value=typed
    )
    only = numbers[0].number if len(numbers) == 1 else vol.UNDEFINED
    return vol.Schema(
        {
            vol.Required(CONF_NUMBER, default=only): SelectSelector(number),
            vol.Optional(CONF_NAME): TextSelector(),
        }
    )


def callbacks_schema(default: str) -> vol.Schema:
    """Return the form that chooses how news reaches this home."""
    return vol.Schema(
        {vol.Required(CONF_MODE, default=default): _choice(CONF_MODE, MODES)}
    )


def options_schema() -> vol.Schema:
    """Return the form of the options."""
    return vol.Schema(
        {
            vol.Optional(CONF_MODE): _choice(CONF_MODE, MODES),
            vol.Optional(OPTION_POLL_INTERVAL): _amount(5, 3600, "s"),
            vol.Optional(OPTION_RETRY_FOR): _amount(0, 1440, "min"),
            vol.Optional(OPTION_BALANCE_THRESHOLD): NumberSelector(
                NumberSelectorConfig(min=0, step="any", mode=NumberSelectorMode.BOX)
            ),
            vol.Optional(OPTION_PRIVACY): _choice(OPTION_PRIVACY, list(Privacy)),
            vol.Optional(OPTION_SIMPLIFY): BooleanSelector(),
            vol.Optional(OPTION_COMMAND_MAX_AGE): _amount(30, 86_400, "s"),
            vol.Optional(SECTION_LIMITS): section(limits_schema(), {"collapsed": True}),
        }
    )


def limits_schema() -> vol.Schema:
    """Return the section of what a number may send; a month may be without limit."""
    limits, amount = Limits(), _amount(1, MOST_SEGMENTS)
    return vol.Schema(
        {
            vol.Required(Limit.HOUR.value, default=limits.hour): amount,
            vol.Required(Limit.DAY.value, default=limits.day): amount,
            vol.Optional(Limit.MONTH.value): amount,
            vol.Required(Limit.REPEATS.value, default=limits.repeats): amount,
        }
    )


def _choice(key: str, options: Sequence[str]) -> SelectSelector:
    """Return a list to choose one from, each with its explanation in sight."""
    return SelectSelector(
        SelectSelectorConfig(
            options=list(options), mode=SelectSelectorMode.LIST, translation_key=key
        )
    )


def _amount(least: int, most: int, unit: str | None = None) -> vol.All[int]:
    config = NumberSelectorConfig(
        min=least, max=most, step=1, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _inputs(
    fields: Fields, stored: Mapping[str, str]
) -> dict[vol.Marker, TextSelector]:
    return {
        _marker(field, stored)(field.key): TextSelector(
            TextSelectorConfig(type=_input_type(field))
        )
        for field in fields
    }


def _marker(
    field: CredentialField, stored: Mapping[str, str]
) -> type[vol.Required | vol.Optional]:
    is_kept = field.secret and field.key in stored
    return vol.Required if field.required and not is_kept else vol.Optional


def _input_type(field: CredentialField) -> TextSelectorType:
    if field.secret:
        return TextSelectorType.PASSWORD
    if field.key == CONF_API_URL:
        return TextSelectorType.URL
    return TextSelectorType.TEXT


def _label(number: PhoneNumber) -> str:
    if number.label in (None, "", number.number):
        return number.number
    return f"{number.label} ({number.number})"
