"""Twilio, over its SDK: any release from 6.32.0, which Home Assistant pins, to 9.

Facts are from twilio.com/docs, named by the title of the page.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, ClassVar, Final, override

from ..base import KnownIds
from ..callback_failures import CallbackFailure
from ..errors import (
    CallbackRejectedError,
    CallbackUnreadableError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
)
from ..models import (
    Account,
    Acknowledgement,
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
    SentMessage,
    SetAside,
    SetAsideReason,
)
from . import call_records, inbound, records
from .alerts import read_failures
from .calls import TwilioCalls
from .client import LARGEST_PAGE, SIGNATURE
from .http import CONNECTIONS, ORIGIN
from .lists import UNNAMED, Unreadable, reach_back
from .media import TwilioMedia
from .sdk import api_key, equal, require_sid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ..call_models import CallEvent

RECENT: Final = 50
# Reading a page keeps the event loop for as long, and so does taking what was read.
HISTORY_PAGE: Final = 100
_ABOUT_ONE: Final = (
    InvalidResponseError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
)
"""What may be wrong with the files of one message, the list having been given."""


class TwilioAdapter(TwilioCalls, TwilioMedia):
    """An account at Twilio."""

    key = "twilio"
    name = "Twilio"
    capabilities = (
        Capability.BALANCE
        | Capability.CALLBACK_FAILURES
        | Capability.CALLBACK_URLS
        | Capability.CALLS
        | Capability.HISTORY
        | Capability.LOOKUP
        | Capability.MEDIA
        | Capability.RECEIPTS
        | Capability.SIGNED_CALLBACKS
    )
    credential_fields = (
        CredentialField(key="account_sid", shape="AC[0-9a-fA-F]{32}"),
        CredentialField(
            key="auth_token", secret=True, rotates=True, shape="[0-9a-fA-F]{32}"
        ),
        CredentialField(
            key="api_key_sid",
            shape="SK[0-9a-fA-F]{32}",
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
    # An alarm goes to fifty neighbours in three rounds. Twilio does not publish how
    # many calls it takes at a time, but what exceeds it (20429) was not processed.
    concurrency = CONNECTIONS
    links: ClassVar = {"console_url": "https://console.twilio.com"}
    origin = ORIGIN
    poll_interval = 30
    signature_header = SIGNATURE

    @override
    async def get_account(self) -> Account:
        await self._prove(lambda sdk: sdk.rest)
        if api_key(self._credentials) is not None:
            # Callbacks are signed with the token, whatever else the key allows.
            await self._prove(lambda sdk: sdk.owner)
        return Account(id=self._account)

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        numbers = await self._list_readable(
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
        return await self._create(
            records.read_sent,
            lambda sdk: sdk.rest.messages,
            to=message.recipient,
            from_=number.number,
            **{name: value for name, value in content.items() if value},
        )

    @override
    def verify(self, request: CallbackRequest) -> None:
        try:
            is_ours = equal(request.fields.get("AccountSid", ""), self._account)
            is_signed = is_ours and not request.truncated and self._has_signed(request)
        except ValueError as err:
            raise CallbackRejectedError("no URL or form") from err
        if not (is_ours and is_signed):
            plausible = is_ours and SIGNATURE in request.headers
            raise CallbackRejectedError(
                "wrong signature or account", plausible=plausible
            )

    @override
    def parse(self, request: CallbackRequest) -> Event | CallEvent:
        try:
            fields = request.fields
            status, query = inbound.read_status(fields), dict(request.query)
            if status is None and "CallSid" in fields:
                ours = query.get(call_records.CALL_ID) or None
                return call_records.read_callback(fields, ours)
            if status is None:
                now = self.provider_time or datetime.now(UTC)
                return inbound.read_inbound_callback(fields, now)
            sid = inbound.read_callback_id(fields)
            return records.read_status_callback(sid, status, fields, query.get("m"))
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
        _, urls = await self._find_number(number, records.read_callbacks)
        # A Messaging Service's URL may win as well. Which numbers are in one, only
        # another API tells; but the messages name theirs.
        with suppress(InvalidResponseError, MissingRightsError):
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
        sid, _ = await self._find_number(number, records.read_callbacks)
        await self._update(
            records.read_sid,
            lambda sdk: sdk.rest.incoming_phone_numbers(sid),
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
    ) -> AsyncIterator[list[InboundMessage | SetAside]]:
        start = records.to_the_second(since)
        # What came through a channel was written to whatsapp:+…, which this filter
        # leaves out: asking for it as well would double the cost of a quiet poll.
        listed = await self._list(
            inbound.read_inbound,
            lambda sdk: sdk.rest.messages,
            page_size=HISTORY_PAGE,
            to=number.number,
            date_sent_after=start,
        )
        found = inbound.pick_found(listed, start)
        seen = await known([each.id for each in found])
        new = [each for each in found if each.id not in seen]
        for some in batched(new, HISTORY_PAGE, strict=False):
            yield await self._complete(some)

    @override
    async def fetch_inbound_message(
        self, number: PhoneNumber, message_id: str
    ) -> InboundMessage | SetAside:
        if message_id.startswith(UNNAMED):
            raise InvalidResponseError("a record without an id cannot be asked for")
        require_sid(message_id)
        try:
            found = await self._ask(
                inbound.read_inbound, lambda sdk: sdk.rest.messages(message_id), "fetch"
            )
        except InvalidResponseError:
            reason = SetAsideReason.UNREADABLE
            return SetAside(record_id=message_id, reason=reason)
        if found is None:
            raise NotFoundError("no inbound message")
        return _without_files(found) or await self._with_files(found)

    @override
    async def fetch_receipt(
        self, number: PhoneNumber, provider_id: str
    ) -> DeliveryReceipt:
        require_sid(provider_id)
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
            partial(records.read_candidate, message.text),
            lambda sdk: sdk.rest.messages,
            goes_on=partial(reach_back, start),
            page_size=RECENT,
            to=message.recipient,
            from_=number.number,
        )
        return records.pick_candidates(found, start)

    @override
    async def get_balance(self, number: PhoneNumber) -> Balance:
        return await self._ask(
            records.read_balance, lambda sdk: sdk.rest.balance, "fetch"
        )

    async def _complete(
        self, found: Sequence[inbound.Found | Unreadable]
    ) -> list[InboundMessage | SetAside]:
        """Ask for the files of all messages at once, and keep to their order."""
        # A task for each that has none would hold up the home after a long absence.
        tasks = [
            asyncio.ensure_future(self._with_files(each))
            for each in found
            if isinstance(each, inbound.Found) and each.files
        ]
        try:
            whole = iter(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
        return [_without_files(each) or next(whole) for each in found]

    async def _with_files(self, found: inbound.Found) -> InboundMessage | SetAside:
        """Add what came with a message; what cannot be had now sets it aside alone."""
        try:
            listed = await self._list(
                partial(records.read_media, self.base_url or ORIGIN),
                lambda sdk: sdk.rest.messages(found.id).media,
            )
        except RateLimitedError:
            raise
        except _ABOUT_ONE:
            return inbound.incomplete(found.message)
        good = (each for each in listed if not isinstance(each, Unreadable))
        return inbound.with_files(found, tuple(good))


def _without_files(
    found: inbound.Found | Unreadable,
) -> InboundMessage | SetAside | None:
    """Return what needs no question more; None for a message with which files came."""
    if isinstance(found, Unreadable):
        return found.set_aside
    return None if found.files else inbound.with_files(found, ())
