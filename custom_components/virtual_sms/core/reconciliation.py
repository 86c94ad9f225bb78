"""Reconcile an unknown outcome with the provider's own record.

What is compared with the provider's times is the provider's time. A record to the
same recipient that no other message of ours claims keeps a repeat from going out, even
where its text was redacted or written otherwise than we sent it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ..adapters.errors import SmsError, UnsupportedFeatureError
from ..adapters.models import Capability, DeliveryReceipt, SentMessage
from ..store.outbound import OutboundTable
from ..store.outbound_rows import Due
from .line import Dependencies, Line

LONGEST_UNKNOWN = timedelta(days=1)
"""After this, an outcome that no provider decides is decided against the message."""
LONGEST_UNCLEAR = timedelta(minutes=10)
"""How long after its deadline a message is kept of which the provider's answer does not
tell whether it left: it is not sent again, and no later answer says more."""
_ROUNDED = timedelta(seconds=30)
"""How much the provider's `Date` and the time in its record may differ."""
_UNCERTAIN = timedelta(minutes=5)
"""How far to look back further where the provider's time was not known."""


class OnItsWay(Protocol):
    """Say whether a message to a recipient, `but` for one, is being handed over."""

    def __call__(self, recipient: str, but: str = "") -> bool:
        """Answer."""


class Reconciliation:
    """Ask the provider what it knows of our messages."""

    def __init__(
        self,
        line: Line,
        records: OutboundTable,
        is_on_its_way: OnItsWay,
        dependencies: Dependencies,
    ) -> None:
        """Take the line, its book, and who knows what is being sent."""
        self._line = line
        self._records = records
        self._is_on_its_way = is_on_its_way
        self._wall: Callable[[], datetime] = dependencies.now

    @property
    def sent_after(self) -> datetime | None:
        """Return the provider's time from which its record may show a new message."""
        now = self._line.adapter.provider_time
        return None if now is None else now - _ROUNDED

    async def find(self, due: Due, but: str = "") -> list[SentMessage]:
        """List what may be the message in the provider's record, best first.

        Only what no other message of ours claims, and nothing as long as another one
        to the same recipient is on its way: its record could be taken for this one's.
        Raises what the adapter raises.
        """
        since = due.sent_after or await self._guess_since(due)
        line, recipient = self._line, due.message.recipient
        found = await line.adapter.find_sent(line.number, due.message, since)
        if self._is_on_its_way(recipient, but):
            return []
        free = await self._list_free(found)
        return [each for each in free if each.exact] or free

    async def _list_free(self, found: Sequence[SentMessage]) -> list[SentMessage]:
        claimed = self._records.is_claimed
        return [each for each in found if not await claimed(each.provider_id)]

    async def may_claim(
        self, due: Due, found: list[SentMessage], *, is_conclusive: bool
    ) -> bool:
        """Say whether the first that was found is the message.

        It may be an equal one's, whose own record is yet to show. Where the texts
        differ, there must be a record for each message that may have been sent.
        """
        if found[0].exact:
            message_id = due.message.message_id
            return is_conclusive or not await self._records.has_duplicate(message_id)
        unknown = await self._records.count_unknown(due.message.recipient)
        # Looked at after that count: a message that is noted as accepted meanwhile must
        # not leave its record to another one, whose own would then be missed.
        free = await self._list_free(found)
        return is_conclusive and free[:1] == found[:1] and len(free) >= unknown

    async def fetch_receipt(self, sent: SentMessage) -> DeliveryReceipt | None:
        """Ask where a message stands; None where that cannot be told now."""
        adapter = self._line.adapter
        if Capability.RECEIPTS not in adapter.capabilities:
            return None
        try:
            return await adapter.fetch_receipt(self._line.number, sent.provider_id)
        # The next poll asks again.
        except SmsError:
            return None

    async def _guess_since(self, due: Due) -> datetime:
        """Guess when the message was made, by the provider's clock.

        How long we were down is not known where the clock was put back meanwhile.
        """
        clock, created_at = self._records.clock, due.message.created_at
        is_of_this_run = created_at > clock.begun_at
        slack = _UNCERTAIN if is_of_this_run else LONGEST_UNKNOWN
        return await self._provider_time() - (clock.now() - created_at) - slack

    async def _provider_time(self) -> datetime:
        try:
            return await self._line.adapter.fetch_time()
        except UnsupportedFeatureError:
            return self._wall()
