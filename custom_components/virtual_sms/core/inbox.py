"""Receive each message once, by whatever way it comes.

A callback that is signed is the truth; one that is not only has us ask. The
provider's own record, read on a timer and after every gap, brings what no
callback brought. All three end at the store, which admits each message once.
"""

from collections.abc import Callable, Sequence
import logging

from ..adapters.errors import (
    InvalidResponseError,
    NotFoundError,
    SmsError,
    UnsupportedFeatureError,
)
from ..adapters.models import (
    Capability,
    DeliveryReceipt,
    Event,
    InboundMessage,
    SetAside,
)
from ..store.changes import Change, StatusChanged
from ..store.store import Store
from .intake import Intake
from .line import Dependencies, Line
from .record_reader import RecordReader

_LOGGER = logging.getLogger(__name__)

_RECEIPTS_AT_ONCE = 20
_MOST_ROUNDS = 5


class Inbox:
    """The inbound messages and receipts of one line."""

    def __init__(
        self,
        line: Line,
        store: Store,
        publish: Callable[[Sequence[Change]], None],
        dependencies: Dependencies,
        catch_up_soon: Callable[[], None],
    ) -> None:
        """Take the line, its store, who publishes changes, and who has us catch up."""
        self._line = line
        self._store = store
        self._publish = publish
        self._catch_up_soon = catch_up_soon
        self._reader = RecordReader(
            line, store.inbound, publish, dependencies, catch_up_soon
        )
        self._intake = Intake(line, store.inbound, publish, dependencies)
        self._is_begun_anew: bool | None = None

    async def begin(self) -> None:
        """Start a new store: what is at the provider already is history.

        Raises what the adapter raises; then nothing has begun.
        """
        await self._reader.begin()

    async def take(self, event: Event, *, late: bool = False) -> None:
        """Record what is known to be true, and publish it if it is new.

        On return it is safe on disk.
        """
        if isinstance(event, InboundMessage):
            await self._intake.admit([event], late=late)
        else:
            await self._store.outbound.receive(event, self._publish_change)

    async def take_signed(self, event: Event) -> None:
        """Take what a signed callback says, unless it is an old one played again.

        Raises what the adapter raises where only the provider can tell.
        """
        if isinstance(event, InboundMessage) and await self._is_replayed(event):
            return
        await self.take(event)

    async def concerns(self, event: Event) -> bool:
        """Say whether an unproven event may be new to this line."""
        if isinstance(event, DeliveryReceipt):
            return await self._store.outbound.expects(event)
        is_ours = event.number is None or self.has_number(event.number)
        return is_ours and not await self._knows(event)

    async def has_sent(self, receipt: DeliveryReceipt) -> bool:
        """Say whether a receipt is about a message of this line, ended or not."""
        return await self._store.outbound.is_claimed(receipt.provider_id)

    def has_number(self, number: str) -> bool:
        """Say whether a number is this line's."""
        return bare(number) == bare(self._line.number.number)

    async def look_up(self, event: Event) -> bool:
        """Ask the provider about an unproven event, and take what it answers.

        False when the provider knows nothing of it.
        """
        asked_at = await self._reader.get_time()
        truth = await self._line.adapter.confirm(self._line.number, event)
        if truth is None:
            return False
        if isinstance(truth, DeliveryReceipt) or not (
            await self._reader.is_history(truth.received_at, asked_at)
        ):
            await self.take(truth)
        return True

    async def catch_up(self, *, late: bool) -> None:
        """Read all of the provider's record from where we stopped."""
        await self.catch_up_inbound(late=late)
        if await self.catch_up_receipts():
            self._catch_up_soon()

    async def catch_up_inbound(self, *, late: bool) -> None:
        """Read the messages that came in, and take what is new."""
        await self._reader.read(late=late)

    async def catch_up_receipts(self) -> bool:
        """Ask where our own messages stand, and what they have cost, a few at a time.

        Each takes a question of its own, so this may take long. It goes on while that
        brings changes: then callbacks were missed. Returns whether some are left that
        should not wait for long: there are more, or one made no sense.
        """
        if Capability.RECEIPTS not in self._line.adapter.capabilities:
            return False
        records, makes_sense = self._store.outbound, True
        unpriced = await records.unpriced(_RECEIPTS_AT_ONCE)
        for _ in range(_MOST_ROUNDS):
            opened = await records.open_deliveries(_RECEIPTS_AT_ONCE)
            asked, unpriced = dict.fromkeys([*opened, *unpriced]), []
            changed = [await self._fetch_receipt(each) for each in asked]
            makes_sense = makes_sense and None not in changed
            if len(opened) < _RECEIPTS_AT_ONCE or not any(changed):
                return not makes_sense
        return True

    async def ask_for_receipt(self, provider_id: str) -> None:
        """Ask where a message of ours stands; raises as the adapter does."""
        if Capability.RECEIPTS in self._line.adapter.capabilities:
            await self._fetch_receipt(provider_id)

    async def _fetch_receipt(self, provider_id: str) -> bool | None:
        """Take what the provider says of a message, and say whether it is new.

        None when it makes no sense, which concerns this one only.
        """
        line, records = self._line, self._store.outbound
        try:
            receipt = await line.adapter.fetch_receipt(line.number, provider_id)
        except SmsError as err:
            await records.note_asked(provider_id)
            _LOGGER.debug("The end of a message cannot be read now: %s", err.code)
            if isinstance(err, NotFoundError):
                return False
            if isinstance(err, InvalidResponseError):
                return None
            raise
        # Together, for they share the price of reaching the disk.
        noted = records.note_asked(provider_id)
        change = await records.receive(receipt, self._publish_change)
        await noted
        return change is not None

    def _publish_change(self, change: StatusChanged | None) -> None:
        if change is not None:
            self._publish([change])

    async def _knows(self, message: InboundMessage) -> bool:
        return bool(await self._store.inbound.known([message.message_id]))

    async def _is_replayed(self, message: InboundMessage) -> bool:
        """Say whether a message was received before our memory begins.

        That is long ago, unless the memory was lost: then the provider is asked.
        """
        records = self._store.inbound
        if self._is_begun_anew is None:
            self._is_begun_anew = await records.is_begun_anew()
        if not self._is_begun_anew or await self._knows(message):
            return False
        return await self._was_read(message.message_id)

    async def _was_read(self, message_id: str) -> bool:
        adapter, asked_at = self._line.adapter, await self._reader.get_time()
        try:
            truth = await adapter.fetch_inbound_message(self._line.number, message_id)
        except NotFoundError:
            return True
        # The callback itself can be read, and is authentic.
        except InvalidResponseError, UnsupportedFeatureError:
            return False
        at = truth.at if isinstance(truth, SetAside) else truth.received_at
        return at is not None and await self._reader.was_read(at, asked_at)


def bare(number: str) -> str:
    """Return a number without the channel that a provider may put before it."""
    return number.rpartition(":")[2].strip()
