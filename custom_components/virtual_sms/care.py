"""Look after a number: notice by itself what a person would find in a log.

Some things are heard at once: what a provider says of a message, and what each poll
brings. The rest is looked at a few times a day, with a handful of requests.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .adapters.errors import MissingRightsError, ProviderUnavailableError, SmsError
from .adapters.models import Advice, Capability, DeliveryStatus
from .const import CONF_MODE, DOMAIN, MODE_POLLING, OPTION_BALANCE_THRESHOLD
from .events import News, async_subscribe
from .issues import ADVICE, Problem, async_clear_issue, async_raise_issue
from .return_path import async_check_return_path
from .runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

LOOK_INTERVAL = timedelta(hours=6)
EXPIRES_SOON = timedelta(days=14)
_DELIVERY_DISPROVES = (
    Problem.COUNTRY_NOT_ENABLED,
    Problem.REGISTRATION_MISSING,
    Problem.SERVICE_EXPIRED,
    Problem.TRIAL_LIMITS,
)


class Care:
    """Raise what is wrong with a number, and take it back when it is mended."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Take the number."""
        self._hass = hass
        self._entry = entry
        runtime = entry.runtime_data
        self._line = runtime.gateway.line
        self._coordinator = runtime.coordinator
        self._registrar = runtime.registrar
        self._looks_again = False
        self._polled_in_vain = False
        self._since = dt_util.utcnow()
        self._search: asyncio.Task[None] | None = None

    async def async_start(self) -> None:
        """Begin to hear, and take the first look unless the provider is down."""
        hass, entry = self._hass, self._entry
        for stop in (
            async_subscribe(hass, entry.entry_id, self._async_hear),
            self._coordinator.async_add_listener(self._async_polled),
            async_track_time_interval(
                hass, self._async_look, LOOK_INTERVAL, cancel_on_shutdown=True
            ),
        ):
            entry.async_on_unload(stop)
        self._async_polled()
        if self._coordinator.last_update_success:
            # The callback URL has just been claimed.
            await self._async_look_at(
                self._async_look_at_key, self._async_look_at_number
            )

    async def _async_look(self, _: datetime | None = None) -> None:
        """Ask the provider what it never tells by itself."""
        await self._async_look_at(
            self._registrar.async_inspect,
            self._async_look_at_key,
            self._async_look_at_number,
        )

    async def _async_look_at(self, *looks: Callable[[], Awaitable[None]]) -> None:
        """Look at some things.

        Nothing is concluded from silence: all are asked again after the next poll.
        """
        self._looks_again = False
        for look in looks:
            try:
                await look()
            except SmsError as err:
                _LOGGER.debug("The number cannot be looked after now: %s", err.code)
                self._looks_again |= isinstance(err, ProviderUnavailableError)
                self._async_advise(err.provider_code)

    async def _async_look_at_key(self) -> None:
        if Capability.AUTHORIZATION not in self._line.adapter.capabilities:
            return
        expires_at = (await self._line.adapter.authorization_state()).expires_at
        if expires_at is not None and expires_at < dt_util.utcnow() + EXPIRES_SOON:
            date = dt_util.as_local(expires_at).date().isoformat()
            self._async_raise(Problem.CREDENTIALS_EXPIRING, date=date)
        else:
            self._async_clear(Problem.CREDENTIALS_EXPIRING)

    async def _async_look_at_number(self) -> None:
        """See that the number is still there: it is listed as long as it can text."""
        number = self._line.number
        try:
            listed = await self._line.adapter.list_numbers()
        except MissingRightsError:
            return
        lines = {(each.account, each.number) for each in listed}
        if (number.account, number.number) in lines:
            self._async_clear(Problem.NUMBER_GONE)
        else:
            self._async_raise(Problem.NUMBER_GONE)

    async def _async_look_for_callbacks(self) -> None:
        """Find out why a message came without its callback, beginning at the provider."""
        try:
            await self._registrar.async_inspect()
        except SmsError as err:
            _LOGGER.debug("The callback URL cannot be looked at now: %s", err.code)
            return
        if not self._registrar.async_has_problem():
            await async_check_return_path(self._hass, self._entry, self._registrar)

    @callback
    def _async_hear(self, news: News) -> None:
        """Learn from what happens to messages."""
        is_called = self._entry.data[CONF_MODE] != MODE_POLLING
        match news.data:
            # Without polling, only a callback brings a message in time.
            case {"late": False} if is_called:
                self._registrar.async_note_callback()
            case {"late": True, "received_at": str(at)} if is_called:
                self._async_miss(at)
            case {"status": DeliveryStatus.DELIVERED}:
                self._async_clear(*_DELIVERY_DISPROVES)
                if self._coordinator.balance is None:
                    self._async_clear(Problem.NO_CREDIT)
            case {"error_code": str(code)}:
                self._async_advise(code)

    @callback
    def _async_miss(self, at: str) -> None:
        """Miss a callback; of a message from before the start none was to be had."""
        if datetime.fromisoformat(at) < self._since or self._is_searching:
            return
        self._search = self._entry.async_create_background_task(
            self._hass, self._async_look_for_callbacks(), f"{DOMAIN} missed callback"
        )

    @property
    def _is_searching(self) -> bool:
        return self._search is not None and not self._search.done()

    @callback
    def _async_polled(self) -> None:
        """Learn from what the last poll brought, or failed with."""
        coordinator = self._coordinator
        if not coordinator.last_update_success:
            cause = coordinator.last_exception and coordinator.last_exception.__cause__
            self._async_advise(getattr(cause, "provider_code", None))
            self._polled_in_vain = True
            return
        if self._polled_in_vain:
            self._polled_in_vain = False
            self._async_clear(Problem.SERVICE_EXPIRED)
        if self._looks_again:
            self._looks_again = False
            self._entry.async_create_background_task(
                self._hass, self._async_look(), f"{DOMAIN} look again"
            )
        if coordinator.balance is not None:
            self._async_weigh(coordinator.balance.amount)

    @callback
    def _async_weigh(self, amount: Decimal) -> None:
        """Tell nothing left from little left; little is what the person says."""
        threshold = self._entry.options.get(OPTION_BALANCE_THRESHOLD)
        is_low = threshold is not None and amount < Decimal(str(threshold))
        self._async_clear(
            *([] if amount <= 0 else [Problem.NO_CREDIT]),
            *([] if amount > 0 and is_low else [Problem.BALANCE_LOW]),
        )
        if amount <= 0:
            self._async_raise(Problem.NO_CREDIT)
        elif is_low:
            self._async_raise(Problem.BALANCE_LOW, balance=f"{amount:.2f}")

    @callback
    def _async_advise(self, code: str | None) -> None:
        """Raise what only a person can mend at the provider, if a code means that."""
        rule = self._line.adapter.error_rules.get(code or "")
        advice: Advice | None = rule.advice if rule else None
        if advice is not None:
            self._async_raise(ADVICE[advice])
        if advice is Advice.TOP_UP:
            # What was read before the refusal must not take it back.
            self._coordinator.async_doubt_balance()

    @callback
    def _async_raise(self, problem: Problem, **placeholders: str) -> None:
        async_raise_issue(self._hass, self._entry, problem, **placeholders)

    @callback
    def _async_clear(self, *problems: Problem) -> None:
        async_clear_issue(self._hass, self._entry, *problems)
