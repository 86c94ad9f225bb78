"""Messages that are to be sent, and those whose end is asked for: how they are written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import json
import sqlite3

from ..adapters.models import DeliveryStatus, OutboundMessage
from .changes import StatusChanged
from .outbound_moves import find_own
from .refusals import Asked, Refusal, find_refusals, foresee
from .usage import Allowance, hash_text, use_month

RECONCILE_AFTER = timedelta(seconds=20)
"""How long a provider may still be working on a request that got no answer."""
WATCH = timedelta(minutes=1)
"""When an attempt is looked at whose end nobody has written down."""
_YOUNG, _LONGEST_WAIT = 600, 3600
"""Seconds: a young message is asked about whenever there is a poll, an older one
after a quarter of its age."""


@dataclass(frozen=True, slots=True)
class Order:
    """Messages that are to be sent until a deadline, as far as they are allowed.

    Where they may have left already, the provider is asked before they are sent.
    """

    messages: Sequence[OutboundMessage]
    deadline: datetime
    sent_after: datetime | None
    steady: datetime
    now: datetime
    allowance: Allowance | None = None
    may_have_left: bool = False

    @property
    def looks_at(self) -> datetime:
        """Return when the messages are looked at, unless something becomes of them."""
        return self.steady if self.may_have_left else self.steady + WATCH


@dataclass(frozen=True, slots=True)
class Left:
    """A message that has left and could not be written down, and its order."""

    message: OutboundMessage
    order: Order


class Intent:
    """An order that is written down, and decided in the same transaction."""

    def __init__(
        self, order: Order, list_unwritten: Callable[[], Sequence[OutboundMessage]]
    ) -> None:
        """Take the order, and what may have left besides what is written down."""
        self.order = order
        self.list_unwritten = list_unwritten
        self.has_left = False
        self.refusals: Mapping[str, Refusal] = {}

    @property
    def kept(self) -> Sequence[OutboundMessage]:
        """List what is not refused."""
        messages = self.order.messages
        return [each for each in messages if each.message_id not in self.refusals]

    @property
    def left(self) -> Sequence[Left]:
        """List what has left, with an order that ends: it is not sent again."""
        ended = replace(self.order, deadline=self.order.steady)
        return [Left(each, ended) for each in self.kept]

    def let_go(self) -> None:
        """Note that the messages leave now."""
        self.has_left = True

    @property
    def asked(self) -> Asked:
        """List the messages, with what they may use."""
        return [(each, self.order.allowance) for each in self.order.messages]

    def decide(self, connection: sqlite3.Connection) -> Mapping[str, Refusal]:
        """Decide where nothing can be written; raise if one is written already."""
        for each in self.order.messages:
            if find_own(connection, each.message_id):
                raise sqlite3.IntegrityError
        now, unwritten = self.order.steady, self.list_unwritten()
        self.refusals = foresee(connection, self.asked, now, unwritten)
        return self.refusals


def write_all(
    connection: sqlite3.Connection, intents: Sequence[Intent]
) -> list[Mapping[str, Refusal]]:
    """Write intents down as each would be alone; what has been sent is counted once."""
    asked = [pair for each in intents for pair in each.asked]
    # By the earliest of them: what has left no window yet for one counts for all.
    now = min(each.order.steady for each in intents)
    found = find_refusals(connection, asked, now, intents[0].list_unwritten())
    for each in intents:
        ids = [message.message_id for message in each.order.messages]
        each.refusals = {key: found[key] for key in ids if key in found}
    _insert(connection, [(each.order, sent) for each in intents for sent in each.kept])
    return [each.refusals for each in intents]


def restore(connection: sqlite3.Connection, left: Left) -> bool:
    """Write down a message after it has left; False if that was done meanwhile."""
    order, message = left.order, left.message
    if find_own(connection, message.message_id):
        return False
    _insert(connection, [(order, message)])
    if order.allowance is not None:
        use_month(connection, order.allowance.month, message.segments)
    return True


def _insert(
    connection: sqlite3.Connection, ordered: Iterable[tuple[Order, OutboundMessage]]
) -> None:
    connection.executemany(
        "INSERT INTO outbound (message_id, recipient, content, status, at, created_at,"
        " deadline, settled_at, next_at, sent_after, segments, encoding, contact,"
        " critical, text_hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                message.message_id,
                message.recipient,
                json.dumps([message.text, message.media]),
                DeliveryStatus.QUEUED,
                order.now.timestamp(),
                message.created_at.timestamp(),
                order.deadline.timestamp(),
                (order.steady + RECONCILE_AFTER).timestamp(),
                order.looks_at.timestamp(),
                order.sent_after and order.sent_after.timestamp(),
                message.segments,
                message.encoding,
                message.contact,
                order.allowance is not None and order.allowance.is_critical,
                hash_text(message),
            )
            for order, message in ordered
        ],
    )


def first_state(message: OutboundMessage, now: datetime) -> StatusChanged:
    """Return the first change of a message: it is to be sent."""
    return StatusChanged(
        message_id=message.message_id,
        provider_id=None,
        recipient=message.recipient,
        contact=message.contact,
        status=DeliveryStatus.QUEUED,
        previous=None,
        at=now,
    )


def note_changes(
    connection: sqlite3.Connection, changes: Iterable[StatusChanged]
) -> None:
    """Note that changes were published, the last of each message."""
    published = {change.message_id: change.status for change in changes}
    if published:
        connection.execute(
            "UPDATE outbound SET told = each.value FROM json_each(?) AS each "
            "WHERE message_id = each.key",
            (json.dumps(published),),
        )


def list_open(connection: sqlite3.Connection, limit: int, now: float) -> list[str]:
    """List provider ids whose end is unknown, the longest unasked first."""
    rows = connection.execute(
        "SELECT provider_id FROM outbound "
        "WHERE open AND provider_id IS NOT NULL AND checked_at + "
        "iif(? - created_at < ?, 0, min(?, (? - created_at) / 4)) <= ? "
        "ORDER BY checked_at LIMIT ?",
        (now, _YOUNG, _LONGEST_WAIT, now, now, limit),
    ).fetchall()
    return [provider_id for (provider_id,) in rows]


def note_asked(connection: sqlite3.Connection, provider_id: str, now: float) -> None:
    """Note when a message's end was asked for."""
    connection.execute(
        "UPDATE outbound SET checked_at = ? WHERE provider_id = ?", (now, provider_id)
    )
