"""Speak to a made-up provider: JSON with a bearer token, callbacks signed with it."""

from datetime import datetime
import hmac
from typing import TYPE_CHECKING, Any, override

import aiohttp

from custom_components.virtual_sms.adapters import errors
from custom_components.virtual_sms.adapters.base import SmsAdapter
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
    from collections.abc import Callable, Mapping

    from custom_components.virtual_sms.adapters.models import (
        CallbackRequest,
        Event,
        OutboundMessage,
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
    origin = "https://made-up.example"
    signature_header = "x-made-up-signature"

    @override
    async def get_account(self) -> Account:
        return await self._ask(lambda answer: Account(id=answer["id"]), "account")

    @override
    async def list_numbers(self) -> list[PhoneNumber]:
        return await self._ask(_read_numbers, "account")

    @override
    def check(self, message: OutboundMessage) -> None:
        if message.media:
            raise errors.UnsupportedFeatureError
        if message.is_empty or len(message.text) > 1000:
            raise errors.MessageRejectedError

    @override
    async def _send(
        self, number: PhoneNumber, message: OutboundMessage, callback_url: str | None
    ) -> SentMessage:
        body = {"from": number.number, "to": message.recipient, "text": message.text}
        body["callback"] = callback_url or ""
        return await self._ask(
            lambda it: SentMessage(provider_id=it["id"]), "send", body
        )

    @override
    def verify(self, request: CallbackRequest) -> None:
        token = self._credentials["token"].encode()
        expected = hmac.new(token, request.body, "sha256").hexdigest().encode()
        given = request.headers.get(self.signature_header, "").encode(errors="replace")
        if not hmac.compare_digest(given, expected):
            raise errors.CallbackRejectedError

    @override
    def parse(self, request: CallbackRequest) -> Event:
        try:
            return _read_event(request.fields)
        except (KeyError, ValueError) as err:
            raise errors.CallbackUnreadableError from err

    async def _ask[T](
        self, read: Callable[[Any], T], path: str, body: object = None
    ) -> T:
        url = f"{self.base_url or self.origin}/made-up/{path}"
        headers = {"Authorization": f"Bearer {self._credentials['token']}"}

        async def call() -> Any:
            ask = self._session.post if body else self._session.get
            async with ask(
                url, headers=headers, json=body, allow_redirects=False
            ) as response:
                self.note_date(response.headers.get("Date"))
                _refuse(response)
                return await response.json(content_type=None)

        return await self._call(read, call)

    @override
    def _translate(self, err: Exception) -> errors.SmsError:
        if isinstance(err, aiohttp.ClientConnectionError):
            processed = not isinstance(err, aiohttp.ClientConnectorError)
            return errors.ProviderUnavailableError(maybe_processed=processed)
        return super()._translate(err)


def _refuse(response: aiohttp.ClientResponse) -> None:
    match response.status:
        case 401:
            raise errors.AuthenticationError
        case 422:
            reason, code = RejectReason.INVALID_NUMBER, "no_number"
            raise errors.MessageRejectedError(reason=reason, provider_code=code)
        case 429:
            raise errors.RateLimitedError(retry_after=read_pause(response.headers))
        case status if status >= 500:
            raise errors.ProviderUnavailableError(answered=True)


def _read_numbers(answer: Any) -> list[PhoneNumber]:
    account = answer["id"]
    return [PhoneNumber(account=account, number=each) for each in answer["numbers"]]


def _read_event(fields: Mapping[str, str]) -> Event:
    if "status" in fields:
        error = fields["error"] or None
        return DeliveryReceipt(
            provider_id=fields["id"],
            status=DeliveryStatus(fields["status"]),
            reason=RejectReason.UNREACHABLE if error else None,
            error_code=error,
        )
    return InboundMessage(
        message_id=fields["id"],
        number=fields["to"],
        sender=fields["from"],
        text=fields["text"],
        received_at=datetime.fromisoformat(fields["at"]),
    )
