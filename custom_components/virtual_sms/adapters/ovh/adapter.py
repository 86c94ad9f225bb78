"""OVHcloud and its virtual numbers, over its SDK.

`{s}` is an SMS account ("service"), `{n}` a number of it. OVHcloud signs no
callback and names no sender of it: one has us ask, and its API says what
there is to know.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import batched
import logging
from typing import ClassVar, Final, override

from ..base import KnownIds
from ..errors import (
    AccountSuspendedError,
    AuthenticationError,
    CallbackUnreadableError,
    InvalidResponseError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
    UnsupportedFeatureError,
)
from ..models import (
    Account,
    Acknowledgement,
    Authorization,
    AuthorizationState,
    AuthorizationStatus,
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
)
from .api import OvhApi, is_about_one, path_of
from .errors import ERROR_RULES, rejection
from .records import (
    ANY,
    read_authorization,
    read_authorization_state,
    read_balance,
    read_callback,
    read_inbound,
    read_label,
    read_nothing,
    read_outgoing,
    read_pending,
    read_receipt,
    read_sent,
    read_strings,
    sort_inbound,
    tag_of,
)
from .responses import change_response, read_callbacks, read_response
from .values import is_id, spellings, to_e164, to_utc

MOST_SEGMENTS: Final = 6
LONGEST_TEXT: Final = 918
"""In the smaller alphabet; 402 characters in the larger ("OVHcloud SMS FAQ")."""

_BATCH_SIZE: Final = 50
_TWO_DAYS: Final = 2880
_LOGGER = logging.getLogger(__name__)
_ABOUT_ONE: Final = (
    AccountSuspendedError,
    InvalidResponseError,
    MissingRightsError,
    NotFoundError,
)
"""What may be wrong with one account of several."""
_NOT_YET: Final = frozenset({"invalid_credential", "not_credential"})
"""What a key is refused with that waits for its user; which one is not published."""
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")


class OvhAdapter(OvhApi):
    """A customer's SMS accounts at OVHcloud, or one of them."""

    key = "ovh"
    name = "OVHcloud"
    capabilities = (
        Capability.AUTHORIZATION
        | Capability.BALANCE
        | Capability.CALLBACK_URLS
        | Capability.CREDITS
        | Capability.HISTORY
        | Capability.LOOKUP
        | Capability.OPT_OUTS
        | Capability.RECEIPTS
        | Capability.SHARED_CALLBACK_URLS
    )
    credential_fields = (
        CredentialField(key="application_key"),
        CredentialField(key="application_secret", secret=True),
        CredentialField(key="consumer_key", secret=True, required=False),
        CredentialField(key="service_name", required=False, advanced=True),
        CredentialField(key="api_url", required=False, advanced=True),
    )
    error_rules = ERROR_RULES
    # An alarm goes to fifty neighbours at once, yet OVHcloud, which publishes no
    # limit, asks for restraint. What it refuses for one (429) was not processed.
    concurrency = 8
    links: ClassVar = {
        "create_token_url": (
            "https://eu.api.ovh.com/createToken/"
            "?GET=/sms&GET=/sms/*&POST=/sms/*&PUT=/sms/*&DELETE=/sms/*"
        )
    }
    origin = "https://eu.api.ovh.com"
    poll_interval = 60

    @override
    async def get_account(self) -> Account:
        services = await self._services()
        if not services:
            return Account(id=self._credentials["application_key"])
        # The id stays the same whichever of them answers.
        labels, errors = await self._of_each(
            services, lambda service: self._ask(read_label, path_of(service))
        )
        if not labels:
            raise errors[0]
        return Account(id=services[0], name=labels[0])

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        listed, errors = await self._of_each(await self._services(), self._numbers_of)
        if errors and not any(listed):
            raise errors[0]
        return [number for numbers in listed for number in numbers]

    @override
    def check(self, message: OutboundMessage) -> None:
        if message.media:
            raise UnsupportedFeatureError("no media")
        if message.is_empty:
            raise rejection("empty_text")
        if message.segments > MOST_SEGMENTS or len(message.text) > LONGEST_TEXT:
            raise rejection("text_too_long")

    @override
    async def _send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        job = {
            "message": message.text,
            # One at a time: the report's ids are in no promised order.
            "receivers": [message.recipient],
            "charset": "UTF-8",
            "priority": "high",
            "validityPeriod": _TWO_DAYS,
            "tag": tag_of(message),
        }
        return await self._ask_number(
            number, read_sent, "jobs", method="POST", body=job
        )

    @override
    def verify(self, request: CallbackRequest) -> None:
        """Take everything: there is no signature, and `confirm` knows better."""

    @override
    def parse(self, request: CallbackRequest) -> Event:
        try:
            return read_callback(request, self.provider_time or datetime.now(UTC))
        except (KeyError, ValueError) as err:
            raise CallbackUnreadableError("no message") from err

    @override
    def acknowledge(self, event: Event) -> Acknowledgement:
        return Acknowledgement()

    @override
    async def confirm(self, number: PhoneNumber, event: Event) -> Event | None:
        read = partial(read_inbound, number)
        with suppress(NotFoundError):
            if isinstance(event, DeliveryReceipt):
                return await self.fetch_receipt(number, event.provider_id)
            return await self._ask_number(number, read, "incoming", event.message_id)
        return None

    @override
    async def get_callbacks(self, number: PhoneNumber) -> CallbackUrls:
        return await self._ask(read_callbacks, path_of(number.account))

    @override
    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        response = await self._ask(read_response, path_of(number.account))
        changes: dict[str, object] = {"callBack": urls.status or ""}
        if response_change := change_response(response, urls.inbound):
            changes["smsResponse"] = response | response_change
        # What is not named keeps its value (ovh/manager does the same).
        path = path_of(number.account)
        await self._ask(read_nothing, path, method="PUT", body=changes)

    @override
    async def fetch_inbound(
        self, number: PhoneNumber, since: datetime, known: KnownIds
    ) -> AsyncIterator[list[InboundMessage | SetAside]]:
        start = since.replace(microsecond=0)
        ids = await self._list_ids(
            number, "incoming", {"creationDatetime.from": to_utc(start)}
        )
        seen = await known(ids)
        for some in _batches(each for each in ids if each not in seen):
            items = await self._read_items(
                number, "incoming", partial(read_inbound, number), some
            )
            yield sort_inbound(items, start)

    @override
    async def fetch_inbound_message(
        self, number: PhoneNumber, message_id: str
    ) -> InboundMessage | SetAside:
        if not is_id(message_id):
            raise NotFoundError("no id of OVHcloud's")
        read = partial(read_inbound, number)
        items = await self._read_items(number, "incoming", read, [message_id])
        if not items:
            raise NotFoundError("no such message")
        return sort_inbound(items, None)[0]

    @override
    async def fetch_receipt(
        self, number: PhoneNumber, provider_id: str
    ) -> DeliveryReceipt:
        if not is_id(provider_id):
            raise NotFoundError("no id of OVHcloud's")
        with suppress(NotFoundError):
            return await self._ask_number(number, read_receipt, "outgoing", provider_id)
        return await self._ask_number(number, read_pending, "jobs", provider_id)

    @override
    async def find_sent(
        self, number: PhoneNumber, message: OutboundMessage, since: datetime
    ) -> list[SentMessage]:
        # Pending first: what is sent meanwhile then shows in the second list.
        pending = await self._list_ids(number, "jobs")
        tagged = await self._list_ids(number, "outgoing", {"tag": tag_of(message)})
        found = await self._candidates(number, "jobs", pending, message, since)
        found |= dict.fromkeys(tagged, True)
        if not any(found.values()):
            # A tag may have been dropped on the way, and a text changed.
            window = {"creationDatetime.from": to_utc(since)}
            recent = await self._list_ids(number, "outgoing", window)
            found |= await self._candidates(number, "outgoing", recent, message, since)
        return [
            SentMessage(provider_id=each, exact=found[each])
            for each in sorted(found, key=lambda each: (not found[each], int(each)))
        ]

    @override
    async def get_balance(self, number: PhoneNumber) -> Balance:
        return await self._ask(read_balance, path_of(number.account))

    @override
    async def list_opted_out(self, number: PhoneNumber) -> list[str]:
        path = path_of(number.account, "blacklists")
        return [to_e164(each) for each in await self._ask(read_strings, path)]

    @override
    async def request_authorization(self, redirect: str | None) -> Authorization:
        root = self._root
        rules = [
            {"method": method, "path": path}
            for method in _METHODS
            for path in (root, f"{root}/*")
        ]
        body = {"accessRules": rules} | ({"redirection": redirect} if redirect else {})
        return await self._ask(
            read_authorization,
            "/auth/credential",
            method="POST",
            body=body,
            signed=False,
        )

    @override
    async def authorization_state(
        self, number: PhoneNumber | None = None
    ) -> AuthorizationState:
        account = self._credentials.get("service_name") or ANY
        number = number or PhoneNumber(account=account, number=ANY)
        try:
            read = partial(read_authorization_state, number)
            return await self._ask(read, "/auth/currentCredential")
        except MissingRightsError:
            # Refused for its rights, the key itself is good.
            return AuthorizationState(status=AuthorizationStatus.VALIDATED)
        except AuthenticationError as err:
            if err.provider_code not in _NOT_YET:
                raise
            return AuthorizationState(status=AuthorizationStatus.PENDING)

    @property
    def _root(self) -> str:
        service = self._credentials.get("service_name")
        return path_of(service) if service else "/sms"

    async def _services(self) -> list[str]:
        service = self._credentials.get("service_name")
        if service:
            return [service]
        return sorted(await self._ask(read_strings, "/sms"))

    async def _of_each[T](
        self, services: Sequence[str], ask: Callable[[str], Awaitable[T]]
    ) -> tuple[list[T], list[SmsError]]:
        """Ask about each of the accounts, and go on with those that answer."""
        answers: list[T] = []
        errors: list[SmsError] = []
        for service in services:
            try:
                answers.append(await ask(service))
            except (*_ABOUT_ONE, ProviderUnavailableError) as err:
                if isinstance(err, ProviderUnavailableError) and not is_about_one(err):
                    raise
                errors.append(err)
                _LOGGER.warning(
                    "The SMS account that ends in %s is left out: %s",
                    service[-4:],
                    err.code,
                )
        return answers, errors

    async def _candidates(
        self,
        number: PhoneNumber,
        kind: str,
        ids: Sequence[str],
        message: OutboundMessage,
        since: datetime,
    ) -> dict[str, bool]:
        """Find what may be a message, and tell whether it is for certain.

        What cannot be read may be it as well.
        """
        found: dict[str, bool] = {}
        for some in _batches(ids):
            items = await self._read_items(number, kind, read_outgoing, some)
            for each, item in items.items():
                if isinstance(item, SmsError):
                    found[each] = False
                elif item.may_be(message, since):
                    found[each] = item.equals(message)
        return found

    async def _numbers_of(self, service: str) -> list[PhoneNumber]:
        listed = await self._ask(read_strings, path_of(service, "virtualNumbers"))
        for each in listed:
            self._spellings.setdefault(to_e164(each), spellings(each))
        return [PhoneNumber(account=service, number=to_e164(each)) for each in listed]


_batches = partial(batched, n=_BATCH_SIZE, strict=False)
