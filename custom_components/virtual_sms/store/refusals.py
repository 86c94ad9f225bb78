"""What is not to be sent, as the transaction finds that writes it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import sqlite3

from ..adapters.call_models import OutboundCall
from ..adapters.models import OutboundMessage
from .consent import list_stopped
from .usage import Allowance, Limit, LimitReached, Usage, Use


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The recipient wants no more messages."""


type Refusal = LimitReached | OptedOut
type Asked = Sequence[tuple[OutboundMessage | OutboundCall, Allowance | None]]
"""Messages or calls, and what each may use; None for one without limits."""


def find_refusals(
    connection: sqlite3.Connection,
    asked: Asked,
    now: datetime,
    unwritten: Sequence[OutboundMessage] = (),
) -> dict[str, Refusal]:
    """Return which messages or calls are refused, by their ids, and count the rest."""
    found, usage = _find_all(connection, asked, now, unwritten)
    if usage is not None:
        usage.write()
    return found


def foresee(
    connection: sqlite3.Connection,
    asked: Asked,
    now: datetime,
    unwritten: Sequence[OutboundMessage] = (),
) -> dict[str, Refusal]:
    """Return which messages would be refused, and count none."""
    found, _ = _find_all(connection, asked, now, unwritten)
    return found


def _find_all(
    connection: sqlite3.Connection,
    asked: Asked,
    now: datetime,
    unwritten: Sequence[OutboundMessage],
) -> tuple[dict[str, Refusal], Usage | None]:
    uses = [Use.of(item) for item, _ in asked]
    stopped = list_stopped(connection, {each.recipient for each in uses})
    allowances = [allowance for _, allowance in asked]
    usage = Usage(connection, uses, now, unwritten) if any(allowances) else None
    found = {
        use.item_id: refusal
        for use, allowance in zip(uses, allowances, strict=True)
        if (refusal := _find(use, allowance, stopped, usage))
    }
    return found, usage


def _find(
    use: Use,
    allowance: Allowance | None,
    stopped: set[str],
    usage: Usage | None,
) -> Refusal | None:
    if use.recipient in stopped:
        return OptedOut()
    return None if usage is None else usage.take(use, allowance)


def show_ends(refusals: Mapping[str, Refusal], offset: timedelta) -> dict[str, Refusal]:
    """Write the ends of sliding windows as people see the time."""
    return {key: _show_end(refusal, offset) for key, refusal in refusals.items()}


def _show_end(refusal: Refusal, offset: timedelta) -> Refusal:
    match refusal:
        case LimitReached(Limit.HOUR | Limit.DAY | Limit.REPEATS, datetime() as until):
            return LimitReached(refusal.limit, until + offset)
    return refusal
