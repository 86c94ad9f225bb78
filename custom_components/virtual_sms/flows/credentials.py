"""What a set of credentials opens, as the config flow finds it out."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
import logging
from typing import TYPE_CHECKING

from ..adapters import ADAPTERS
from ..adapters.errors import MissingRightsError, ProviderUnavailableError, SmsError
from ..adapters.models import Account, AuthorizationStatus, Capability, PhoneNumber
from ..core.phone_numbers import parse_number
from ..error_messages import async_create_adapter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from homeassistant.core import HomeAssistant

    from ..adapters.base import SmsAdapter

_LOGGER = logging.getLogger(__name__)

CONSENT_ERRORS = {
    AuthorizationStatus.VALIDATED: None,
    AuthorizationStatus.REFUSED: "authorization_refused",
    AuthorizationStatus.EXPIRED: "authorization_expired",
}
CONSENT_PAUSE = 2
CONSENT_TIMEOUT = 600
"""Seconds between two questions, and seconds in all."""

MOST_LOOKED_UP = 10
"""Numbers whose rights are looked up before one is chosen."""

CONF_CONSUMER_KEY = "consumer_key"
_PENDING = AuthorizationStatus.PENDING


@dataclass(frozen=True, kw_only=True)
class Access:
    """An account that has been opened; `numbers` is None where it may not list them."""

    adapter: SmsAdapter
    account: Account
    numbers: list[PhoneNumber] | None

    def unique_id(self, number: PhoneNumber) -> str:
        """Return what a number is known by in this home."""
        return f"{self.adapter.key}:{number.account}:{number.number}"

    def free(self, taken: Collection[str | None]) -> list[PhoneNumber]:
        """List the numbers that are not set up yet."""
        return [
            each for each in self.numbers or [] if self.unique_id(each) not in taken
        ]

    def find(self, text: str, country: str | None) -> PhoneNumber:
        """Return the listed number, or read one that was typed.

        Raises InvalidNumberError for what is no telephone number.
        """
        for each in self.numbers or []:
            if each.number == text:
                return each
        number = parse_number(text, country)
        return PhoneNumber(account=self.account.id, number=number)

    def opens(self, account: str, number: str) -> bool:
        """Say whether a number is still reached, as far as is known."""
        if self.numbers is None:
            return self.account.id == account
        lines = [(each.account, each.number) for each in self.numbers]
        return (account, number) in lines


async def async_open(
    hass: HomeAssistant, provider: str, credentials: Mapping[str, str]
) -> Access:
    """Prove credentials and look at what they open."""
    adapter = await async_create_adapter(hass, provider, credentials)
    account = await adapter.get_account()
    try:
        numbers = await adapter.list_numbers()
    except MissingRightsError:
        return Access(adapter=adapter, account=account, numbers=None)
    return Access(adapter=adapter, account=account, numbers=numbers)


async def async_require_rights(
    adapter: SmsAdapter, number: PhoneNumber, *, callbacks: bool
) -> None:
    """Refuse credentials that lack rights for a number, as far as is known.

    Raises MissingRightsError with their names. `callbacks` tells that the URLs are
    set by machine.
    """
    if Capability.AUTHORIZATION not in adapter.capabilities:
        return
    try:
        state = await adapter.authorization_state(number)
    except SmsError as err:
        _LOGGER.debug("The rights cannot be looked up now: %s", err.code)
        return
    missing = state.missing
    if callbacks:
        missing += state.missing_for_callbacks
    if missing:
        raise MissingRightsError("looked up", missing=missing)


async def async_require_rights_for_any(
    adapter: SmsAdapter, numbers: Sequence[PhoneNumber]
) -> None:
    """Refuse credentials that lack rights for each of some numbers."""
    refusal: MissingRightsError | None = None
    for number in numbers[:MOST_LOOKED_UP]:
        try:
            return await async_require_rights(adapter, number, callbacks=False)
        except MissingRightsError as err:
            refusal = refusal or err
    if refusal is not None:
        raise refusal
    return None


def needs_consent(provider: str, credentials: Mapping[str, str]) -> bool:
    """Say whether a key is missing that the person can allow by a click."""
    by_click = Capability.AUTHORIZATION in ADAPTERS[provider].capabilities
    return by_click and CONF_CONSUMER_KEY not in credentials


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Credentials that open nothing until the person agrees at `url`."""

    adapter: SmsAdapter
    credentials: dict[str, str]
    url: str

    async def async_wait(self) -> str | None:
        """Return None once the person has agreed, else the form's word for why not.

        Who never answers is not waited for longer than a link is good for.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(CONSENT_TIMEOUT):
                while True:
                    status = await self._async_status()
                    if status is not _PENDING:
                        return CONSENT_ERRORS[status]
                    await asyncio.sleep(CONSENT_PAUSE)
        return "authorization_expired"

    async def _async_status(self) -> AuthorizationStatus:
        try:
            state = await self.adapter.authorization_state()
        except ProviderUnavailableError as err:
            await asyncio.sleep(err.asked_pause)
            return _PENDING
        return state.status


async def async_request_consent(
    hass: HomeAssistant, provider: str, credentials: Mapping[str, str]
) -> Consent:
    """Ask the provider for a key, and for the page where it is allowed."""
    applicant = await async_create_adapter(hass, provider, credentials)
    request = await applicant.request_authorization(None)
    complete = {**credentials, CONF_CONSUMER_KEY: request.consumer_key}
    adapter = await async_create_adapter(hass, provider, complete)
    return Consent(adapter=adapter, credentials=complete, url=request.url)
