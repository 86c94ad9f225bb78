"""Ask the provider what no callback tells: what was missed, and what is left."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
import logging
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.update_coordinator import (
    TimestampDataUpdateCoordinator,
    UpdateFailed,
)

from .adapters.errors import (
    AuthenticationError,
    MissingRightsError,
    ProviderUnavailableError,
    RateLimitedError,
    SmsError,
)
from .adapters.models import Balance, Capability
from .const import DOMAIN, OPTION_POLL_INTERVAL
from .core.credit import Credit
from .core.gateway import Gateway
from .core.side_question import SideQuestion
from .entry_data import EntryData
from .error_messages import explain, wants_new_credentials
from .issues import Problem, async_has_issue
from .store.clock import monotonic
from .store.database import CANNOT_WRITE, DatabaseClosedError
from .store.set_aside import SetAsideRow

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

# With callbacks, polling only finds what no callback brought.
_NET_INTERVAL = timedelta(minutes=10)
_RETRY_INTERVAL = timedelta(minutes=1)
_BALANCE_INTERVAL = timedelta(minutes=10).total_seconds()
BALANCE_KEPT = timedelta(hours=1).total_seconds()
"""How long the last balance is shown that could be read, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """What was last read of an account."""

    balance: Balance | None


class VirtualSmsCoordinator(TimestampDataUpdateCoordinator[LineState | None]):
    """Catch up with the provider's record on a timer.

    Polls are numbered from 1: `begun` is the last that began, and `succeeded` the
    last that found the provider well. `has_read` is set once what came in while the
    home was away has been read, or cannot be. `unreadable` are the records of messages that
    the last one left aside.
    """

    config_entry: VirtualSmsConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
    ) -> None:
        """Poll as often as the entry's mode needs."""
        self._gateway = gateway
        self._polls = EntryData.of(entry).polls
        self._interval = self._choose_interval(entry)
        self._missed_something = True
        self._asks_for_receipts = False
        self._receipts_are_left = False
        self._has_asked_for_keys = False
        self.begun = 0
        self.succeeded = 0
        self.has_read = asyncio.Event()
        self.unreadable: list[SetAsideRow] = []
        self._balance: Balance | None = None
        self._balance_at = monotonic()
        name = gateway.line.adapter.name
        self._aside = SideQuestion("records set aside", name)
        self._calls = SideQuestion("calls", name)
        self._receipts = SideQuestion("receipts", name)
        self._balance_question = SideQuestion("balance", name, _BALANCE_INTERVAL)
        # A refusal of before a reload stands until something says otherwise.
        is_spent = async_has_issue(hass, entry, Problem.NO_CREDIT)
        self._credit = Credit(is_spent=is_spent)
        super().__init__(
            hass,
            _LOGGER,
            config_entry=entry,
            name=DOMAIN,
            update_interval=self._interval,
        )

    @property
    def balance(self) -> Balance | None:
        """Return what was last read of the balance."""
        return self.data.balance if self.data else None

    @property
    def has_credit(self) -> bool | None:
        """Say whether anything is left in the account, as far as is known."""
        return self._credit.is_left

    @property
    def side_errors(self) -> dict[str, str]:
        """Return what cannot be read beside the messages, and the code of why."""
        return {
            each.kind: each.error.code
            for each in (
                self._aside,
                self._calls,
                self._receipts,
                self._balance_question,
            )
            if each.error is not None
        }

    @callback
    def async_ask_balance_soon(self) -> None:
        """Have the next poll read the balance, however new the last reading is."""
        self._balance_question.ask_soon()

    async def async_refresh_balance(self) -> None:
        """Read the balance now, unless it could not be read: that has its own pauses."""
        if self._balance_question.error is None:
            self.async_ask_balance_soon()
        await self._try_balance()
        if self.data is not None:
            self.data = LineState(balance=self._balance)
            self.async_update_listeners()

    @callback
    def async_note_refusal(self) -> None:
        """Learn that a message was refused for want of credit.

        What was read of the balance before must not take it back.
        """
        had_credit = self.has_credit
        self._credit.refuse()
        self.async_ask_balance_soon()
        if had_credit is not False:
            self.async_update_listeners()

    @callback
    def async_note_acceptance(self) -> None:
        """Learn that a message was accepted that began after any refusal."""
        if self.has_credit is False:
            self._credit.accept()
            self.async_ask_balance_soon()
            self.async_update_listeners()

    @callback
    def async_ask_for_receipts(self) -> None:
        """Ask where our messages stand, now and with every poll from now on.

        The set-up waits for the first poll, and must not wait longer for a number
        with much under way.
        """
        self._asks_for_receipts = True
        task = self.config_entry.async_create_task(
            self.hass, self._begin_with_receipts(), f"{DOMAIN} receipts"
        )

        def stop() -> None:
            task.cancel()

        self.config_entry.async_on_unload(stop)

    async def _begin_with_receipts(self) -> None:
        await self._try_receipts()
        if self._pause < self._interval:
            self.update_interval = self._pause
            self._schedule_refresh()

    async def _try_receipts(self) -> None:
        if self._receipts.is_due:
            are_left = await self._receipts.ask(self._gateway.inbox.catch_up_receipts)
            self._receipts_are_left = are_left is not False

    @property
    def _pause(self) -> timedelta:
        """Return when to poll again: soon while the ends of messages are not known."""
        if not self._receipts_are_left:
            return self._interval
        due = timedelta(seconds=self._receipts.pause)
        return min(self._interval, max(due, _RETRY_INTERVAL))

    def _choose_interval(self, entry: VirtualSmsConfigEntry) -> timedelta:
        if not self._polls:
            return _NET_INTERVAL
        default = self._gateway.line.adapter.poll_interval
        return timedelta(seconds=entry.options.get(OPTION_POLL_INTERVAL, default))

    @override
    async def _async_update_data(self) -> LineState:
        self.begun += 1
        number = self.begun
        # Whatever a gap or a lost callback hid is late; a regular poll is not.
        late = self._missed_something or not self._polls
        self._missed_something = True
        self.update_interval = min(self._interval, _RETRY_INTERVAL)
        try:
            await self._gateway.inbox.catch_up_inbound(late=late)
        except SmsError as err:
            if self._asks_for_receipts and _is_at_work(err):
                await self._try_receipts()
            raise self._failure(err) from err
        except DatabaseClosedError:
            # The number is unloaded, or the home stops: nothing is wrong with either.
            return LineState(balance=self._balance)
        except CANNOT_WRITE as err:
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="disk_failed"
            ) from err
        finally:
            self.has_read.set()
        self._missed_something = False
        self._async_accept_keys()
        await self._note_unreadable()
        # What goes beside the messages fails without them.
        if self._asks_for_receipts:
            await self._try_receipts()
        self.update_interval = self._pause
        if self._calls.is_due:
            await self._calls.ask(self._gateway.calls.catch_up)
        await self._try_balance()
        self.succeeded = number
        return LineState(balance=self._balance)

    @callback
    def _async_accept_keys(self) -> None:
        """Ask for no new keys any more: those that were refused work again."""
        if not self._has_asked_for_keys:
            return
        self._has_asked_for_keys = False
        for flow in self.config_entry.async_get_active_flows(
            self.hass, {SOURCE_REAUTH}
        ):
            self.hass.config_entries.flow.async_abort(flow["flow_id"])

    async def _note_unreadable(self) -> None:
        records = self._gateway.store.inbound
        unreadable = await self._aside.ask(records.list_set_aside)
        if unreadable is not None:
            self.unreadable = unreadable

    async def _try_balance(self) -> None:
        """Ask for the balance now and then; not every key may read it."""
        adapter = self._gateway.line.adapter
        question = self._balance_question
        if Capability.BALANCE not in adapter.capabilities or not question.is_due:
            return
        mark = self._credit.mark
        balance = await question.ask(
            lambda: adapter.get_balance(self._gateway.line.number)
        )
        if balance is not None:
            self._balance, self._balance_at = balance, monotonic()
            self._credit.weigh(balance.amount, mark)
        elif self._is_balance_old():
            self._balance = None

    def _is_balance_old(self) -> bool:
        """Say whether the last reading tells nothing any more."""
        if isinstance(self._balance_question.error, MissingRightsError):
            return True
        return monotonic() >= self._balance_at + BALANCE_KEPT

    def _failure(self, err: SmsError) -> UpdateFailed:
        """Return the exception by which a coordinator learns of an error.

        Keys that are refused are asked for anew, and tried again meanwhile: a provider
        in trouble may refuse good ones, and nothing else would end that.
        """
        if wants_new_credentials(err):
            self._has_asked_for_keys = True
            self.config_entry.async_start_reauth(self.hass)
            return UpdateFailed(
                translation_domain=DOMAIN,
                translation_key=err.code,
                retry_after=_NET_INTERVAL.total_seconds(),
            )
        adapter = self._gateway.line.adapter
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="poll_failed",
            translation_placeholders={
                "provider": adapter.name,
                "reason": explain(self.hass, adapter.key, err),
            },
            retry_after=self._find_pause(err),
        )

    def _find_pause(self, err: SmsError) -> float | None:
        """Return for how long to wait where a provider asks for more than we would.

        It may have asked for nothing at all, or for a moment in the past.
        """
        ours = min(self._interval, _RETRY_INTERVAL).total_seconds()
        return err.asked_pause if err.asked_pause > ours else None


def _is_at_work(err: SmsError) -> bool:
    """Say whether a provider that failed to answer one question may answer another."""
    if isinstance(err, ProviderUnavailableError):
        return err.answered and not isinstance(err, RateLimitedError)
    return not isinstance(err, AuthenticationError)
