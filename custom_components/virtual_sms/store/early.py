"""The book of receipts that overtook the answer to their own message."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import sqlite3

from ..adapters.models import DeliveryReceipt, DeliveryStatus, RejectReason


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


def take_early(
    connection: sqlite3.Connection, provider_ids: Sequence[str]
) -> dict[str, list[Progress]]:
    """Take out what was said of messages before we knew they were accepted."""
    rows = connection.execute(
        "DELETE FROM early WHERE provider_id IN (SELECT value FROM json_each(?)) "
        "RETURNING provider_id, status, reason, error_code, at",
        (json.dumps(provider_ids),),
    ).fetchall()
    steps: defaultdict[str, list[Progress]] = defaultdict(list)
    for provider_id, *step in rows:
        steps[provider_id].append(_read(*step))
    for each in steps.values():
        each.sort(key=lambda step: step.status.rank)
    return steps


def _read(status: str, reason: str | None, code: str | None, at: float) -> Progress:
    return Progress(
        status=DeliveryStatus(status),
        reason=RejectReason(reason) if reason else None,
        error_code=code,
        at=datetime.fromtimestamp(at, UTC),
    )
