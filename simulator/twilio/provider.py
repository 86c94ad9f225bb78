"""Play Twilio: its account, numbers, messages and signed callbacks.

Recipients that behave specially, whatever is sent to them:

=================  ============================================================
+15005550001       refused 21211: not a valid number
+15005550002       refused 21612: this sender cannot reach it
+15005550003       refused 21408: country not enabled
+15005550004       refused 21610: has opted out
+15005550005       refused 21608: not verified (trial account)
+15005550007       refused 21606: sender not allowed
+15005550008       refused 21611: queue full
+15005550009       refused 21614: not a mobile
+15005551NNN       accepted, then ends with error 30NNN: +15005551003 is
                   unreachable (30003), 1004 blocked, 1005 unknown, 1006 a
                   landline, 1007 filtered as spam, 1034 unregistered sender
+15005552000       stays `sent` for ever: no receipt comes
+15005552001       stays `queued` for ever
=================  ============================================================

As a *sender*, +15005550001 answers 21212, +15005550007 21606 and +15005550008
21611. Who texts STOP to a number is refused with 21610 until START.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
import re
import secrets
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from ..base import Json, Letter, Message, Provider, Reply, Route, Step
from ..callbacks import Answer, Callback, Quirk, Verdict
from ..segments import count
from ..world import World, now
from . import errors as twilio_errors
from .alerts import ROOT as ALERTS, Alert, TwilioAlerts
from .api import TwilioApi
from .callbacks import (
    API_VERSION,
    HEADERS,
    inbound_fields,
    judge,
    sign,
    status_fields,
    with_query,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web


STOP_WORDS: Final = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
)
START_WORDS: Final = frozenset({"START", "YES", "UNSTOP"})
REFUSED_RECIPIENTS: Final = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550005": 21608,
    "+15005550007": 21606,
    "+15005550008": 21611,
    "+15005550009": 21614,
}
REFUSED_SENDERS: Final = {
    "+15005550001": 21212,
    "+15005550007": 21606,
    "+15005550008": 21611,
}
ENDS_WITH_30: Final = re.compile(r"\+15005551(\d{3})")
OUTCOMES: Final[dict[str, tuple[Step, ...]]] = {
    "+15005552000": (Step("sent"),),
    "+15005552001": (),
}
DELIVERED: Final = (Step("sent"), Step("delivered"))


@dataclass(slots=True, kw_only=True)
class Number:
    """Hold one phone number of the account and where it posts."""

    sid: str
    number: str
    sms: bool = True
    mms: bool = True
    sms_url: str = ""
    sms_method: str = "POST"
    sms_fallback_url: str = ""
    sms_fallback_method: str = "POST"
    sms_application_sid: str = ""
    friendly_name: str = ""
    record: Json = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class TwilioMessage(Message):
    """Add what only Twilio keeps of a message."""

    id: str
    service_sid: str | None = None
    price: Decimal | None = None
    media_sids: list[str] = field(default_factory=list)

    @property
    def segments(self) -> int:
        """Count its segments; Twilio knows none yet while a service holds it."""
        held = self.status in {"accepted", "scheduled"}
        return 0 if held else count(self.text).segments


class Twilio(Provider[str, TwilioMessage]):
    """Play Twilio.

    The constants are the factory settings; the attributes in lower case hold
    the present ones, so that a test can rotate a token.
    """

    key = "twilio"
    name = "Twilio"
    finals = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})
    accepting = frozenset({"queued", "sending", "sent", *finals})
    retries = 1
    message_type = TwilioMessage
    refused_recipients = REFUSED_RECIPIENTS
    refused_senders = REFUSED_SENDERS
    failures: ClassVar = {
        30003: "phone unreachable",
        30005: "unknown number",
        30006: "landline",
        30007: "filtered as spam",
        30034: "sender not registered",
    }

    ACCOUNT_SID: Final = "AC" + "5a" * 16
    AUTH_TOKEN: Final = "70" * 16
    API_KEY_SID: Final = "SK" + "1b" * 16
    API_KEY_SECRET: Final = "standard-key-secret"
    RESTRICTED_KEY_SID: Final = "SK" + "2c" * 16
    RESTRICTED_KEY_SECRET: Final = "restricted-key-secret"
    MESSAGING_SERVICE_SID: Final = "MG" + "3d" * 16
    NUMBER: Final = "+15005550006"
    SMS_ONLY_NUMBER: Final = "+15005550010"
    VOICE_ONLY_NUMBER: Final = "+15005550011"
    number = NUMBER

    def __init__(self, world: World) -> None:
        """Build the HTTP side first: the state refers to it."""
        self.api = TwilioApi(self)
        self.alerts = TwilioAlerts(self)
        super().__init__(world)

    @override
    def furnish(self) -> None:
        self.auth_token = self.AUTH_TOKEN
        self.api_key_secret = self.API_KEY_SECRET
        self.restricted_key_secret = self.RESTRICTED_KEY_SECRET
        self.status = "active"
        self.balance = Decimal("12.34")
        self.currency = "USD"
        self.opted_out: set[tuple[str, str]] = set()
        self.alerts.added.clear()
        self.numbers = {
            number.number: number
            for number in (
                Number(sid="PN" + "0a" * 16, number=self.NUMBER),
                Number(sid="PN" + "0b" * 16, number=self.SMS_ONLY_NUMBER, mms=False),
                Number(
                    sid="PN" + "0c" * 16,
                    number=self.VOICE_ONLY_NUMBER,
                    sms=False,
                    mms=False,
                ),
            )
        }

    @property
    @override
    def credentials(self) -> dict[str, str]:
        return {"account_sid": self.ACCOUNT_SID, "auth_token": self.auth_token}

    def add_alert(self, code: int, url: str, **details: Any) -> Alert:
        """Note by hand that a callback failed, for instance for its certificate."""
        alert = Alert(code=code, url=url, **details)
        self.alerts.added.append(alert)
        return alert

    @property
    def suspended(self) -> bool:
        """Tell whether the account answers 20005 to everything."""
        return self.status != "active"

    @suspended.setter
    def suspended(self, value: bool) -> None:
        self.status = "suspended" if value else "active"

    @override
    def owns(self, path: str) -> bool:
        return path.startswith((f"/{API_VERSION}/", ALERTS))

    @override
    def routes(self) -> Iterable[Route]:
        yield from self.api.routes()
        yield from self.alerts.routes()

    @override
    async def authorize(self, request: web.Request) -> None:
        self.api.authorize(request)

    @override
    async def recipients(self, request: web.Request) -> set[str]:
        form = await request.post()
        return {str(value) for value in form.getall("To", [])}

    @override
    def failure(self, status: int) -> Reply:
        codes = {404: 20404, 405: 20004, 429: 20429, 503: 20503}
        return twilio_errors.reply(codes.get(status, 20500))

    @override
    def brand(self, response: web.StreamResponse) -> None:
        response.headers["Twilio-Request-Id"] = f"RQ{secrets.token_hex(16)}"

    @override
    def new_id(self, *, media: bool) -> str:
        return ("MM" if media else "SM") + secrets.token_hex(16)

    @override
    def compose(self, message_id: str, letter: Letter) -> TwilioMessage:
        return TwilioMessage(
            id=message_id,
            inbound=not letter.outbound,
            # What comes through a channel is written to whatsapp:+1500….
            number=letter.sender if letter.outbound else letter.to.rpartition(":")[2],
            sender=letter.sender,
            to=letter.to,
            text=letter.text,
            status="delivered" if letter.outbound else "received",
            created=letter.at,
            updated=letter.at,
            sent=letter.at,
            media=letter.media,
            media_sids=["ME" + secrets.token_hex(16) for _ in letter.media],
        )

    @override
    def heed(self, message: TwilioMessage) -> None:
        word, pair = message.text.strip().upper(), (message.number, message.sender)
        if word in STOP_WORDS:
            self.opted_out.add(pair)
        elif word in START_WORDS:
            self.opted_out.discard(pair)

    @override
    def outcome(self, message: TwilioMessage) -> tuple[Step, ...]:
        if message.status == "scheduled":
            return ()
        if match := ENDS_WITH_30.fullmatch(message.to):
            ending = self.ending(30_000 + int(match[1]))
            return (ending,) if ending.status == "failed" else (Step("sent"), ending)
        return OUTCOMES.get(message.to, DELIVERED)

    @override
    def ending(self, code: int) -> Step:
        failed = code in twilio_errors.FAILED_CODES
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
    async def announce(self, message: TwilioMessage) -> None:
        await super().announce(message)
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
            }
            for number in self.numbers.values()
            if number.sms
        ]
