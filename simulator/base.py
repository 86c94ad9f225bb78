"""Hold what all providers share: messages, their steps, and the HTTP they speak.

A provider accepts an outbound message, then moves it through statuses, by
itself (`World.automatic`, every `World.pace` seconds) or by hand (`advance`,
`fail`), and calls the home back at each step.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
import json
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aiohttp import web

from .callbacks import Answer, Callback, Quirk, Verdict
from .world import World, now

if TYPE_CHECKING:
    from datetime import datetime

type MessageId = str | int
type Json = dict[str, object]

RECEIVED: Final = "received"
# The smallest PNG there is: one transparent pixel.
PIXEL: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6300010000050001"
    "0d0a2db40000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class Media:
    """Hold one attached file."""

    content_type: str = "image/png"
    data: bytes = field(default=PIXEL, repr=False)
    url: str = ""


@dataclass(slots=True, kw_only=True)
class Message:
    """Hold one message, as its provider sees it."""

    id: MessageId
    inbound: bool
    number: str
    sender: str
    to: str
    text: str
    status: str
    created: datetime
    updated: datetime
    sent: datetime | None = None
    media: tuple[Media, ...] = ()
    callback_url: str = ""
    tag: str = ""
    error_code: int | None = None
    statuses: list[str] = field(default_factory=list)
    record: Json = field(default_factory=dict)
    """What its record says instead of the truth, by the provider's field names."""
    omit: frozenset[str] = frozenset()
    """Fields that its callbacks lack."""
    held: list[Callback] = field(default_factory=list, repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold what a message says before a provider gives it an identity."""

    sender: str
    to: str
    text: str
    at: datetime
    media: tuple[Media, ...] = ()
    status: str = RECEIVED

    @property
    def inbound(self) -> bool:
        """Tell whether it comes to the home."""
        return self.status == RECEIVED


@dataclass(frozen=True, slots=True)
class Step:
    """Name a status to reach, and the provider's error code with it."""

    status: str
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Hold what a handler answers, and what it accepted."""

    payload: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    accepted: tuple[Any, ...] = ()

    def response(self) -> web.Response:
        """Render as JSON, unless the payload is bytes already."""
        body = self.payload
        if not isinstance(body, bytes):
            empty = self.status == web.HTTPNoContent.status_code
            body = b"" if empty else json.dumps(body).encode()
        return web.Response(
            status=self.status,
            body=body,
            headers=self.headers,
            content_type=self.content_type,
        )


class ApiError(Exception):
    """Carry a provider's refusal up to the server."""

    def __init__(self, reply: Reply) -> None:
        """Keep the reply to send."""
        super().__init__(reply.payload)
        self.reply = reply


type Handler = Callable[[web.Request], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """Bind a handler to a path; an open one needs no credentials."""

    method: str
    path: str
    handler: Handler
    open: bool = False


class Provider[I: MessageId, M: Message](ABC):
    """Play one provider: keep its messages and drive them.

    `messages` is what the home sent, `inbound` what was written to it.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    message_type: type[M]
    number: ClassVar[str]  # the line used when none is named
    finals: ClassVar[frozenset[str]] = frozenset({"delivered", "failed"})
    accepting: ClassVar[frozenset[str]]  # statuses a message can be put into
    accepted: ClassVar[Container[int]] = range(200, 300)  # answers to a callback
    retries: ClassVar[int] = 0  # of callbacks, after a failed connect
    failures: ClassVar[Mapping[int, str]] = {}  # codes worth a button, in words

    def __init__(self, world: World) -> None:
        """Start with an account in its factory state."""
        self.world = world
        self.quirks: set[Quirk] = set()
        self.log: dict[str, M] = {}
        self.set_up()

    def set_up(self) -> None:  # noqa: B027  # some need it, none must
        """Set the account to its factory state."""

    @abstractmethod
    def routes(self) -> Iterable[Route]:
        """List the HTTP API."""

    @abstractmethod
    def owns(self, path: str) -> bool:
        """Tell whether a path belongs to this provider's API."""

    @abstractmethod
    async def authorize(self, request: web.Request) -> None:
        """Raise ApiError unless the request's credentials allow it."""

    async def recipients(self, request: web.Request) -> set[str]:
        """Name whom a request texts, for faults bound to a recipient."""
        del request
        return set()

    def failure(self, status: int) -> Reply:
        """Render an HTTP failure in this provider's JSON."""
        return Reply(payload={"message": "failed"}, status=status)

    def add_request_id(self, response: web.StreamResponse) -> None:  # noqa: B027
        """Add the header that names a request, if the provider has one."""

    @abstractmethod
    def new_id(self, *, media: bool) -> I:
        """Make an identifier."""

    def compose(self, message_id: I, draft: Draft) -> M:
        """Build a message."""
        return self.message_type(
            id=message_id,
            inbound=draft.inbound,
            number=draft.to if draft.inbound else draft.sender,
            sender=draft.sender,
            to=draft.to,
            text=draft.text,
            status=draft.status,
            created=draft.at,
            updated=draft.at,
            sent=draft.at if draft.status in {RECEIVED, *self.finals} else None,
            media=draft.media,
        )

    def move(self, message: M, step: Step) -> None:
        """Put a message into a status."""
        message.status, message.error_code = step.status, step.code

    def plan(self, message: M) -> tuple[Step, ...]:
        """List the steps that an accepted message will take."""
        del message
        return Step("sent"), Step("delivered")

    def ending(self, code: int) -> Step:
        """Tell which status an error code ends in."""
        return Step("failed", code)

    def status_callback(self, message: M) -> Callback | None:
        """Render the callback for a message's present status, if any."""
        del message
        return None

    def inbound_callback(self, message: M) -> Callback | None:
        """Render the callback for an inbound message, if any."""
        del message
        return None

    def judge(self, callback: Callback, answer: Answer) -> tuple[Verdict, int | None]:
        """Judge the answer to a callback as the provider would."""
        del callback
        if answer.status is None:
            timed_out = answer.timed_out
            return (Verdict.TIMED_OUT if timed_out else Verdict.UNREACHABLE), None
        accepted = answer.status in self.accepted
        return (Verdict.ACCEPTED if accepted else Verdict.REJECTED), None

    @abstractmethod
    def lines(self) -> list[Json]:
        """Describe the numbers and their callback URLs, for the handset."""

    def describe_calls(self) -> list[Json]:
        """Describe the calls, oldest first, for the handset."""
        return []

    @property
    @abstractmethod
    def credentials(self) -> dict[str, str]:
        """Name the secrets of the account, as the config flow does."""

    @property
    def messages(self) -> list[M]:
        """List what was accepted from the home, oldest first."""
        return [message for message in self.log.values() if not message.inbound]

    @property
    def inbound(self) -> list[M]:
        """List what was written to the home, oldest first."""
        return [message for message in self.log.values() if message.inbound]

    def reset(self) -> None:
        """Forget messages, quirks and settings."""
        self.log.clear()
        self.quirks.clear()
        self.set_up()

    def find(self, message_id: MessageId) -> M:
        """Return a message; KeyError when there is none."""
        return self.log[str(message_id)]

    def keep(self, message: M) -> M:
        """Add a message to the log."""
        message.statuses.append(message.status)
        self.log[str(message.id)] = message
        return message

    def receive(  # noqa: PLR0913
        self,
        sender: str,
        text: str,
        media: Iterable[Media] = (),
        *,
        number: str | None = None,
        callback: bool = True,
        at: datetime | None = None,
        record: Json | None = None,
        omit: Iterable[str] = (),
    ) -> I:
        """Write to the home; the callback goes out in the background."""
        files = tuple(media)
        message_id = self.new_id(media=bool(files))
        draft = Draft(sender, number or self.number, text, at or now(), files)
        message = self.keep(self.compose(message_id, draft))
        message.record, message.omit = dict(record or {}), frozenset(omit)
        self.obey(message)
        if callback:
            self.world.background(self.post_inbound(message))
        return message_id

    def history(  # noqa: PLR0913
        self,
        count: int,
        *,
        sender: str = "+15005559999",
        number: str | None = None,
        newest: datetime | None = None,
        every: timedelta = timedelta(minutes=10),
        outbound: bool = False,
        text: str = "Old message {index}",
    ) -> list[I]:
        """Preload old messages, oldest first, without callbacks."""
        line, newest = number or self.number, newest or now() - timedelta(days=1)
        ends = (line, sender) if outbound else (sender, line)
        status = "delivered" if outbound else RECEIVED
        made = []
        for index in range(count):
            at = newest - every * (count - 1 - index)
            draft = Draft(*ends, text.format(index=index), at, status=status)
            made.append(self.new_id(media=False))
            self.keep(self.compose(made[-1], draft))
        return made

    def obey(self, message: M) -> None:  # noqa: B027
        """Obey the words that carriers obey, such as STOP."""

    async def post_inbound(self, message: M) -> None:
        """Post the callback of an inbound message."""
        callback = self.inbound_callback(message)
        if callback is not None:
            await self._deliver(message, callback, final=True)

    def start(self, message: M, answered: asyncio.Event) -> None:
        """Set an accepted message on its way, once its answer has left."""
        if self.world.automatic:
            self.world.background(self._run(message, answered))

    async def advance(self, message_id: MessageId, status: str) -> None:
        """Put a message into a status by hand and post its callback."""
        if status not in self.accepting:
            reason = f"{self.name} knows no status {status!r}"
            raise ValueError(reason)
        await self._take(self.find(message_id), Step(status))

    async def fail(self, message_id: MessageId, code: int) -> None:
        """Fail a message by hand with a provider's error code."""
        await self._take(self.find(message_id), self.ending(code))

    async def _run(self, message: M, answered: asyncio.Event) -> None:
        await answered.wait()
        for step in self.plan(message):
            await asyncio.sleep(self.world.pace)
            # Someone may have ended it by hand meanwhile.
            if message.status in self.finals:
                return
            await self._take(message, step)

    async def _take(self, message: M, step: Step) -> None:
        self.move(message, step)
        message.updated = now()
        message.statuses.append(step.status)
        callback = self.status_callback(message)
        if callback is not None:
            final = step.status in self.finals
            await self._deliver(message, callback, final=final)

    async def _deliver(self, message: M, callback: Callback, *, final: bool) -> None:
        if Quirk.SUPPRESSED in self.quirks:
            return
        if Quirk.REORDERED in self.quirks and not final:
            message.held.append(callback)
            return
        late, message.held = message.held, []
        for each in (callback, *late):
            for _ in range(1 + (Quirk.DUPLICATED in self.quirks)):
                await self.world.poster.post(each, self.judge, retries=self.retries)


type AnyProvider = Provider[Any, Any]
