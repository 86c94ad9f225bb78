"""The forms of the flows, apart from those of credentials."""

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
)

from ..adapters.models import PhoneNumber
from ..const import (
    CALLS_IGNORE,
    CALLS_REJECT,
    CALLS_SPEAK,
    CONF_ACCOUNT,
    CONF_MODE,
    CONF_NUMBER,
    MODE_AUTOMATIC,
    MODE_MANUAL,
    MODE_POLLING,
    OPTION_BALANCE_THRESHOLD,
    OPTION_COMMAND_MAX_AGE,
    OPTION_FALLBACK,
    OPTION_GREETING,
    OPTION_INCOMING_CALLS,
    OPTION_KEEP_CONVERSATIONS,
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

CONF_CONFIRM = "confirm"
CONF_NAME = "name"

MODES = (MODE_AUTOMATIC, MODE_MANUAL, MODE_POLLING)
INCOMING_CALLS = (CALLS_IGNORE, CALLS_REJECT, CALLS_SPEAK)
LONGEST_GREETING = 1000

MOST_SEGMENTS = 1_000_000

_NO_OTHERS: Mapping[str, str] = {}

type Form = dict[str, Any]

TAKEOVER = vol.Schema({vol.Required(CONF_CONFIRM, default=False): BooleanSelector()})


def account_schema(labels: Mapping[str, str]) -> vol.Schema:
    """Return the form that chooses one of the accounts that are set up."""
    options = [SelectOptionDict(value=key, label=text) for key, text in labels.items()]
    account = SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
    return vol.Schema({vol.Required(CONF_ACCOUNT): SelectSelector(account)})


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
    """Return the form that chooses how messages reach this home."""
    return vol.Schema(
        {vol.Required(CONF_MODE, default=default): _choice(CONF_MODE, MODES)}
    )


def options_schema(
    others: Mapping[str, str] = _NO_OTHERS, *, calls: bool
) -> vol.Schema:
    """Return the form of the options, those about calls included or not.

    `others` are the other numbers, by entry id.
    """
    about_calls = {
        vol.Optional(OPTION_INCOMING_CALLS): _choice(
            OPTION_INCOMING_CALLS, INCOMING_CALLS
        ),
        vol.Optional(OPTION_GREETING): vol.All(
            TextSelector(TextSelectorConfig(multiline=True)),
            vol.Length(max=LONGEST_GREETING),
        ),
    }
    return vol.Schema(
        {
            vol.Optional(CONF_MODE): _choice(CONF_MODE, MODES),
            vol.Optional(OPTION_POLL_INTERVAL): _amount(5, 3600, "s"),
            vol.Optional(OPTION_RETRY_FOR): _amount(0, 1440, "min"),
            vol.Optional(OPTION_FALLBACK): _choose_some(others),
            vol.Optional(OPTION_BALANCE_THRESHOLD): NumberSelector(
                NumberSelectorConfig(min=0, step="any", mode=NumberSelectorMode.BOX)
            ),
            vol.Optional(OPTION_PRIVACY): _choice(OPTION_PRIVACY, list(Privacy)),
            vol.Optional(OPTION_KEEP_CONVERSATIONS): _amount(0, 3650, "d"),
            vol.Optional(OPTION_SIMPLIFY): BooleanSelector(),
            vol.Optional(OPTION_COMMAND_MAX_AGE): _amount(30, 86_400, "s"),
            **(about_calls if calls else {}),
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


def _choose_some(labels: Mapping[str, str]) -> SelectSelector:
    """Return a list to choose several from, which keeps their order."""
    options = [SelectOptionDict(value=key, label=text) for key, text in labels.items()]
    return SelectSelector(
        SelectSelectorConfig(
            options=options, multiple=True, mode=SelectSelectorMode.DROPDOWN
        )
    )


def _amount(least: int, most: int, unit: str | None = None) -> vol.All[int]:
    config = NumberSelectorConfig(
        min=least, max=most, step=1, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _label(number: PhoneNumber) -> str:
    if number.label in (None, "", number.number):
        return number.number
    return f"{number.label} ({number.number})"
