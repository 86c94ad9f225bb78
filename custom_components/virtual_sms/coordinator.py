"""Ask the provider what no callback tells: what was missed, and what is left."""

from dataclasses import dataclass
from datetime import timedelta
import logging
import time
from typing import TYPE_CHECKING, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import (
    TimestampDataUpdateCoordinator,
    UpdateFailed,
)

from .adapters.errors import (
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
)
from .adapters.models import Balance, Capability
from .const import CONF_MODE, DOMAIN, MODE_POLLING, OPTION_POLL_INTERVAL
from .gateway import Gateway
from .helpers import explain, wants_new_credentials
from .journal import JournalClosedError

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

# With callbacks, polling only finds what no callback brought.
_NET_INTERVAL = timedelta(minutes=10)
_RETRY_INTERVAL = timedelta(minutes=1)
_BALANCE_INTERVAL = timedelta(minutes=10).total_seconds()
_LONGEST_BALANCE_PAUSE = timedelta(hours=6).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """What was last read of an account."""

    balance: Balance | None


class VirtualSmsCoordinator(TimestampDataUpdateCoordinator[LineState | None]):
    """Catch up with the provider's record on a timer."""

    config_entry: VirtualSmsConfigEntry

    def __init__(
        self, hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
    ) -> None:
        """Poll as often as the entry's mode needs."""
        self._gateway = gateway
        self._polls = entry.data[CONF_MODE] == MODE_POLLING
        self._interval = self._choose_interval(entry)
        self._missed_something = True
        self._asks_for_receipts = False
        self._balance_at: float | None = None
        self._balance_failures = 0
        self._refusals = 0
        self._was_refused = False
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
    def is_out_of_credit(self) -> bool:
        """Say whether nothing is left: a refusal tells more than an older reading."""
        balance = self.balance
        return self._was_refused or (balance is not None and balance.amount <= 0)

    @callback
    def async_doubt_balance(self) -> None:
        """Have the next poll read the balance, however new the last reading is."""
        self._balance_at = None

    @callback
    def async_note_refusal(self) -> None:
        """Note that a message was refused for want of credit, and read it anew."""
        self._refusals += 1
        self._was_refused = True
        self._balance_at = None
        self.async_update_listeners()

    @callback
    def async_note_credit(self) -> None:
        """Note that there is credit after all, where it cannot be read."""
        if self._was_refused and self.balance is None:
            self._was_refused = False
            self.async_update_listeners()

    @callback
    def async_ask_for_receipts(self) -> None:
        """Ask where our messages stand, now and with every poll from now on.

        The set-up waits for the first poll, and must not wait longer for a number
        with much under way.
        """
        self._asks_for_receipts = True
        task = self.config_entry.async_create_task(
            self.hass, self._try_receipts(), f"{DOMAIN} receipts"
        )

        def stop() -> None:
            task.cancel()

        self.config_entry.async_on_unload(stop)

    async def _try_receipts(self) -> None:
        try:
            await self._gateway.inbox.catch_up_receipts()
        # The next poll tries again, and tells of trouble.
        except (SmsError, JournalClosedError) as err:
            _LOGGER.debug("Not all receipts could be read: %s", type(err).__name__)

    def _choose_interval(self, entry: VirtualSmsConfigEntry) -> timedelta:
        if not self._polls:
            return _NET_INTERVAL
        default = self._gateway.line.adapter.poll_interval
        return timedelta(seconds=entry.options.get(OPTION_POLL_INTERVAL, default))

    @override
    async def _async_update_data(self) -> LineState:
        try:
            # Whatever a gap or a lost callback hid is late; a regular poll is not.
            late = self._missed_something or not self._polls
            await self._gateway.inbox.catch_up_inbound(late=late)
        except SmsError as err:
            self._missed_something = True
            self.update_interval = min(self._interval, _RETRY_INTERVAL)
            raise self._failure(err) from err
        self._missed_something = False
        self.update_interval = self._interval
        # What goes beside the messages fails without them.
        if self._asks_for_receipts:
            await self._try_receipts()
        return LineState(balance=await self._get_balance())

    async def _get_balance(self) -> Balance | None:
        """Return the balance, asked for now and then; not every key may read it."""
        adapter = self._gateway.line.adapter
        if Capability.BALANCE not in adapter.capabilities:
            return None
        now = time.monotonic()
        if self._balance_at is not None and now < self._balance_at + self._pause:
            return self.balance
        self._balance_at = now
        refusals = self._refusals
        try:
            balance = await adapter.get_balance(self._gateway.line.number)
        except (MissingRightsError, NotFoundError) as err:
            self._note_no_balance(err)
            # What was known last is all that is known.
            self._was_refused = self.is_out_of_credit
            return None
        except SmsError as err:
            self._note_no_balance(err)
            return self.balance
        self._balance_failures = 0
        if refusals == self._refusals:
            self._was_refused = False
        return balance

    @property
    def _pause(self) -> float:
        """Return how long not to ask for the balance: longer after each failure."""
        pause: float = _BALANCE_INTERVAL * 2 ** min(self._balance_failures, 10)
        return min(pause, _LONGEST_BALANCE_PAUSE)

    def _note_no_balance(self, err: SmsError) -> None:
        if not self._balance_failures:
            _LOGGER.warning("The balance cannot be read now: %s", err.code)
        self._balance_failures += 1

    def _failure(self, err: SmsError) -> Exception:
        """Return the exception by which a coordinator learns of an error."""
        if wants_new_credentials(err):
            return ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key=err.code
            )
        adapter = self._gateway.line.adapter
        retry_after = (
            err.retry_after if isinstance(err, ProviderUnavailableError) else None
        )
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key="poll_failed",
            translation_placeholders={
                "provider": adapter.name,
                "reason": explain(self.hass, adapter.key, err),
            },
            retry_after=retry_after,
        )
