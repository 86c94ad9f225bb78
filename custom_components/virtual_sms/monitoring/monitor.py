"""Monitor a number: notice by itself what a person would find in a log.

What a provider says of a message, and what each poll brings, is handled at once. The
rest is looked at a few times a day, with a handful of requests.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import assert_never

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from ..adapters.call_models import CallState, Direction
from ..adapters.errors import SmsError
from ..adapters.models import Advice, DeliveryStatus, RejectReason
from ..bus import EventData, async_listen
from ..const import DOMAIN, OPTION_BALANCE_THRESHOLD
from ..core.evidence import Evidence, was_accepted
from ..core.phone_numbers import is_read, region_of
from ..entry_data import EntryData
from ..issues import (
    ADVICE,
    Problem,
    async_clear_issue,
    async_get_regions,
    async_has_issue,
    async_raise_issue,
    async_set_issue,
)
from ..number_tables import async_load_tables
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import CallChanged, Change, Received, StatusChanged
from .balance_timer import BalanceTimer
from .inspection import Inspection

INSPECTION_INTERVAL = timedelta(hours=6)
US = "US"

# What a message may take back: where it went decides for some.
_ABOUT_A_COUNTRY = frozenset(
    {Problem.COUNTRY_NOT_ENABLED, Problem.REGISTRATION_MISSING, Problem.TRIAL_LIMITS}
)
_WITH_REGIONS = _ABOUT_A_COUNTRY | {Problem.VOICE_COUNTRY_NOT_ENABLED}
_TALKED = frozenset({CallState.ANSWERED, CallState.ACKNOWLEDGED, CallState.COMPLETED})
_ABOUT_THE_ACCOUNT = frozenset({Problem.NO_CREDIT, Problem.SERVICE_EXPIRED})


class Monitor:
    """Raise what is wrong with a number, and take it back when it is fixed."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Take the number."""
        self._hass = hass
        self._entry = entry
        runtime = entry.runtime_data
        self._line = runtime.gateway.line
        self._coordinator = runtime.coordinator
        self._health = runtime.registrar.health
        self._balance_timer = BalanceTimer(hass, entry)
        self._inspection = Inspection(hass, entry, self._async_learn_from_error)
        # A problem of an earlier run may be disproved by the first poll of this one.
        self._expired_at = 0
        self._seen = 0
        known = _ABOUT_A_COUNTRY | _ABOUT_THE_ACCOUNT
        self._evidence = Evidence(
            each for each in known if async_has_issue(hass, entry, each)
        )
        self._since = self._line.provider_time(dt_util.utcnow())
        self._search: asyncio.Task[None] | None = None

    @callback
    def async_listen(self) -> None:
        """Begin to handle what happens to messages, what was held back included."""
        entry = self._entry
        stop = async_listen(self._hass, entry.entry_id, self._async_handle)
        entry.async_on_unload(stop)

    async def async_start(self) -> None:
        """Follow the polls, and take the first look unless the provider is down."""
        hass, entry = self._hass, self._entry
        for stop in (
            self._coordinator.async_add_listener(self._async_polled),
            async_track_time_interval(
                hass, self._async_inspect, INSPECTION_INTERVAL, cancel_on_shutdown=True
            ),
        ):
            entry.async_on_unload(stop)
        self._async_polled()
        if self._coordinator.last_update_success:
            await self._inspection.async_inspect_line()

    @callback
    def _async_inspect(self, _: datetime | None = None) -> None:
        """Ask all questions; that ends with the number."""
        self._entry.async_create_background_task(
            self._hass, self._inspection.async_inspect(), f"{DOMAIN} inspection"
        )

    @callback
    def _async_handle(
        self, _entry: VirtualSmsConfigEntry, change: Change, _data: EventData
    ) -> None:
        """Learn from what happens to messages."""
        match change:
            case Received():
                self._async_handle_message(change)
            case StatusChanged():
                self._async_handle_status(change)
            case CallChanged():
                self._async_handle_call(change)
            case _:
                assert_never(change)

    @callback
    def _async_handle_message(self, received: Received) -> None:
        # Without polling, only a callback brings a message in time.
        if EntryData.of(self._entry).polls:
            return
        if received.late:
            self._async_miss(received.message.received_at)
        else:
            self._health.async_note_message()

    @callback
    def _async_handle_status(self, change: StatusChanged) -> None:
        """Take back what a message disproves, or raise what its refusal shows."""
        about = self._evidence.note(change)
        if was_accepted(change):
            self._balance_timer.async_start()
            self._async_accept(about & _ABOUT_THE_ACCOUNT)
        if not change.status.is_final:
            return
        if change.status is DeliveryStatus.DELIVERED:
            self._async_disprove(about & _ABOUT_A_COUNTRY, change.recipient)
        is_poor = change.reason is RejectReason.NO_CREDIT
        advice = Advice.TOP_UP if is_poor else self._find_advice(change.error_code)
        self._async_advise_about(advice, change.recipient)

    @callback
    def _async_handle_call(self, change: CallChanged) -> None:
        """Take back what a call disproves, or raise what its refusal shows."""
        number = change.correspondent
        if change.state.is_final:
            self._balance_timer.async_start()
            self._async_advise_about(self._find_advice(change.error_code), number)
        if change.direction is Direction.OUTBOUND and change.state in _TALKED:
            self._async_disprove({Problem.VOICE_COUNTRY_NOT_ENABLED}, number)

    @callback
    def _async_accept(self, problems: set[Problem]) -> None:
        """Take back what an accepted message disproves of the account."""
        if Problem.SERVICE_EXPIRED in problems:
            self._async_clear(Problem.SERVICE_EXPIRED)
        if Problem.NO_CREDIT in problems:
            self._coordinator.async_note_acceptance()
            self._async_weigh()

    @callback
    def _async_disprove(self, problems: Iterable[Problem], number: str) -> None:
        """Take problems back for the country of a number; they stand for the others."""
        for problem in problems:
            if async_get_regions(self._hass, self._entry, problem):
                self._async_with_region(
                    number, partial(self._async_disprove_in, problem)
                )

    @callback
    def _async_with_region(
        self, number: str, conclude: Callable[[str | None], None]
    ) -> None:
        """Conclude from the country of a number, once its table is loaded."""
        if is_read(number, None):
            conclude(region_of(number))
            return

        async def find() -> None:
            await async_load_tables(self._hass, [number])
            conclude(region_of(number))

        self._entry.async_create_background_task(
            self._hass, find(), f"{DOMAIN} country"
        )

    @callback
    def _async_disprove_in(self, problem: Problem, region: str | None) -> None:
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
            self._hass,
            self._inspection.async_find_missing_callback(),
            f"{DOMAIN} missed callback",
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
            if isinstance(cause, SmsError):
                self._async_learn_from_error(cause)
        elif self._seen != coordinator.succeeded:
            self._seen = coordinator.succeeded
            self._async_conclude()
        self._async_weigh()

    @callback
    def _async_conclude(self) -> None:
        """Learn from a poll that succeeded."""
        if self._seen > self._expired_at:
            self._async_clear(Problem.SERVICE_EXPIRED)
        count = len(self._coordinator.unreadable)
        self._async_set(
            Problem.RECORDS_UNREADABLE, is_there=count > 0, count=str(count)
        )
        if self._inspection.async_take_unanswered():
            self._async_inspect()

    @callback
    def _async_weigh(self) -> None:
        """Keep nothing left apart from little left; little is what the person says."""
        is_spent = self._coordinator.has_credit is False
        self._async_set(Problem.NO_CREDIT, is_there=is_spent)
        balance = self._coordinator.balance
        if is_spent or balance is not None:
            amount = balance.amount if balance else Decimal()
            is_low = not is_spent and amount < self._threshold
            self._async_set(
                Problem.BALANCE_LOW, is_there=is_low, balance=f"{amount:.2f}"
            )

    @property
    def _threshold(self) -> Decimal:
        threshold = self._entry.options.get(OPTION_BALANCE_THRESHOLD)
        return Decimal("-Infinity") if threshold is None else Decimal(str(threshold))

    @callback
    def _async_learn_from_error(self, err: SmsError) -> None:
        self._async_advise(self._find_advice(err.provider_code))

    def _find_advice(self, code: str | None) -> Advice | None:
        rule = self._line.adapter.error_rules.get(code or "")
        return rule.advice if rule else None

    @callback
    def _async_advise_about(self, advice: Advice | None, number: str) -> None:
        """Raise what only a person can fix, and to which country that applies."""
        if advice is not None:
            self._async_with_region(number, partial(self._async_advise, advice))

    @callback
    def _async_advise(self, advice: Advice | None, region: str | None = None) -> None:
        """Raise what only a person can fix at the provider."""
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
        regions |= {region} if region and problem in _WITH_REGIONS else set()
        async_raise_issue(self._hass, self._entry, problem, regions)

    @callback
    def _async_set(
        self, problem: Problem, *, is_there: bool, **placeholders: str
    ) -> None:
        async_set_issue(
            self._hass, self._entry, problem, is_there=is_there, **placeholders
        )

    @callback
    def _async_clear(self, *problems: Problem) -> None:
        async_clear_issue(self._hass, self._entry, *problems)
