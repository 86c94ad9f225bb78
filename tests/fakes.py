"""A provider in memory that does as it is told, and a clock that is turned by hand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from typing import Any, override

import pytest

from custom_components.virtual_sms.adapters.base import KnownIds, SmsAdapter
from custom_components.virtual_sms.adapters.errors import (
    CallbackRejectedError,
    CallbackUnreadableError,
    InvalidResponseError,
    MessageRejectedError,
    NotFoundError,
    SmsError,
)
from custom_components.virtual_sms.adapters.models import (
    Account,
    Acknowledgement,
    CallbackRequest,
    CallbackUrls,
    Capability,
    DeliveryReceipt,
    DeliveryStatus,
    Event,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    SentMessage,
    SetAside,
    SetAsideReason,
)
from custom_components.virtual_sms.core import account as accounts
from custom_components.virtual_sms.core.gateway import Gateway, GatewayHooks
from custom_components.virtual_sms.core.line import Dependencies, Line
from custom_components.virtual_sms.core.publisher import Publisher
from custom_components.virtual_sms.store import transaction
from custom_components.virtual_sms.store.changes import Change
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TRUTH = timedelta()
NUMBER = PhoneNumber(account="acme-1", number="+33900000001")


class FullDisk:
    """A disk that takes nothing for a while, from where all can still be read.

    One that is `read_only` says so before anything is tried.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.is_read_only = False
        write, undo = transaction._write, transaction._undo

        def write_if_room(connection: sqlite3.Connection) -> None:
            if self.is_full:
                raise sqlite3.OperationalError("database or disk is full")
            write(connection)

        def undo_and_look(connection: sqlite3.Connection) -> None:
            undo(connection)
            if self.is_read_only:
                raise sqlite3.OperationalError("attempt to write a readonly database")

        monkeypatch.setattr(transaction, "_write", write_if_room)
        monkeypatch.setattr(transaction, "_undo", undo_and_look)

    async def fill(self) -> None:
        """Be full from now on."""
        self.is_full = True


class Clock:
    """The home's time of day, and that of the world: still until they are moved."""

    def __init__(self) -> None:
        self.time = START
        self.true = START

    def __call__(self) -> datetime:
        """Tell the time of day, as the home has it."""
        return self.time

    def truth(self) -> datetime:
        """Tell the time of the world."""
        return self.true

    def monotonic(self) -> float:
        """Count the seconds that have gone by."""
        return (self.true - START).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self.time += timedelta(seconds=seconds)
        self.true += timedelta(seconds=seconds)

    def step(self, seconds: float) -> None:
        """Put the home's clock forward or back: no time goes by."""
        self.time += timedelta(seconds=seconds)


async def run_inline[*Ts, T](target: Callable[[*Ts], T], /, *args: *Ts) -> T:
    """Run blocking code at once, after the loop had a chance to do something else."""
    await asyncio.sleep(0)
    return target(*args)


async def open_store(path: Path, clock: Clock) -> Store:
    """Open a store as a new start of Home Assistant does."""
    store = Store(Database(path, MIGRATIONS, run_inline), clock, clock.monotonic)
    await store.open()
    return store


async def come_to_rest(store: Store, publisher: Publisher) -> None:
    """Wait until all was written, told and noted, whatever could wait for company."""
    await store.examine()
    while publisher._unnoted or (publisher._waiting and publisher._is_open):
        await store.examine()


def make_hooks(publish: Callable[[Change], None]) -> GatewayHooks:
    """Make the hooks of a line whose outbox and record are worked on by hand."""
    return GatewayHooks(publish=publish, wake=lambda: None, catch_up_soon=lambda: None)


def make_account(gateway: Gateway, dependencies: Dependencies) -> accounts.Account:
    """Make an account of which a line is the only one."""
    hooks = accounts.AccountHooks(
        catch_up_soon=lambda: None,
        numbers=lambda: [gateway.line.number.number],
        spawn=dependencies.spawn,
    )
    account = accounts.Account(hooks)
    account.join(gateway)
    return account


def make_dependencies(clock: Clock) -> Dependencies:
    """Make a world without chance."""
    return Dependencies(
        now=clock,
        monotonic=clock.monotonic,
        jitter=lambda _low, _high: 1.0,
        spawn=lambda target, name: asyncio.create_task(target, name=name),
    )


class FakeAdapter(SmsAdapter):
    """Send as scripted in `outcomes`; answer questions from `record` and the like.

    An outcome is None (accept), an error to raise, or a pair of an error and the
    number of seconds after which the message turns out to be accepted all the same.

    `time` is the provider's clock, which is right unless a test gives it another;
    the next answers say that it is wrong by `date_errors`. Of the record, what is in
    `unreadable` makes no sense, and what is in `incomplete` is still being received.
    """

    key = name = "acme"
    capabilities = (
        Capability.HISTORY
        | Capability.LOOKUP
        | Capability.RECEIPTS
        | Capability.SIGNED_CALLBACKS
    )
    credential_fields = ()
    error_rules: Any = {}  # noqa: RUF012  # as the contract has it
    concurrency = 8
    poll_interval = 30

    def __init__(self, clock: Clock) -> None:
        super().__init__({}, session=None, run_blocking=run_inline)  # type: ignore[arg-type]
        self.clock = clock
        self.time: Callable[[], datetime] = clock.truth
        self.date_errors: deque[timedelta] = deque()
        self.date_error: timedelta | None = None
        self.unreadable: set[str] = set()
        self.incomplete: set[str] = set()
        self.outcomes: deque[SmsError | tuple[SmsError, float] | None] = deque()
        self.attempts: list[OutboundMessage] = []
        self.accepted: list[tuple[datetime, str, OutboundMessage]] = []
        self.record: list[InboundMessage] = []
        self.receipts: dict[str, DeliveryReceipt] = {}
        self.callbacks: dict[bytes, Event] = {}
        self.urls = CallbackUrls()
        self.written: list[CallbackUrls] = []
        self.page_size = 100
        self.questions: list[str] = []
        self.trouble: dict[str, SmsError] = {}
        self.during: dict[str, Callable[[], Any]] = {}
        self.redacts = False

    async def _ask(self, question: str) -> None:
        """Let a test interfere while a question is under way, or refuse to answer."""
        self.questions.append(question)
        await asyncio.sleep(0)
        if question in self.during:
            await self.during[question]()
        if question in self.trouble:
            raise self.trouble[question]
        self.date_error = self.date_errors.popleft() if self.date_errors else TRUTH

    @property
    @override
    def provider_time(self) -> datetime | None:
        return None if self.date_error is None else self.time() + self.date_error

    @override
    async def fetch_time(self) -> datetime:
        while self.provider_time is None:
            await self._ask("fetch_time")
        return self.provider_time

    def line(self) -> Line:
        """Make the line this adapter serves."""
        return Line(number=NUMBER, adapter=self)

    @override
    async def get_account(self) -> Account:
        return Account(id=NUMBER.account)

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        return [NUMBER]

    @override
    def check(self, message: OutboundMessage) -> None:
        if not message.text:
            raise MessageRejectedError

    @override
    async def _send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        self.attempts.append(message)
        outcome = self.outcomes.popleft() if self.outcomes else None
        if isinstance(outcome, SmsError):
            await self._ask("send")
            raise outcome
        error, delay = outcome or (None, 0.0)
        provider_id = f"P{len(self.accepted)}"
        visible_at = self.clock.true + timedelta(seconds=delay)
        self.accepted.append((visible_at, provider_id, message))
        await self._ask("send")
        if error:
            raise error
        return SentMessage(provider_id=provider_id)

    @override
    async def find_sent(
        self, number: PhoneNumber, message: OutboundMessage, since: datetime
    ) -> list[SentMessage]:
        found = [
            SentMessage(
                provider_id=provider_id,
                status=DeliveryStatus.SENT,
                exact=not self.redacts and sent.text == message.text,
            )
            for visible_at, provider_id, sent in self.accepted
            if since <= visible_at <= self.clock.true
            and sent.recipient == message.recipient
        ]
        await self._ask("find_sent")
        return sorted(found, key=lambda each: not each.exact)

    @override
    async def fetch_inbound(
        self, number: PhoneNumber, since: datetime, known: KnownIds
    ) -> AsyncIterator[list[InboundMessage | SetAside]]:
        messages = sorted(self.record, key=lambda each: each.received_at)
        messages = [each for each in messages if each.received_at >= since]
        yield []
        for start in range(0, max(len(messages), 1), self.page_size):
            await self._ask("fetch_inbound")
            page = messages[start : start + self.page_size]
            seen = await known([each.message_id for each in page])
            yield [self._read(each) for each in page if each.message_id not in seen]

    @override
    async def fetch_inbound_message(
        self, number: PhoneNumber, message_id: str
    ) -> InboundMessage | SetAside:
        await self._ask("fetch_inbound_message")
        for each in self.record:
            if each.message_id == message_id:
                return self._read(each)
        raise NotFoundError

    def _read(self, message: InboundMessage) -> InboundMessage | SetAside:
        record_id, at = message.message_id, message.received_at
        if record_id in self.unreadable:
            return SetAside(record_id=record_id, reason=SetAsideReason.UNREADABLE)
        if record_id in self.incomplete:
            return SetAside(
                record_id=record_id,
                reason=SetAsideReason.INCOMPLETE,
                at=at,
                message=replace(message, text="") if message.media else None,
            )
        return message

    @override
    async def fetch_receipt(
        self, number: PhoneNumber, provider_id: str
    ) -> DeliveryReceipt:
        await self._ask("fetch_receipt")
        if provider_id not in self.receipts:
            raise NotFoundError
        return self.receipts[provider_id]

    @override
    async def confirm(self, number: PhoneNumber, event: Event) -> Event | None:
        await self._ask("confirm")
        if isinstance(event, DeliveryReceipt):
            return self.receipts.get(event.provider_id)
        if event.message_id in self.unreadable:
            raise InvalidResponseError
        ids = {each.message_id: each for each in self.record}
        return ids.get(event.message_id)

    @override
    def verify(self, request: CallbackRequest) -> None:
        if request.headers.get("x-signature") == "forged":
            raise CallbackRejectedError

    @override
    def parse(self, request: CallbackRequest) -> Event:
        if request.body not in self.callbacks:
            raise CallbackUnreadableError
        return self.callbacks[request.body]

    @override
    def acknowledge(self, event: Event) -> Acknowledgement:
        return Acknowledgement(body=type(event).__name__)

    @override
    async def get_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        await self._ask("get_callbacks")
        return self.urls

    @override
    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        self.urls = urls
        self.written.append(urls)

    @override
    def _translate(self, err: Exception) -> SmsError:
        raise NotImplementedError


def inbound(
    message_id: str,
    *,
    at: float = 0,
    text: str = "The door is open",
    number: str | None = NUMBER.number,
) -> InboundMessage:
    """Make a message that was received `at` seconds after START."""
    return InboundMessage(
        message_id=message_id,
        number=number,
        sender="+33612345678",
        text=text,
        received_at=START + timedelta(seconds=at),
    )


def outbound(
    message_id: str,
    *,
    recipient: str = "+33612345678",
    text: str = "Water leak",
    media: Sequence[str] = (),
    created_at: datetime = START,
) -> OutboundMessage:
    """Make a message as the outbox composes it."""
    return OutboundMessage(
        message_id=message_id,
        recipient=recipient,
        text=text,
        media=tuple(media),
        created_at=created_at,
    )


def receipt(
    provider_id: str,
    status: DeliveryStatus = DeliveryStatus.DELIVERED,
    **more: Any,
) -> DeliveryReceipt:
    """Make what a provider says of a message."""
    return DeliveryReceipt(provider_id=provider_id, status=status, **more)
