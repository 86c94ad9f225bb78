"""Twilio, over its SDK: any release from 6.32.0, which Home Assistant pins, to 9.

Facts are from twilio.com/docs, named by the title of the page.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from . import twilio_records as records
from .base import KnownIds, RunBlocking, SmsAdapter
from .errors import (
    AuthenticationError,
    CallbackRejectedError,
    CallbackUnreadableError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    SmsError,
)
from .models import (
    Account,
    Acknowledgement,
    Balance,
    CallbackFailure,
    CallbackRequest,
    CallbackUrls,
    Capability,
    CredentialField,
    DeliveryReceipt,
    Event,
    InboundMessage,
    OutboundMessage,
    PhoneNumber,
    SentMessage,
)
from .twilio_alerts import read_failures
from .twilio_http import CONNECTIONS, ORIGIN, Refusal
from .twilio_sdk import Sdk, api_key, equal, load, use

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from aiohttp import ClientSession

LARGEST_PAGE: Final = 1000
RECENT: Final = 50
# Reading a page keeps the event loop for as long.
HISTORY_PAGE: Final = 100
_SIGNATURE: Final = "x-twilio-signature"
_SID: Final = re.compile(r"[A-Z]{2}\w+", re.ASCII)


class TwilioAdapter(SmsAdapter):
    """An account at Twilio."""

    key = "twilio"
    name = "Twilio"
    capabilities = (
        Capability.BALANCE
        | Capability.CALLBACK_FAILURES
        | Capability.CALLBACK_URLS
        | Capability.HISTORY
        | Capability.LOOKUP
        | Capability.MEDIA
        | Capability.RECEIPTS
        | Capability.SIGNED_CALLBACKS
    )
    credential_fields = (
        CredentialField(key="account_sid"),
        CredentialField(key="auth_token", secret=True, rotates=True),
        CredentialField(
            key="api_key_sid",
            required=False,
            advanced=True,
            requires="api_key_secret",
        ),
        CredentialField(
            key="api_key_secret",
            secret=True,
            required=False,
            advanced=True,
            requires="api_key_sid",
        ),
        CredentialField(key="api_url", required=False, advanced=True),
    )
    error_rules = records.ERROR_RULES
    # An alarm goes to fifty neighbours at once. Twilio does not publish how many
    # calls it takes at a time, but what exceeds it (20429) was not processed.
    concurrency = CONNECTIONS
    links: ClassVar = {"console_url": "https://console.twilio.com"}
    origin = ORIGIN
    poll_interval = 30

    @override
    def __init__(
        self,
        credentials: Mapping[str, str],
        *,
        session: ClientSession,
        run_blocking: RunBlocking,
    ) -> None:
        super().__init__(credentials, session=session, run_blocking=run_blocking)
        self._account = credentials["account_sid"]
        self._loading = asyncio.Lock()
        self._sdk: Sdk | None = None

    @property
    @override
    def is_asynchronous(self) -> bool:
        return self._sdk is not None and self._sdk.is_asynchronous

    @override
    async def prepare(self) -> None:
        await self._call(lambda _: None, self._load)

    @override
    async def get_account(self) -> Account:
        await self._prove(lambda sdk: sdk.rest)
        if api_key(self._credentials) is not None:
            # Callbacks are signed with the token, whatever else the key allows.
            await self._prove(lambda sdk: sdk.owner)
        return Account(id=self._account)

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        numbers = await self._list(
            partial(records.read_number, self._account),
            lambda sdk: sdk.rest.incoming_phone_numbers,
        )
        return [number for number in numbers if number is not None]

    @override
    def check(self, message: OutboundMessage) -> None:
        problem = records.find_problem(message)
        if problem is not None:
            raise MessageRejectedError("not asked", provider_code=problem)
        try:
            "".join((message.text, *message.media)).encode()
        except UnicodeEncodeError as err:
            raise MessageRejectedError("half a character") from err

    @override
    async def _send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        content = {
            "body": message.text,
            "media_url": list(message.media),
            "status_callback": callback_url
            and records.with_message_id(callback_url, message.message_id),
        }
        try:
            return await self._ask(
                records.read_sent,
                lambda sdk: sdk.rest.messages,
                "create",
                to=message.recipient,
                from_=number.number,
                **{name: value for name, value in content.items() if value},
            )
        except InvalidResponseError as err:
            if err.provider_code is None:
                raise
            # A code of Twilio's that we do not know is a refusal all the same.
            raise MessageRejectedError(
                str(err), provider_code=err.provider_code
            ) from err

    @override
    def verify(self, request: CallbackRequest) -> None:
        try:
            is_ours = equal(request.fields.get("AccountSid", ""), self._account)
            is_signed = not request.truncated and self._has_signed(request)
        except ValueError as err:
            raise CallbackRejectedError("no URL or form") from err
        if not (is_ours and is_signed):
            plausible = is_ours and _SIGNATURE in request.headers
            raise CallbackRejectedError(
                "wrong signature or account", plausible=plausible
            )

    @override
    def parse(self, request: CallbackRequest) -> Event:
        try:
            fields = request.fields
            if "MessageStatus" in fields:
                return records.read_status_callback(
                    fields, dict(request.query).get("m")
                )
            return records.read_inbound_callback(fields)
        except (KeyError, ValueError) as err:
            raise CallbackUnreadableError("no message") from err

    @override
    def acknowledge(self, event: Event) -> Acknowledgement:
        if isinstance(event, DeliveryReceipt):
            return Acknowledgement(status=204)
        # Any other text would be sent to who wrote ("TwiML for Programmable
        # Messaging").
        return Acknowledgement(
            body='<?xml version="1.0" encoding="UTF-8"?><Response/>',
            content_type="text/xml",
        )

    @override
    async def get_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        _, urls = await self._find_number(number)
        # A Messaging Service's URL may win as well. Which numbers are in one, only
        # another API tells; but the messages name theirs.
        with suppress(MissingRightsError):
            service = await self._ask(
                partial(records.read_newest, records.read_service),
                lambda sdk: sdk.rest.messages,
                "page",
                page_size=1,
                to=number.number,
            )
            return replace(urls, perhaps_overruled_by=service)
        return urls

    @override
    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        sid, _ = await self._find_number(number)
        await self._ask(
            records.read_sid,
            lambda sdk: sdk.rest.incoming_phone_numbers(sid),
            "update",
            sms_url=urls.inbound or "",
            sms_method="POST",
        )

    @override
    async def fetch_callback_failures(
        self, number: PhoneNumber, url: str, since: datetime
    ) -> list[CallbackFailure]:
        start = records.to_the_second(since)
        return await self._ask(
            partial(read_failures, url, start),
            lambda sdk: sdk.rest.monitor.v1.alerts,
            "page",
            log_level="error",
            start_date=start,
            page_size=LARGEST_PAGE,
        )

    @override
    async def fetch_inbound(
        self, number: PhoneNumber, since: datetime, known: KnownIds
    ) -> AsyncIterator[list[InboundMessage]]:
        start = records.to_the_second(since)
        records_found = await self._list(
            records.read_inbound,
            lambda sdk: sdk.rest.messages,
            page_size=HISTORY_PAGE,
            to=number.number,
            date_sent_after=start,
        )
        found = [
            each for each in records_found if each and each[0].received_at >= start
        ]
        # Twilio lists the newest first, and knows no fractions of a second.
        found.reverse()
        found.sort(key=lambda each: each[0].received_at)
        seen = await known([message.message_id for message, _ in found])
        yield [
            await self._with_media(message) if has_media else message
            for message, has_media in found
            if message.message_id not in seen
        ]

    @override
    async def fetch_receipt(
        self, number: PhoneNumber, provider_id: str
    ) -> DeliveryReceipt:
        if not _SID.fullmatch(provider_id):
            raise NotFoundError("no SID")
        return await self._ask(
            records.read_receipt, lambda sdk: sdk.rest.messages(provider_id), "fetch"
        )

    @override
    async def find_sent(
        self, number: PhoneNumber, message: OutboundMessage, since: datetime
    ) -> list[SentMessage]:
        start = records.to_the_second(since)
        # Without a DateSent, for what is queued has none yet: the newest come first,
        # so it is enough to read until the page that is too old.
        found = await self._list(
            partial(records.read_equal, message.text),
            lambda sdk: sdk.rest.messages,
            goes_on=lambda found: not found or found[-1][0] >= start,
            page_size=RECENT,
            to=message.recipient,
            from_=number.number,
        )
        return [sent for created, sent in found if sent and created >= start]

    @override
    async def get_balance(self, number: PhoneNumber) -> Balance:
        return await self._ask(
            records.read_balance, lambda sdk: sdk.rest.balance, "fetch"
        )

    async def _load(self) -> Sdk:
        async with self._loading:
            if self._sdk is None:
                self._sdk = await self._run_blocking(
                    load, self._credentials, self._session, self.base_url or ORIGIN
                )
            return self._sdk

    async def _prove(self, choose: Callable[[Sdk], Any]) -> None:
        """Ask for what any credentials may see.

        Not for the account, which standard keys may not see and whose record
        holds the token ("API keys overview").
        """
        try:
            await self._peek(lambda sdk: choose(sdk).incoming_phone_numbers)
        except MissingRightsError:
            await self._peek(lambda sdk: choose(sdk).messages)
        except NotFoundError as err:
            raise AuthenticationError("no such account") from err

    async def _peek(self, choose: Callable[[Sdk], Any]) -> None:
        await self._ask(list, choose, "page", page_size=1)

    async def _find_number(self, number: PhoneNumber) -> tuple[str, CallbackUrls]:
        found = await self._list(
            records.read_callbacks,
            lambda sdk: sdk.rest.incoming_phone_numbers,
            phone_number=number.number,
        )
        # The filter also finds numbers that merely contain this one.
        for each, sid, urls in found:
            if each == number.number:
                return sid, urls
        raise NotFoundError("no such number in the account")

    async def _with_media(self, message: InboundMessage) -> InboundMessage:
        media = await self._list(
            partial(records.read_media, self.base_url or ORIGIN),
            lambda sdk: sdk.rest.messages(message.message_id).media,
        )
        return replace(message, media=tuple(media))

    async def _list[T](
        self,
        read: Callable[[Any], T],
        choose: Callable[[Sdk], Any],
        *,
        goes_on: Callable[[list[T]], bool] = lambda _: True,
        page_size: int = LARGEST_PAGE,
        **filters: object,
    ) -> list[T]:
        """List the pages while they go on, each with the time of a call of its own."""
        read_page = partial(records.read_page, read)
        found, page = await self._ask(
            read_page, choose, "page", page_size=page_size, **filters
        )
        while page is not None and goes_on(found):
            more, page = await self._ask(read_page, partial(_given, page), "next_page")
            found += more
        return found

    async def _ask[T](
        self,
        read: Callable[[Any], T],
        choose: Callable[[Sdk], Any],
        verb: str,
        **arguments: object,
    ) -> T:
        async def call() -> Any:
            return await use(
                self._run_blocking, choose(await self._load()), verb, arguments
            )

        return await self._call(read, call)

    def _has_signed(self, request: CallbackRequest) -> bool:
        signature = request.headers.get(_SIGNATURE, "")
        return self._sdk is not None and self._sdk.has_signed(
            request.url, request.form, signature
        )

    @override
    def _translate(self, err: Exception) -> SmsError:
        if isinstance(err, Refusal):
            return records.translate(err)
        return InvalidResponseError(type(err).__name__)


def _given(resource: Any, _: Sdk) -> Any:
    return resource
