"""Play OVHcloud: an SMS account, its virtual numbers and unsigned callbacks.

Recipients that behave specially, whatever is sent to them:

=================  ============================================================
+33600000001       listed among the invalidReceivers, with HTTP 200
+33600000002       refused with HTTP 403: no credit (whatever is left)
+336000001PP       accepted, then receipt 2 (failed) with ptt PP: +33600000124
                   is absent (24), 123 a barred number, 128 spam, 108 expired
+336000002PP       accepted, then receipt 16 (error, not billed) with ptt PP
+33600000300       stays `sent` (receipt 4, waiting) for ever
+33600000301       stays in the jobs for ever
+33600000302       is buffered (receipt 8) before it is delivered
=================  ============================================================

Who texts STOP is put on the blacklist: the next message to them fails with
receipt 16, ptt 53. Numbers in national form (06…) are invalid receivers.
"""

from dataclasses import dataclass, field
from datetime import datetime
import itertools
import json
import re
import secrets
from typing import TYPE_CHECKING, ClassVar, Final, override
from urllib.parse import parse_qsl, urlsplit

from ..base import Letter, Message, Provider, Reply, Route, Step
from ..callbacks import Answer, Callback, Quirk, Verdict
from ..segments import count
from ..world import World, now
from . import schema as ovh_schema
from .api import OvhApi
from .auth import ROOT, OvhAuth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from ..base import Json

# status: (delivery id, ptt)
STATES: Final = {
    "queued": (0, 0),
    "sent": (4, 3),
    "buffered": (8, 1),
    "delivered": (1, 4),
    "undelivered": (2, 5),
    "failed": (16, 39),
    "canceled": (16, 0),
}
RECEIPTS: Final = {
    0: "Pending",
    1: "Delivered",
    2: "Failed",
    4: "Waiting",
    8: "Buffered",
    16: "Error",
}
PTT_STOP: Final = 53
FAILS: Final = re.compile(r"\+336000001(\d\d)")
ERRS: Final = re.compile(r"\+336000002(\d\d)")
DELIVERED: Final = (Step("sent"), Step("delivered"))
OUTCOMES: Final[dict[str, tuple[Step, ...]]] = {
    "+33600000300": (Step("sent"),),
    "+33600000301": (),
    "+33600000302": (Step("sent"), Step("buffered"), Step("delivered")),
}
STOP_WORDS: Final = frozenset({"STOP", "STOP SMS", "ARRET"})
FIRST_ID: Final = 2_100_000_001


@dataclass(slots=True, kw_only=True)
class Service:
    """Hold one SMS account, its credits and its callback URLs."""

    name: str
    numbers: tuple[str, ...] = ()
    credits: float = 100.0
    description: str = ""
    call_back: str | None = None
    stop_call_back: str | None = None
    response_type: str = "none"
    cgi_url: str | None = None
    response_text: str | None = None
    response_sender: str | None = None
    response_options: list[object] | None = None
    templates: Json = field(default_factory=dict)
    expired: bool = False
    blacklist: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class OvhMessage(Message):
    """Add what only OVHcloud keeps of a message."""

    id: int
    service: str
    receipt: int = 0
    ptt: int = 0
    credits: float = 0.0
    differed: int = 0
    delivered: datetime | None = None

    @property
    def segments(self) -> int:
        """Count the SMS billed."""
        return count(self.text).segments

    @property
    def pending(self) -> bool:
        """Tell whether it is a job still, not an outgoing message."""
        return self.status == "queued"


class Ovh(Provider[int, OvhMessage]):
    """Play OVHcloud.

    `status_style` chooses the field that carries the delivery id: what
    OVHcloud documents ("description") or what others have seen ("dlr").
    """

    message_type = OvhMessage
    key = "ovh"
    name = "OVHcloud"
    finals = frozenset({"delivered", "undelivered", "failed", "canceled"})
    accepting = frozenset(STATES) - {"queued", "canceled"}
    failures: ClassVar = {
        24: "phone absent",
        23: "bad or barred number",
        21: "subscriber out of credit",
        28: "taken for spam",
        8: "expired",
    }

    APPLICATION_KEY: Final = "simapplicationkey"
    APPLICATION_SECRET: Final = "simulatedapplicationsecret000000"
    CONSUMER_KEY: Final = "simconsumerkeyfull00000000000000"
    LIMITED_CONSUMER_KEY: Final = "simconsumerkeylimited00000000000"
    READ_ONLY_CONSUMER_KEY: Final = "simconsumerkeyreadonly0000000000"
    SERVICE: Final = "sms-ab12345-1"
    EMPTY_SERVICE: Final = "sms-ab12345-2"
    NUMBER: Final = "+33900000001"
    SECOND_NUMBER: Final = "+33900000002"
    number = NUMBER

    def __init__(self, world: World) -> None:
        """Build the HTTP side first: its routes outlive a reset."""
        self.auth = OvhAuth(self)
        self.api = OvhApi(self)
        super().__init__(world)

    @override
    def furnish(self) -> None:
        self.application_key = self.APPLICATION_KEY
        self.application_secret = self.APPLICATION_SECRET
        self.consumer_key = self.CONSUMER_KEY
        self.limited_consumer_key = self.LIMITED_CONSUMER_KEY
        self.read_only_consumer_key = self.READ_ONLY_CONSUMER_KEY
        self.auth.reset()
        self.status_style = "description"
        self.status_method = "GET"
        self._ids = itertools.count(FIRST_ID)
        self.services = {
            self.SERVICE: Service(
                name=self.SERVICE, numbers=(self.NUMBER, self.SECOND_NUMBER)
            ),
            self.EMPTY_SERVICE: Service(name=self.EMPTY_SERVICE),
        }

    @property
    def service(self) -> Service:
        """Return the service that has the numbers."""
        return self.services[self.SERVICE]

    @property
    @override
    def credentials(self) -> dict[str, str]:
        return {
            "application_key": self.application_key,
            "application_secret": self.application_secret,
            "consumer_key": self.consumer_key,
        }

    @override
    def owns(self, path: str) -> bool:
        return path.startswith(f"{ROOT}/")

    @override
    def routes(self) -> Iterable[Route]:
        yield from self.auth.routes()
        yield from self.api.routes()

    @override
    async def authorize(self, request: web.Request) -> None:
        await self.auth.check(request)

    @override
    async def recipients(self, request: web.Request) -> set[str]:
        try:
            body = json.loads(await request.text() or "{}")
            return {ovh_schema.international(each) for each in body["receivers"]}
        except KeyError, TypeError, ValueError:
            return set()

    @override
    def failure(self, status: int) -> Reply:
        messages = {404: "Got an invalid (or empty) URL", 429: "Too many requests"}
        message = messages.get(status, "Internal server error")
        return ovh_schema.classed(status, message)

    @override
    def brand(self, response: web.StreamResponse) -> None:
        response.headers["X-Ovh-QueryID"] = f"EU.ext-1.{secrets.token_hex(8)}"

    @override
    def new_id(self, *, media: bool) -> int:
        return next(self._ids)

    @override
    def compose(self, message_id: int, letter: Letter) -> OvhMessage:
        number = letter.sender if letter.outbound else letter.to
        receipt, ptt = STATES["delivered"] if letter.outbound else (0, 0)
        return OvhMessage(
            id=message_id,
            inbound=not letter.outbound,
            service=self.service_of(number),
            number=number,
            sender=letter.sender,
            to=letter.to,
            text=letter.text,
            status="delivered" if letter.outbound else "received",
            created=letter.at,
            updated=letter.at,
            sent=letter.at,
            receipt=receipt,
            ptt=ptt,
        )

    def expire(self, names: Iterable[str]) -> None:
        """Let just these accounts have expired; one that is not there is added."""
        for name in names:
            self.services.setdefault(name, Service(name=name))
        for service in self.services.values():
            service.expired = service.name in names

    def service_of(self, number: str) -> str:
        """Name the service a number belongs to."""
        for service in self.services.values():
            if number in service.numbers:
                return service.name
        return self.SERVICE

    @override
    def heed(self, message: OvhMessage) -> None:
        if message.text.strip().upper() in STOP_WORDS:
            service = self.services[message.service]
            service.blacklist[message.sender] = now()

    @override
    def outcome(self, message: OvhMessage) -> tuple[Step, ...]:
        if message.differed:
            return ()
        if message.to in self.services[message.service].blacklist:
            return (Step("failed", PTT_STOP),)
        for pattern, status in ((FAILS, "undelivered"), (ERRS, "failed")):
            if match := pattern.fullmatch(message.to):
                return Step("sent"), Step(status, int(match[1]))
        return OUTCOMES.get(message.to, DELIVERED)

    @override
    def ending(self, code: int) -> Step:
        return Step("undelivered", code)

    @override
    def move(self, message: OvhMessage, step: Step) -> None:
        receipt, ptt = STATES[step.status]
        message.status, message.receipt = step.status, receipt
        message.ptt = ptt if step.code is None else step.code
        message.error_code = message.ptt if receipt in {2, 16} else None
        message.sent = message.sent or now()
        if step.status == "delivered":
            message.delivered = now()
        if step.status == "failed":
            self.refund(message)

    def refund(self, message: OvhMessage) -> None:
        """Give back the credits of a message that is not billed."""
        self.services[message.service].credits += message.credits
        message.credits = 0.0

    @override
    def status_callback(self, message: OvhMessage) -> Callback | None:
        url = self.services[message.service].call_back
        if not url:
            return None
        fields = {
            "id": str(self._told_id(message)),
            "ptt": str(message.ptt),
            "date": f"{now():%Y-%m-%d %H:%M:%S}",
        }
        if self.status_style == "dlr":
            fields["dlr"] = str(message.receipt)
        else:
            fields["description"] = str(message.receipt)
            fields["descriptionDlr"] = RECEIPTS[message.receipt]
        return Callback(
            provider=self.key,
            kind="status",
            message_id=message.id,
            method=self.status_method,
            url=url,
            fields=tuple(fields.items()),
            in_query=self.status_method == "GET",
        )

    @override
    def inbound_callback(self, message: OvhMessage) -> Callback | None:
        service = self.services[message.service]
        if service.response_type != "cgi" or not service.cgi_url:
            return None
        # The query of cgiUrl is repeated in the form, after the message.
        query = parse_qsl(urlsplit(service.cgi_url).query, keep_blank_values=True)
        fields = {
            "id": str(self._told_id(message)),
            "senderid": message.sender,
            "message": message.text,
            "shortcode": message.number,
            "tag": message.tag,
            "keyword": "",
        }
        return Callback(
            provider=self.key,
            kind="inbound",
            message_id=message.id,
            method="POST",
            url=service.cgi_url,
            fields=(*_without(fields, message.omit), *query),
        )

    def _told_id(self, message: OvhMessage) -> int:
        return message.id + 777_777 if Quirk.FORGED in self.quirks else message.id

    @override
    def judge(self, callback: Callback, answer: Answer) -> tuple[Verdict, int | None]:
        if answer.status is None:
            timed_out = answer.timed_out
            return (Verdict.TIMED_OUT if timed_out else Verdict.UNREACHABLE), None
        accepted = answer.status == 200  # noqa: PLR2004
        return (Verdict.ACCEPTED if accepted else Verdict.REJECTED), None

    @override
    def lines(self) -> list[Json]:
        return [
            {
                "number": number,
                "callback_url": (
                    service.cgi_url if service.response_type == "cgi" else ""
                )
                or "",
                "status_url": service.call_back or "",
                "credits": service.credits,
                "sms": True,
                "mms": False,
            }
            for service in self.services.values()
            for number in service.numbers
        ]


def _without(fields: dict[str, str], names: frozenset[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in fields.items() if name not in names]
