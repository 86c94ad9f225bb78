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

from .adapters.errors import (
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
)
from .adapters.models import Advice, Capability, DeliveryStatus, RejectReason
from .bus import News, async_subscribe
from .callbacks.reachability_check import async_check_return_path
from .const import DOMAIN, OPTION_BALANCE_THRESHOLD
from .core.evidence import Evidence, was_accepted
from .core.phone_numbers import region_of
from .entry_data import EntryData
from .issues import (
    ADVICE,
    Problem,
    async_clear_issue,
    async_get_regions,
    async_has_issue,
    async_raise_issue,
)
from .runtime import VirtualSmsConfigEntry
from .store.changes import Received, StatusChanged

_LOGGER = logging.getLogger(__name__)

LOOK_INTERVAL = timedelta(hours=6)
EXPIRES_SOON = timedelta(days=14)
US = "US"

# What a message may take back: where it went decides for some.
_ABOUT_A_COUNTRY = frozenset(
    {Problem.COUNTRY_NOT_ENABLED, Problem.REGISTRATION_MISSING, Problem.TRIAL_LIMITS}
)
_ABOUT_THE_ACCOUNT = frozenset({Problem.NO_CREDIT, Problem.SERVICE_EXPIRED})


class Monitor:
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
        # A problem of an earlier run may be disproved by the first poll of this one.
        self._expired_at = 0
        self._seen = 0
        known = _ABOUT_A_COUNTRY | _ABOUT_THE_ACCOUNT
        self._evidence = Evidence(
            each for each in known if async_has_issue(hass, entry, each)
        )
        self._since = dt_util.utcnow()
        self._search: asyncio.Task[None] | None = None

    @callback
    def async_listen(self) -> None:
        """Begin to hear what happens to messages, what was held back included."""
        entry = self._entry
        stop = async_subscribe(self._hass, entry.entry_id, self._async_hear)
        entry.async_on_unload(stop)

    async def async_start(self) -> None:
        """Follow the polls, and take the first look unless the provider is down."""
        hass, entry = self._hass, self._entry
        for stop in (
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
                self._async_advise(self._find_advice(err.provider_code))

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
        # An account that does not answer is left out of the list, with its numbers.
        elif any(account == number.account for account, _ in lines) or (
            await self._async_is_unknown()
        ):
            self._async_raise(Problem.NUMBER_GONE)

    async def _async_is_unknown(self) -> bool:
        """Say whether the provider says itself that it knows no such number."""
        error = self._coordinator.last_exception
        if error is not None and isinstance(error.__cause__, NotFoundError):
            return True
        try:
            await self._line.adapter.get_callbacks(self._line.number)
        except NotFoundError:
            return True
        return False

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
        match news.change:
            case Received() as received:
                self._async_hear_message(received)
            case StatusChanged() as change:
                self._async_hear_change(change)

    @callback
    def _async_hear_message(self, received: Received) -> None:
        # Without polling, only a callback brings a message in time.
        if EntryData.of(self._entry).polls:
            return
        if received.late:
            self._async_miss(received.message.received_at)
        else:
            self._registrar.async_note_callback()

    @callback
    def _async_hear_change(self, change: StatusChanged) -> None:
        """Take back what a message disproves, or raise what its refusal tells."""
        told = self._evidence.hear(change)
        if was_accepted(change):
            self._async_accept(told & _ABOUT_THE_ACCOUNT)
        if change.status is DeliveryStatus.DELIVERED:
            for problem in told & _ABOUT_A_COUNTRY:
                self._async_disprove(problem, region_of(change.recipient))
        if change.status.is_final:
            is_poor = change.reason is RejectReason.NO_CREDIT
            advice = Advice.TOP_UP if is_poor else self._find_advice(change.error_code)
            self._async_advise(advice, region_of(change.recipient))

    @callback
    def _async_accept(self, told: set[Problem]) -> None:
        if Problem.SERVICE_EXPIRED in told:
            self._async_clear(Problem.SERVICE_EXPIRED)
        if Problem.NO_CREDIT in told:
            self._coordinator.async_note_acceptance()
            self._async_weigh()

    @callback
    def _async_disprove(self, problem: Problem, region: str | None) -> None:
        """Take a problem back for a country; it stands for the others."""
        regions = async_get_regions(self._hass, self._entry, problem)
        if region not in regions:
            return
        if left := regions - {region}:
            async_raise_issue(self._hass, self._entry, problem, left)
        else:
            self._async_clear(problem)

    @callback
    def _async_miss(self, at: datetime) -> None:
        """Miss a callback; of a message from before the start none was to be had."""
        if at < self._since or self._is_searching:
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
            code = getattr(cause, "provider_code", None)
            self._async_advise(self._find_advice(code))
        elif self._seen != coordinator.succeeded:
            self._seen = coordinator.succeeded
            self._async_conclude()
        self._async_weigh()

    @callback
    def _async_conclude(self) -> None:
        """Learn from a poll that succeeded."""
        if self._seen > self._expired_at:
            self._async_clear(Problem.SERVICE_EXPIRED)
        if count := len(self._coordinator.unreadable):
            self._async_raise(Problem.RECORDS_UNREADABLE, count=str(count))
        else:
            self._async_clear(Problem.RECORDS_UNREADABLE)
        if self._looks_again:
            self._looks_again = False
            self._entry.async_create_background_task(
                self._hass, self._async_look(), f"{DOMAIN} look again"
            )

    @callback
    def _async_weigh(self) -> None:
        """Tell nothing left from little left; little is what the person says."""
        if self._coordinator.has_credit is False:
            self._async_clear(Problem.BALANCE_LOW)
            self._async_raise(Problem.NO_CREDIT)
            return
        self._async_clear(Problem.NO_CREDIT)
        balance = self._coordinator.balance
        if balance is None:
            return
        threshold = self._entry.options.get(OPTION_BALANCE_THRESHOLD)
        if threshold is not None and balance.amount < Decimal(str(threshold)):
            amount = f"{balance.amount:.2f}"
            self._async_raise(Problem.BALANCE_LOW, balance=amount)
        else:
            self._async_clear(Problem.BALANCE_LOW)

    def _find_advice(self, code: str | None) -> Advice | None:
        rule = self._line.adapter.error_rules.get(code or "")
        return rule.advice if rule else None

    @callback
    def _async_advise(self, advice: Advice | None, region: str | None = None) -> None:
        """Raise what only a person can mend at the provider."""
        if advice is None:
            return
        problem = ADVICE[advice]
        self._evidence.begin(problem)
        if problem is Problem.NO_CREDIT:
            self._coordinator.async_note_refusal()
            self._async_weigh()
            return
        if problem is Problem.SERVICE_EXPIRED:
            self._expired_at = self._coordinator.begun
        elif problem is Problem.REGISTRATION_MISSING:
            region = US
        regions = async_get_regions(self._hass, self._entry, problem)
        regions |= {region} if region and problem in _ABOUT_A_COUNTRY else set()
        async_raise_issue(self._hass, self._entry, problem, regions)

    @callback
    def _async_raise(self, problem: Problem, **placeholders: str) -> None:
        async_raise_issue(self._hass, self._entry, problem, **placeholders)

    @callback
    def _async_clear(self, *problems: Problem) -> None:
        async_clear_issue(self._hass, self._entry, *problems)
