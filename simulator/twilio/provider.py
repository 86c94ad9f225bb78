"""Play Twilio: move its messages along, and call back."""

from decimal import Decimal
import re
import secrets
from typing import TYPE_CHECKING, ClassVar, Final, override

from ..base import Json, Reply, Route, Step
from ..callbacks import Answer, Callback, Quirk, Verdict
from ..world import World, now
from . import errors
from .alerts import ROOT as ALERTS, TwilioAlerts
from .api import TwilioApi
from .call_api import TwilioCallApi
from .callbacks import (
    API_VERSION,
    HEADERS,
    inbound_fields,
    judge,
    sign,
    status_fields,
    with_query,
)
from .files import fetch_files
from .models import Call, TwilioMessage
from .phones import Phones
from .state import TwilioState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from aiohttp import web

ENDS_WITH_30: Final = re.compile(r"\+15005551(\d{3})")
OUTCOMES: Final[dict[str, tuple[Step, ...]]] = {
    "+15005552000": (Step("sent"),),
    "+15005552001": (),
}


class Twilio(TwilioState):
    """Play Twilio: the account, its HTTP API and its callbacks."""

    finals = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})
    accepting = frozenset({"queued", "sending", "sent", *finals})
    retries = 1
    failures: ClassVar = {
        30003: "phone unreachable",
        30005: "unknown number",
        30006: "landline",
        30007: "filtered as spam",
        30034: "sender not registered",
    }

    def __init__(self, world: World) -> None:
        """Build the HTTP side first: the state refers to it."""
        self.api = TwilioApi(self)
        self.alerts = TwilioAlerts(self)
        self.phones = Phones(self)
        self.call_api = TwilioCallApi(self, self.phones)
        super().__init__(world)

    @override
    def owns(self, path: str) -> bool:
        return path.startswith((f"/{API_VERSION}/", ALERTS))

    @override
    def routes(self) -> Iterable[Route]:
        yield from self.api.routes()
        yield from self.call_api.routes()
        yield from self.alerts.routes()

    @override
    async def authorize(self, request: web.Request) -> None:
        self.api.authorize(request)

    @override
    async def recipients(self, request: web.Request) -> set[str]:
        form = await request.post()
        return {str(value) for value in form.getall("To", [])}

    @override
    def start(self, message: TwilioMessage | Call, answered: asyncio.Event) -> None:
        if not isinstance(message, Call):
            super().start(message, answered)
        elif self.world.automatic:
            self.world.background(self.phones.run(message, answered))

    @override
    async def _run(self, message: TwilioMessage, answered: asyncio.Event) -> None:
        await answered.wait()
        await fetch_files(self.world, message)
        await super()._run(message, answered)

    @override
    def describe_calls(self) -> list[Json]:
        return self.phones.describe()

    @override
    def failure(self, status: int) -> Reply:
        codes = {404: 20404, 405: 20004, 429: 20429, 503: 20503}
        return errors.reply(codes.get(status, 20500))

    @override
    def add_request_id(self, response: web.StreamResponse) -> None:
        response.headers["Twilio-Request-Id"] = f"RQ{secrets.token_hex(16)}"

    @override
    def plan(self, message: TwilioMessage) -> tuple[Step, ...]:
        if message.status == "scheduled":
            return ()
        if match := ENDS_WITH_30.fullmatch(message.to):
            ending = self.ending(30_000 + int(match[1]))
            return (ending,) if ending.status == "failed" else (Step("sent"), ending)
        return OUTCOMES.get(message.to, super().plan(message))

    @override
    def ending(self, code: int) -> Step:
        failed = code in errors.FAILED_CODES
        return Step("failed" if failed else "undelivered", code)

    @override
    def move(self, message: TwilioMessage, step: Step) -> None:
        message.status, message.error_code = step.status, step.code
        if step.status in {"failed", "undelivered"} and step.code is None:
            message.error_code = 30008
        if message.sent is None and step.status not in {"queued", "sending"}:
            message.sent = now()
        if message.price is None and step.status == "sent":
            message.price = Decimal("-0.00790") * message.segments
            self.balance += message.price

    @override
    def status_callback(self, message: TwilioMessage) -> Callback | None:
        if not message.callback_url:
            return None
        fields = status_fields(self.ACCOUNT_SID, message)
        return self._call("status", message, "POST", message.callback_url, fields)

    @override
    def inbound_callback(self, message: TwilioMessage) -> Callback | None:
        number = self.numbers.get(message.number)
        # An application's URL, which we do not play, would win over the number's.
        if number is None or not number.sms_url or number.sms_application_sid:
            return None
        method, url = number.sms_method, number.sms_url
        return self._call("inbound", message, method, url, self._fields_of(message))

    @override
    async def post_inbound(self, message: TwilioMessage) -> None:
        await super().post_inbound(message)
        number = self.numbers.get(message.number)
        records = self.world.callbacks
        if number is None or not number.sms_fallback_url or not records:
            return
        failed = records[-1]
        if failed.message_id != message.id or failed.ok:
            return
        fields = self._fields_of(message) | {
            "ErrorCode": str(failed.error_code),
            "ErrorUrl": failed.url,
        }
        method, url = number.sms_fallback_method, number.sms_fallback_url
        call = self._call("inbound", message, method, url, fields)
        await self.world.poster.post(call, self.judge, retries=self.retries)

    def _fields_of(self, message: TwilioMessage) -> dict[str, str]:
        urls = [self.api.media_url(message.id, sid) for sid in message.media_sids]
        fields = inbound_fields(self.ACCOUNT_SID, message, urls)
        return {name: each for name, each in fields.items() if name not in message.omit}

    def _call(
        self,
        kind: str,
        message: TwilioMessage,
        method: str,
        url: str,
        fields: dict[str, str],
    ) -> Callback:
        token = "not the token" if Quirk.FORGED in self.quirks else self.auth_token
        pairs, in_query = tuple(fields.items()), method == "GET"
        signed = (with_query(url, pairs), ()) if in_query else (url, pairs)
        return Callback(
            provider=self.key,
            kind=kind,
            message_id=message.id,
            method=method,
            url=url,
            fields=pairs,
            in_query=in_query,
            headers=HEADERS
            | {
                "X-Twilio-Signature": sign(token, *signed),
                "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            },
        )

    @override
    def judge(self, callback: Callback, answer: Answer) -> tuple[Verdict, int | None]:
        return judge(callback, answer)

    @override
    def lines(self) -> list[Json]:
        return [
            {
                "number": number.number,
                "callback_url": number.sms_url,
                "sms": number.sms,
                "mms": number.mms,
                "voice_url": number.voice_url,
            }
            for number in self.numbers.values()
            if number.sms
        ]
