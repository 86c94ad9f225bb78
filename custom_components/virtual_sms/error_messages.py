"""Between the adapters and Home Assistant: how they are made, what their errors say."""

from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from .adapters import ADAPTERS
from .adapters.errors import (
    AccountSuspendedError,
    AuthenticationError,
    MessageRejectedError,
    SmsError,
)
from .adapters.models import RejectReason
from .const import DOMAIN
from .core.limits import LimitReachedError
from .core.phone_numbers import InvalidNumberError
from .texts import find_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .adapters.base import SmsAdapter


class AddressError(ValueError):
    """Nobody is found at what was given as an address: `value`."""

    def __init__(self, code: str, value: str) -> None:
        """Keep the key of the sentence, and the value for who gave it."""
        super().__init__(code)
        self.code = code
        self.value = value


type Failure = SmsError | InvalidNumberError | AddressError


async def async_load_adapter(hass: HomeAssistant, provider: str) -> None:
    """Have the adapter of a provider at hand, for no other is loaded."""
    if not ADAPTERS.has_loaded(provider):
        await hass.async_add_import_executor_job(ADAPTERS.__getitem__, provider)


async def async_create_adapter(
    hass: HomeAssistant, provider: str, credentials: Mapping[str, str]
) -> SmsAdapter:
    """Return a provider's adapter, ready to be asked."""
    await async_load_adapter(hass, provider)
    adapter = ADAPTERS[provider](
        credentials,
        session=async_get_clientsession(hass),
        run_blocking=hass.async_add_executor_job,
    )
    await adapter.prepare()
    return adapter


@callback
def explain(hass: HomeAssistant, provider: str, err: Failure) -> str:
    """Say what went wrong and what to do, in the language of this home."""
    sentence = find_sentence(hass, _sentence(provider, err))
    return sentence.format(**_placeholders(err)) if sentence else str(err)


@callback
def say(hass: HomeAssistant, err: HomeAssistantError) -> str:
    """Return what one of our own exceptions says, in the language of this home."""
    sentence = find_sentence(hass, str(err.translation_key))
    return (
        sentence.format(**err.translation_placeholders or {}) if sentence else str(err)
    )


@callback
def find_sentence(hass: HomeAssistant, key: str) -> str | None:
    """Find the sentence of one of our exceptions in the language of this home."""
    return find_text(hass, "exceptions", f"exceptions.{key}.message")


@callback
def refuse(provider: str, err: Failure) -> ServiceValidationError:
    """Return the exception for what the caller of an action can put right."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=_sentence(provider, err),
        translation_placeholders=_placeholders(err),
    )


def write_time(time: datetime) -> str:
    """Write a time of the home as short as it is clear."""
    local = dt_util.as_local(time)
    is_today = local.date() == dt_util.now().date()
    return f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"


def wants_new_credentials(err: Failure) -> bool:
    """Say whether other credentials would help; to a closed account none do."""
    return isinstance(err, AuthenticationError) and not isinstance(
        err, AccountSuspendedError
    )


def _sentence(provider: str, err: Failure) -> str:
    """Name the most telling sentence: for the code, else the reason, else the kind."""
    match err:
        case LimitReachedError(limit=limit, until=until):
            return f"{limit}_reached" if until else "limit_too_low"
        case InvalidNumberError(needs_quotes=True):
            return "number_needs_quotes"
        case InvalidNumberError():
            return "invalid_number"
        case SmsError(provider_code=str(code)) if (
            code in ADAPTERS[provider].error_rules
        ):
            return f"{provider}_{code}".lower()
        case MessageRejectedError(reason=reason) if reason is not RejectReason.OTHER:
            return f"{err.code}_{reason}"
    return err.code


def _placeholders(err: Failure) -> dict[str, str]:
    match err:
        case InvalidNumberError(value=value) | AddressError(value=value):
            return {"value": value}
        case LimitReachedError(until=datetime() as until):
            return {"until": write_time(until)}
    return {}
