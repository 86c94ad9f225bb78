"""Look after a number: notice by itself what a person would find in a log.

Some things are heard at once: what a provider says of a message, and what each poll
brings. The rest is looked at a few times a day, with a handful of requests.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
import logging
import sqlite3

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from .adapters.errors import (
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
)
from .adapters.models import Advice, Capability, DeliveryStatus
from .announcements import Received, StatusChanged
from .const import CONF_MODE, DOMAIN, MODE_POLLING, OPTION_BALANCE_THRESHOLD
from .events import News, async_subscribe
from .issues import (
    ADVICE,
    Problem,
    async_clear_issue,
    async_get_regions,
    async_raise_issue,
)
from .journal import JournalClosedError
from .numbers import region_of
from .return_path import async_check_return_path
from .runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

LOOK_INTERVAL = timedelta(hours=6)
EXPIRES_SOON = timedelta(days=14)
_BY_REGION = (Problem.COUNTRY_NOT_ENABLED, Problem.REGISTRATION_MISSING)
"""What a delivery disproves, but for the country it went to only."""


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
        self._refused_on_trial: set[str] = set()

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
        # An account that could not be listed is left out: that says nothing.
        elif number.account in {each.account for each in listed} or (
            not await self._async_is_known()
        ):
            self._async_raise(Problem.NUMBER_GONE)

    async def _async_is_known(self) -> bool:
        """Say whether the provider still knows the number, as far as it says so."""
        failure = self._coordinator.last_exception
        if failure is not None and isinstance(failure.__cause__, NotFoundError):
            return False
        try:
            await self._line.adapter.get_callbacks(self._line.number)
        except NotFoundError:
            return False
        except SmsError as err:
            _LOGGER.debug("The number cannot be asked about now: %s", err.code)
        return True

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
        match news.announcement:
            # Without polling, only a callback brings a message in time.
            case Received(late=False) if is_called:
                self._registrar.async_note_callback()
            case Received(late=True, message=message) if is_called:
                self._async_miss(message.received_at)
            case StatusChanged(status=DeliveryStatus.DELIVERED, recipient=recipient):
                self._async_note_delivery(recipient)
            case StatusChanged(error_code=str(code), recipient=recipient):
                self._async_advise(code, recipient)

    @callback
    def _async_note_delivery(self, recipient: str) -> None:
        """Take back what a delivery disproves: what is said of the same thing."""
        self._coordinator.async_note_credit()
        self._async_clear(Problem.SERVICE_EXPIRED)
        for problem in _BY_REGION:
            regions = async_get_regions(self._hass, self._entry, problem)
            left = regions - {region_of(recipient) or ""}
            if left and left != regions:
                self._async_raise(problem, regions=left)
            elif not left and regions:
                self._async_clear(problem)
        if recipient in self._refused_on_trial:
            self._refused_on_trial.clear()
            self._async_clear(Problem.TRIAL_LIMITS)

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
        self._async_weigh()
        self._entry.async_create_background_task(
            self._hass, self._async_look_at_records(), f"{DOMAIN} records"
        )

    async def _async_look_at_records(self) -> None:
        """Say how many messages the provider has that cannot be read."""
        inbound = self._entry.runtime_data.gateway.ledger.inbound
        with suppress(JournalClosedError, sqlite3.Error):
            count = len(await inbound.list_set_aside())
            if count:
                self._async_raise(Problem.RECORDS_UNREADABLE, count=str(count))
            else:
                self._async_clear(Problem.RECORDS_UNREADABLE)

    @callback
    def _async_weigh(self) -> None:
        """Tell nothing left from little left; little is what the person says."""
        balance, empty = self._coordinator.balance, self._coordinator.is_out_of_credit
        threshold = self._entry.options.get(OPTION_BALANCE_THRESHOLD)
        is_low = (
            not empty
            and balance is not None
            and threshold is not None
            and balance.amount < Decimal(str(threshold))
        )
        self._async_clear(
            *([] if empty else [Problem.NO_CREDIT]),
            *([] if is_low else [Problem.BALANCE_LOW]),
        )
        if empty:
            self._async_raise(Problem.NO_CREDIT)
        elif is_low and balance is not None:
            self._async_raise(Problem.BALANCE_LOW, balance=f"{balance.amount:.2f}")

    @callback
    def _async_advise(self, code: str | None, recipient: str | None = None) -> None:
        """Raise what only a person can mend at the provider, if a code means that."""
        rule = self._line.adapter.error_rules.get(code or "")
        advice: Advice | None = rule.advice if rule else None
        match advice:
            case None:
                return
            case Advice.TOP_UP:
                # Its listeners, this one among them, learn of it at once.
                self._coordinator.async_note_refusal()
            case Advice.RENEW_SERVICE:
                # The next poll that is answered tells that it runs again.
                self._polled_in_vain = True
            case Advice.LEAVE_TRIAL if recipient:
                self._refused_on_trial.add(recipient)
        problem = ADVICE[advice]
        regions = async_get_regions(self._hass, self._entry, problem)
        if problem in _BY_REGION and recipient and (region := region_of(recipient)):
            regions.add(region)
        self._async_raise(problem, regions=regions)

    @callback
    def _async_raise(
        self, problem: Problem, regions: Collection[str] = (), **placeholders: str
    ) -> None:
        async_raise_issue(
            self._hass, self._entry, problem, regions=regions, **placeholders
        )

    @callback
    def _async_clear(self, *problems: Problem) -> None:
        async_clear_issue(self._hass, self._entry, *problems)
