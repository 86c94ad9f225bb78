"""The book of receipts that overtook the answer to their own message."""

from dataclasses import dataclass
from datetime import UTC, datetime
import sqlite3

from .adapters.models import DeliveryReceipt, DeliveryStatus, RejectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a message moves: a status, and why it ended there."""

    status: DeliveryStatus
    reason: RejectReason | None = None
    error_code: str | None = None
    at: datetime | None = None


def keep_early(
    connection: sqlite3.Connection, receipt: DeliveryReceipt, now: datetime
) -> None:
    """Keep what is said of a message nobody knows yet."""
    connection.execute(
        "INSERT OR IGNORE INTO early VALUES (?, ?, ?, ?, ?)",
        (
            receipt.provider_id,
            receipt.status,
            receipt.reason,
            receipt.error_code,
            (receipt.at or now).timestamp(),
        ),
    )


def take_early(connection: sqlite3.Connection, provider_id: str) -> list[Progress]:
    """Take out what was said of a message before we knew it was accepted."""
    rows = connection.execute(
        "DELETE FROM early WHERE provider_id = ? "
        "RETURNING status, reason, error_code, at",
        (provider_id,),
    ).fetchall()
    steps = [
        Progress(
            status=DeliveryStatus(status),
            reason=RejectReason(reason) if reason else None,
            error_code=code,
            at=datetime.fromtimestamp(at, UTC),
        )
        for status, reason, code, at in rows
    ]
    return sorted(steps, key=lambda step: step.status.rank)
