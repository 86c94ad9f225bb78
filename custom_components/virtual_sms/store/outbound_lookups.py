"""What the table of outbound messages is asked, which changes nothing in it."""

from collections.abc import Sequence
from datetime import datetime
import json

from ..adapters.models import DeliveryReceipt, DeliveryStatus
from .changes import StatusChanged
from .clock import SteadyClock
from .database import Database
from .outbound_moves import STATE, read_state
from .outbound_orders import list_open
from .outbound_rows import BY_PROVIDER, Due, read_due, read_time
from .prices import list_unpriced


class OutboundLookups:
    """Answer what is known of outbound messages, also where nothing can be written."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        """Take the way to the disk, and the time of our own."""
        self._database = database
        self.clock = clock
        """All times are its own, but for those that are published, and the provider's."""

    async def expects(self, receipt: DeliveryReceipt) -> bool:
        """Say whether a receipt may change a message in this table."""
        ids = (receipt.provider_id, receipt.message_id)
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT status FROM outbound "  # noqa: S608  # our own constant
                f"WHERE message_id IN ({BY_PROVIDER}, ?)",
                ids,
            ).fetchall()
        )
        return any(not DeliveryStatus(status).is_final for (status,) in rows)

    async def is_claimed(self, provider_id: str) -> bool:
        """Say whether a provider's id belongs to a message in this table."""
        (is_claimed,) = await self._database.read(
            lambda connection: connection.execute(
                f"SELECT {BY_PROVIDER} IS NOT NULL",
                (provider_id,),
            ).fetchone()
        )
        return bool(is_claimed)

    async def find_open(self, message_ids: Sequence[str]) -> list[str]:
        """List which of some messages have come to no end yet."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT message_id FROM outbound INDEXED BY outbound_open WHERE open "
                "AND message_id IN (SELECT value FROM json_each(?))",
                (json.dumps(message_ids),),
            ).fetchall()
        )
        return [message_id for (message_id,) in rows]

    async def count_unknown(self, recipient: str) -> int:
        """Count the messages to a recipient of which nobody knows what became."""
        (count,) = await self._database.read(
            lambda connection: connection.execute(
                "SELECT count(*) FROM outbound INDEXED BY outbound_open "
                "WHERE open AND recipient = ? AND provider_id IS NULL AND settled_at IS NOT NULL",
                (recipient,),
            ).fetchone()
        )
        return int(count)

    async def has_duplicate(self, message_id: str) -> bool:
        """Say whether an equal message was not accepted either, as far as we know."""
        return await self._database.read(
            lambda connection: (
                connection.execute(
                    "SELECT 1 FROM outbound "
                    "JOIN outbound AS duplicate INDEXED BY outbound_open "
                    "USING (recipient, content) WHERE outbound.message_id = ? "
                    "AND duplicate.message_id != outbound.message_id "
                    "AND duplicate.open AND duplicate.provider_id IS NULL",
                    (message_id,),
                ).fetchone()
                is not None
            )
        )

    async def due(self) -> list[Due]:
        """List what waits for something to be done now, oldest first."""
        now = self.clock.now().timestamp()
        # Left to itself, sqlite would walk through all by age, to save a sort.
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT * FROM outbound INDEXED BY outbound_open "
                "WHERE open AND next_at <= ? ORDER BY created_at",
                (now,),
            ).fetchall()
        )
        return [read_due(row) for row in rows]

    async def next_due(self) -> datetime | None:
        """Return when the next message is due."""
        (when,) = await self._database.read(
            lambda connection: connection.execute(
                "SELECT min(next_at) FROM outbound INDEXED BY outbound_open WHERE open"
            ).fetchone()
        )
        return None if when is None else read_time(when)

    async def open_deliveries(self, limit: int) -> list[str]:
        """List provider ids whose end is unknown, the longest unasked first.

        The older a message is, the more seldom it is listed.
        """
        now = self.clock.now().timestamp()
        return await self._database.read(
            lambda connection: list_open(connection, limit, now)
        )

    async def unpriced(self, limit: int) -> list[str]:
        """List provider ids whose price is to be asked for now, seldomer each time."""
        now = self.clock.now().timestamp()
        return await self._database.read(
            lambda connection: list_unpriced(connection, limit, now)
        )

    async def unpublished(self) -> list[StatusChanged]:
        """List the states that were reached but not published."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                f"SELECT {STATE}, told FROM outbound "  # noqa: S608  # our own constant
                "WHERE told IS NOT status ORDER BY at"
            ).fetchall()
        )
        return [
            read_state(state, DeliveryStatus(told) if told else None)
            for *state, told in rows
        ]
