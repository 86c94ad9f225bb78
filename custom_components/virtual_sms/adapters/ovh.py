"""OVHcloud and its virtual numbers, over its SDK.

`{s}` is an SMS account ("service"), `{n}` a number of it. OVHcloud signs no
callback and names no sender of it: one rings the bell, and its API tells what
there is to know.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import batched
from typing import Any, ClassVar, Final, override
from urllib.parse import quote, unquote

from .base import KnownIds, SmsAdapter
from .errors import (
    AccountSuspendedError,
    AuthenticationError,
    CallbackUnreadableError,
    InvalidResponseError,
    MissingRightsError,
    NotFoundError,
    SmsError,
    UnsupportedFeatureError,
)
from .models import (
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
)
from .ovh_client import BATCH, Access, Exchange, Request, load
from .ovh_errors import ERROR_RULES, rejection, translate
from .ovh_records import (
    ANY,
    is_id,
    read_authorization,
    read_authorization_state,
    read_balance,
    read_batch,
    read_callback,
    read_callbacks,
    read_ids,
    read_inbound,
    read_label,
    read_nothing,
    read_outgoing,
    read_pending,
    read_receipt,
    read_response,
    read_sent,
    read_strings,
    spellings,
    tag_of,
    to_e164,
    to_utc,
)

MOST_SEGMENTS: Final = 6
LONGEST_TEXT: Final = 918
"""In the smaller alphabet; 402 characters in the larger ("OVHcloud SMS FAQ")."""

_BATCH_SIZE: Final = 50
_TWO_DAYS: Final = 2880
_METHODS: Final = ("GET", "POST", "PUT", "DELETE")


class OvhAdapter(SmsAdapter):
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
    concurrency = 4
    links: ClassVar = {
        "create_token_url": (
            "https://eu.api.ovh.com/createToken/"
            "?GET=/sms&GET=/sms/*&POST=/sms/*&PUT=/sms/*&DELETE=/sms/*"
        )
    }
    origin = "https://eu.api.ovh.com"
    poll_interval = 60

    @override
    def __init__(self, credentials: Mapping[str, str], **tools: Any) -> None:
        super().__init__(credentials, **tools)
        self._exchange = Exchange(self.concurrency, self._access, self._run_blocking)
        self._spellings: dict[str, tuple[str, ...]] = {}

    @override
    async def prepare(self) -> None:
        await self._run_blocking(load)

    @override
    async def get_account(self) -> Account:
        services = await self._services()
        if not services:
            return Account(id=self._credentials["application_key"])
        name = await self._ask(read_label, _path(services[0]))
        return Account(id=services[0], name=name)

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        numbers: list[PhoneNumber] = []
        expired: AccountSuspendedError | None = None
        for service in await self._services():
            try:
                numbers += await self._numbers_of(service)
            except AccountSuspendedError as err:
                expired = err
        if expired is not None and not numbers:
            raise expired
        return numbers

    @override
    def check(self, message: OutboundMessage) -> None:
        if message.media:
            raise UnsupportedFeatureError("no media")
        if not message.text.strip():
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
            return read_callback(request)
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
        return await self._ask(read_callbacks, _path(number.account))

    @override
    async def set_callbacks(self, number: PhoneNumber, urls: CallbackUrls) -> None:
        response = await self._ask(read_response, _path(number.account))
        changes: dict[str, object] = {"callBack": urls.status or ""}
        if urls.inbound:
            response |= {"responseType": "cgi", "cgiUrl": urls.inbound}
            changes["smsResponse"] = response
        elif response["responseType"] == "cgi":
            # Another type is an answer of the user's own: nothing of ours to clear.
            response |= {"responseType": "none", "cgiUrl": ""}
            changes["smsResponse"] = response
        # What is not named keeps its value (ovh/manager does the same).
        path = _path(number.account)
        await self._ask(read_nothing, path, method="PUT", body=changes)

    @override
    async def fetch_inbound(
        self, number: PhoneNumber, since: datetime, known: KnownIds
    ) -> AsyncIterator[list[InboundMessage]]:
        start = since.replace(microsecond=0)
        ids = await self._list_ids(
            number, "incoming", {"creationDatetime.from": to_utc(start)}
        )
        seen = await known(ids)
        read = partial(read_inbound, number)
        for some in _batches(each for each in ids if each not in seen):
            messages = await self._list_items(number, "incoming", read, some)
            messages.sort(key=lambda message: message.received_at)
            yield [message for message in messages if message.received_at >= start]

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
        found = {*tagged, *await self._equals(number, "jobs", pending, message, since)}
        if not found:
            # A tag may have been dropped on the way; the text was not.
            window = {"creationDatetime.from": to_utc(since)}
            recent = await self._list_ids(number, "outgoing", window)
            found = await self._equals(number, "outgoing", recent, message, since)
        return [SentMessage(provider_id=each) for each in sorted(found, key=int)]

    @override
    async def get_balance(self, number: PhoneNumber) -> Balance:
        return await self._ask(read_balance, _path(number.account))

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
            if err.provider_code != "invalid_credential":
                raise
            return AuthorizationState(status=AuthorizationStatus.PENDING)

    @property
    def _root(self) -> str:
        service = self._credentials.get("service_name")
        return _path(service) if service else "/sms"

    def _access(self) -> Access:
        secrets = ("application_key", "application_secret", "consumer_key")
        given = {name: self._credentials.get(name) or "" for name in secrets}
        return Access(origin=self.base_url, **given)

    async def _services(self) -> list[str]:
        service = self._credentials.get("service_name")
        if service:
            return [service]
        return sorted(await self._ask(read_strings, "/sms"))

    async def _numbers_of(self, service: str) -> list[PhoneNumber]:
        listed = await self._ask(read_strings, _path(service, "virtualNumbers"))
        for each in listed:
            self._spellings.setdefault(to_e164(each), spellings(each))
        return [PhoneNumber(account=service, number=to_e164(each)) for each in listed]

    async def _list_ids(
        self, number: PhoneNumber, kind: str, query: Mapping[str, str] | None = None
    ) -> list[str]:
        return await self._ask_number(number, read_ids, kind, query=query or {})

    async def _list_items[T](
        self,
        number: PhoneNumber,
        kind: str,
        read: Callable[[Any], T],
        ids: Sequence[str],
    ) -> list[T]:
        """Fetch what the ids stand for, at once or else one by one."""
        found: dict[str, T] = {}
        if len(ids) > 1:
            with suppress(InvalidResponseError, NotFoundError):
                found = await self._ask_number(
                    number,
                    partial(read_batch, read),
                    kind,
                    ",".join(ids),
                    headers=BATCH,
                )
        for each in ids:
            if each not in found:
                with suppress(NotFoundError):
                    found[each] = await self._ask_number(number, read, kind, each)
        return [found[each] for each in ids if each in found]

    async def _equals(
        self,
        number: PhoneNumber,
        kind: str,
        ids: Sequence[str],
        message: OutboundMessage,
        since: datetime,
    ) -> set[str]:
        equals: set[str] = set()
        for some in _batches(ids):
            items = await self._list_items(number, kind, read_outgoing, some)
            equals |= {each.id for each in items if each.equals(message, since)}
        return equals

    async def _ask_number[T](
        self,
        number: PhoneNumber,
        read: Callable[[Any], T],
        *parts: str,
        **options: Any,
    ) -> T:
        """Ask about a number, in the form of it that OVHcloud finds.

        Until one has been found, each "not found" may be the form's fault.
        """
        forms = self._spellings.get(number.number, spellings(number.number))
        for form in forms:
            path = _path(number.account, "virtualNumbers", form, *parts)
            with suppress(NotFoundError):
                answer = await self._ask(read, path, **options)
                self._spellings[number.number] = (form,)
                return answer
        raise NotFoundError("OVHcloud knows no such number or message")

    async def _ask[T](self, read: Callable[[Any], T], path: str, **options: Any) -> T:
        request = Request(path=path, **options)
        try:
            return await self._call(read, partial(self._exchange.ask, request))
        except MissingRightsError as err:
            err.missing = (f"{request.method} {unquote(path)}",)
            raise

    @override
    def _translate(self, err: Exception) -> SmsError:
        return translate(err)


_batches = partial(batched, n=_BATCH_SIZE, strict=False)


def _path(*parts: str) -> str:
    """Build a path below /sms; a comma separates the ids of a batch."""
    return "/".join(("/sms", *(quote(part, safe=",") for part in parts)))
