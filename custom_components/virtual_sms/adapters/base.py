"""The contract between this integration and a provider of SMS.

An adapter turns one provider's API and callbacks into the models of this
package, and its failures into the errors of this package. It holds no state
about messages and knows nothing of Home Assistant.
"""

from abc import ABC, abstractmethod
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import time
from typing import TYPE_CHECKING, ClassVar, Protocol

from .call_models import CallEvent
from .callback_failures import CallbackFailure
from .calls import CallVerbs
from .elapsed import Elapsed
from .errors import (
    InvalidResponseError,
    ProviderUnavailableError,
    SmsError,
    UnsupportedFeatureError,
    unclear_is_unknown,
)
from .http_headers import read_date
from .media import MediaVerbs
from .models import (
    Account,
    Acknowledgement,
    Advice,
    Authorization,
    AuthorizationState,
    Balance,
    CallbackRequest,
    CallbackUrls,
    Capability,
    CredentialField,
    DeliveryReceipt,
    Event,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    RejectReason,
    SentMessage,
    SetAside,
)

if TYPE_CHECKING:
    from aiohttp import ClientSession


class RunBlocking(Protocol):
    """Run a blocking function off the event loop: `await run_blocking(f, *args)`."""

    def __call__[*Ts, T](
        self, target: Callable[[*Ts], T], /, *args: *Ts
    ) -> Awaitable[T]:
        """Return the function's result, or raise what it raised."""


type KnownIds = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Tell which of some inbound message ids have been seen."""

TIMEOUT = 15.0
"""Seconds a single call to a provider may take."""

QUEUE_TIMEOUT = 300.0
"""Seconds a call may wait for its turn: enough for fifty at a slow provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """What one of the provider's error codes means to us."""

    error: type[SmsError]
    reason: RejectReason | None = None
    advice: Advice | None = None


class SmsAdapter(CallVerbs, MediaVerbs, ABC):
    """One provider, seen with one set of credentials.

    Every method that asks the provider raises AuthenticationError (wrong or
    insufficient credentials), ProviderUnavailableError (down, slow, limiting)
    or InvalidResponseError (an answer that makes no sense). A call takes at most
    `timeout` seconds once it is its turn, for which it waits `queue_timeout`
    seconds at most; one that has no turn in time was never made.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[Capability]
    credential_fields: ClassVar[tuple[CredentialField, ...]]
    error_rules: ClassVar[Mapping[str, ErrorRule]] = {}
    """The provider's error codes that have a sentence of their own."""
    concurrency: ClassVar[int] = 4
    """Calls that may be under way at once."""
    links: ClassVar[Mapping[str, str]] = {}
    """The provider's pages that the texts of its forms lead to, by placeholder."""
    origin: ClassVar[str]
    """Where the provider's API is, unless the credentials say otherwise."""
    poll_interval: ClassVar[int] = 60
    """Seconds between two polls where callbacks cannot reach us."""
    signature_header: ClassVar[str | None] = None
    """The header that every authentic callback has, where callbacks are signed."""

    timeout: float = TIMEOUT
    queue_timeout: float = QUEUE_TIMEOUT

    def __init__(
        self,
        credentials: Mapping[str, str],
        *,
        session: ClientSession,
        run_blocking: RunBlocking,
    ) -> None:
        """Take the caller's HTTP session and its way to run blocking code."""
        self._credentials = credentials
        self._session = session
        self._run_blocking = run_blocking
        self._slots = asyncio.Semaphore(self.concurrency)
        self._elapsed = Elapsed(_monotonic)
        self._dated: tuple[datetime, float] | None = None

    @property
    def provider_time(self) -> datetime | None:
        """Return what time it is at the provider, None before its first answer.

        What is compared with a time of the provider's is this one: the home's own
        clock may be wrong, and may jump.
        """
        if self._dated is None:
            return None
        date, at = self._dated
        return date + timedelta(seconds=self._elapsed() - at)

    def note_date(self, header: str | None) -> None:
        """Learn the provider's time from the `Date` header of an answer."""
        date = read_date(header)
        if date is not None:
            self._note_time(date)

    def _note_time(self, time_there: datetime) -> None:
        # One assignment: some answers come in a thread of their own.
        self._dated = time_there, self._elapsed()

    async def fetch_time(self) -> datetime:
        """Return the provider's time, asking for it before the first answer.

        Where answers carry none, which HTTP allows, the home's own has to do.
        """
        if self.provider_time is None:
            try:
                await self._ask_time()
            except SmsError:
                # A refusal is dated as well.
                if self.provider_time is None:
                    raise
        time_there = self.provider_time
        if time_there is None:
            time_there = datetime.now(UTC)
            self._note_time(time_there)
        return time_there

    async def _ask_time(self) -> None:
        """Ask for something that costs little, whose answer tells the time."""
        await self.get_account()

    @property
    def base_url(self) -> str | None:
        """Return the origin that replaces the provider's own, without a slash."""
        return (self._credentials.get("api_url") or "").rstrip("/") or None

    @property
    def is_asynchronous(self) -> bool:
        """Say whether the SDK that is installed leaves the executor alone."""
        return False

    @property
    def has_retired_secrets(self) -> bool:
        """Say whether the credentials keep a replaced secret that counts no more."""
        return False

    async def prepare(self) -> None:
        """Load what is slow to load, off the event loop; a second time costs nothing."""

    @abstractmethod
    async def get_account(self) -> Account:
        """Prove the credentials."""

    @abstractmethod
    async def list_numbers(self) -> list[PhoneNumber]:
        """List the lines that can text.

        Raises MissingRightsError where the credentials may not list them.
        """

    @abstractmethod
    def check(self, message: OutboundMessage) -> None:
        """Refuse what the provider cannot express, before it is asked.

        Raises MessageRejectedError for a text that is too long or empty, and
        UnsupportedFeatureError for media where there are none.
        """

    async def send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        """Hand a message to the provider, once.

        Raises MessageRejectedError when it is refused for good, and
        SendOutcomeUnknownError when it may have been accepted all the same.
        """
        with unclear_is_unknown():
            return await self._send(number, message, callback_url)

    @abstractmethod
    async def _send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        """Do what `send` promises, leaving the unclear cases to it."""

    @abstractmethod
    def verify(self, request: CallbackRequest) -> None:
        """Raise CallbackRejectedError unless the callback is authentic."""

    @abstractmethod
    def parse(self, request: CallbackRequest) -> Event | CallEvent:
        """Read a verified callback, or raise CallbackUnreadableError."""

    def acknowledge(self, event: Event) -> Acknowledgement:
        """Return the answer that the provider expects when the event was taken in."""
        del event
        return Acknowledgement()

    async def confirm(self, number: PhoneNumber, event: Event) -> Event | None:
        """Return what the provider's own record says of an event.

        None when it knows nothing of it. Where callbacks are signed, the event
        itself is the truth.
        """
        del number
        return event

    async def get_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        """Read the callback URLs that stand at the provider."""
        raise UnsupportedFeatureError

    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        """Write the callback URLs; None clears one."""
        raise UnsupportedFeatureError

    async def fetch_callback_failures(
        self, number: PhoneNumber, url: str, since: datetime
    ) -> list[CallbackFailure]:
        """List what the provider notes of its calls to `url` that failed, newest first.

        The query does not count: each message may have one of its own. A busy
        account's record may be cut off at its older end.
        """
        raise UnsupportedFeatureError

    async def fetch_inbound(
        self, number: PhoneNumber, since: datetime, known: KnownIds
    ) -> AsyncIterator[list[InboundMessage | SetAside]]:
        """Yield batches of what was received at or after `since`, oldest first.

        A record that cannot be taken (yet) does not stop the others: it is named.
        Messages that are `known` already may be missing: a provider that gives
        them one by one need not be asked for those.

        Without HISTORY there is nothing to yield. The account is asked instead: so a
        poll proves the credentials there too, and tells the time.
        """
        await self.get_account()
        yield []

    async def fetch_inbound_message(
        self, number: PhoneNumber, message_id: str
    ) -> InboundMessage | SetAside:
        """Read one inbound message again; raises NotFoundError when it is gone."""
        raise UnsupportedFeatureError

    async def fetch_receipt(
        self, number: PhoneNumber, provider_id: str
    ) -> DeliveryReceipt:
        """Ask where a message stands; raises NotFoundError when it is unknown."""
        raise UnsupportedFeatureError

    async def find_sent(
        self, number: PhoneNumber, message: OutboundMessage, since: datetime
    ) -> list[SentMessage]:
        """List what the provider accepted at or after `since` that may be a message.

        `since` is the provider's time. This is how an unknown outcome is reconciled, so
        it must not miss what has been accepted, and may name messages that were
        sent otherwise. `exact` ones equal the message; the others went to the same
        recipient, and may be the message with its text redacted or rewritten, or
        cannot be read. Exact ones come first, then the oldest. Where the provider
        knows the message by a name of ours, the others may be missing.
        """
        raise UnsupportedFeatureError

    async def get_balance(self, number: PhoneNumber) -> Balance:
        """Ask what is left in a number's account."""
        raise UnsupportedFeatureError

    async def list_opted_out(self, number: PhoneNumber) -> list[str]:
        """List whom the provider keeps messages of a number's account from."""
        raise UnsupportedFeatureError

    async def request_authorization(self, redirect: str | None) -> Authorization:
        """Ask for a key that the user makes valid by a click.

        The credentials need no such key yet. `redirect` is where the user is sent
        afterwards, which proves nothing.
        """
        raise UnsupportedFeatureError

    async def authorization_state(
        self, number: PhoneNumber | None = None
    ) -> AuthorizationState:
        """Ask what has become of the key in the credentials.

        What it lacks is told for a number, or else for any.
        """
        raise UnsupportedFeatureError

    async def _call[R, T](
        self, read: Callable[[R], T], call: Callable[[], Awaitable[R]]
    ) -> T:
        """Ask the provider and read its answer: the only way to an SDK.

        An SDK may fail in any way at an answer it did not foresee, and so may
        the reader, which is why both run in here.
        """
        try:
            async with self._turn(), asyncio.timeout(self.timeout):
                return read(await call())
        except SmsError:
            raise
        except TimeoutError as err:
            raise ProviderUnavailableError("no answer in time") from err
        except Exception as err:
            raise self._translate(err) from err

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for one of the few calls that may be under way at once."""
        try:
            await asyncio.wait_for(self._slots.acquire(), self.queue_timeout)
        except TimeoutError as err:
            raise ProviderUnavailableError(
                "no turn in time", maybe_processed=False
            ) from err
        try:
            yield
        finally:
            self._slots.release()

    def _translate(self, err: Exception) -> SmsError:
        """Turn an exception of the SDK, or of a reader, into one of ours.

        What nobody foresaw is an answer that makes no sense. Its text may hold a
        number or a secret, so only its type is named.
        """
        return InvalidResponseError(type(err).__name__)


def _monotonic() -> float:
    return time.monotonic()
