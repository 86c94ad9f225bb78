"""Speak to a made-up provider: JSON with a bearer token, callbacks signed with it."""

from datetime import datetime
import hmac
from typing import TYPE_CHECKING, Any, ClassVar, override

import aiohttp

from custom_components.virtual_sms.adapters import errors
from custom_components.virtual_sms.adapters.base import ErrorRule, SmsAdapter
from custom_components.virtual_sms.adapters.http_headers import read_pause
from custom_components.virtual_sms.adapters.models import (
    Account,
    Capability,
    CredentialField,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    PhoneNumber,
    RejectReason,
    SentMessage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from custom_components.virtual_sms.adapters.models import (
        CallbackRequest,
        Event,
        OutboundMessage,
    )

NO_NUMBER = ErrorRule(
    error=errors.MessageRejectedError, reason=RejectReason.INVALID_NUMBER
)


class MadeUpAdapter(SmsAdapter):
    """The made-up provider, seen with one token."""

    key = "made_up"
    name = "Made-up"
    capabilities = Capability.SIGNED_CALLBACKS
    credential_fields = (
        CredentialField(key="token", secret=True),
        CredentialField(key="api_url", required=False, advanced=True),
    )
    error_rules: ClassVar = {"no_number": NO_NUMBER}
    origin = "https://made-up.example"
    signature_header = "x-made-up-signature"

    @override
    async def get_account(self) -> Account:
        return await self._ask(lambda answer: Account(id=answer["id"]), "account")

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        def read(answer: Any) -> list[PhoneNumber]:
            account, numbers = answer["id"], answer["numbers"]
            return [PhoneNumber(account=account, number=each) for each in numbers]

        return await self._ask(read, "account")

    @override
    def check(self, message: OutboundMessage) -> None:
        if message.media:
            raise errors.UnsupportedFeatureError("no media")
        if not 0 < len(message.text) <= 1000:
            raise errors.MessageRejectedError("empty or too long")

    @override
    async def _send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        body = {"from": number.number, "to": message.recipient, "text": message.text}
        return await self._ask(
            lambda answer: SentMessage(provider_id=answer["id"]),
            "messages",
            body | {"callback": callback_url},
        )

    @override
    def verify(self, request: CallbackRequest) -> None:
        token = self._credentials["token"].encode()
        expected = hmac.new(token, request.body, "sha256").hexdigest()
        given = request.headers.get(self.signature_header, "")
        if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
            raise errors.CallbackRejectedError("not signed with the token")

    @override
    def parse(self, request: CallbackRequest) -> Event:
        try:
            return _read_event(request.fields)
        except (KeyError, ValueError) as err:
            raise errors.CallbackUnreadableError("a field is missing or odd") from err

    async def _ask[T](
        self, read: Callable[[Any], T], path: str, body: object = None
    ) -> T:
        async def call() -> Any:
            async with self._session.request(
                "POST" if body else "GET",
                f"{self.base_url or self.origin}/made-up/{path}",
                headers={"Authorization": f"Bearer {self._credentials['token']}"},
                json=body,
                allow_redirects=False,
            ) as response:
                self.note_date(response.headers.get("Date"))
                await self._refuse(response)
                return await response.json(content_type=None)

        return await self._call(read, call)

    async def _refuse(self, response: aiohttp.ClientResponse) -> None:
        match response.status:
            case 401:
                raise errors.AuthenticationError
            case 422:
                code = (await response.json())["code"]
                reason = self.error_rules[code].reason or RejectReason.OTHER
                raise errors.MessageRejectedError(reason=reason, provider_code=code)
            case 429:
                pause = read_pause(response.headers)
                raise errors.RateLimitedError(retry_after=pause)
            case status if status >= 500:
                raise errors.ProviderUnavailableError(answered=True)

    @override
    def _translate(self, err: Exception) -> errors.SmsError:
        if isinstance(err, aiohttp.ClientConnectionError):
            unreached = isinstance(err, aiohttp.ClientConnectorError)
            return errors.ProviderUnavailableError(maybe_processed=not unreached)
        return super()._translate(err)


def _read_event(fields: Any) -> Event:
    if "status" in fields:
        return DeliveryReceipt(
            provider_id=fields["id"],
            status=DeliveryStatus(fields["status"]),
            reason=RejectReason.UNREACHABLE if fields["error"] else None,
            error_code=fields["error"] or None,
        )
    return InboundMessage(
        message_id=fields["id"],
        number=fields["to"],
        sender=fields["from"],
        text=fields["text"],
        received_at=datetime.fromisoformat(fields["at"]),
    )
