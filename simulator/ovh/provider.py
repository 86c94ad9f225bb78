"""Play OVHcloud: move its messages along, and call back."""

import json
import re
import secrets
from typing import TYPE_CHECKING, ClassVar, Final, override
from urllib.parse import parse_qsl, urlsplit

from ..base import Json, Reply, Route, Step
from ..callbacks import Callback, Quirk
from ..world import World, now
from . import schema
from .api import OvhApi
from .auth import ROOT, OvhAuth
from .models import OvhMessage
from .state import STATES, OvhState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

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
OUTCOMES: Final[dict[str, tuple[Step, ...]]] = {
    "+33600000300": (Step("sent"),),
    "+33600000301": (),
    "+33600000302": (Step("sent"), Step("buffered"), Step("delivered")),
}


class Ovh(OvhState):
    """Play OVHcloud: the customer, their HTTP API and their callbacks."""

    finals = frozenset({"delivered", "undelivered", "failed", "canceled"})
    accepting = frozenset(STATES) - {"queued", "canceled"}
    accepted = frozenset({200})
    failures: ClassVar = {
        24: "phone absent",
        23: "bad or barred number",
        21: "subscriber out of credit",
        28: "taken for spam",
        8: "expired",
    }

    def __init__(self, world: World) -> None:
        """Build the HTTP side first: its routes outlive a reset."""
        self.auth = OvhAuth(self)
        self.api = OvhApi(self)
        super().__init__(world)

    @override
    def set_up(self) -> None:
        super().set_up()
        self.auth.reset()

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
            return {schema.international(each) for each in body["receivers"]}
        except KeyError, TypeError, ValueError:
            return set()

    @override
    def failure(self, status: int) -> Reply:
        messages = {404: "Got an invalid (or empty) URL", 429: "Too many requests"}
        message = messages.get(status, "Internal server error")
        return schema.classed(status, message)

    @override
    def add_request_id(self, response: web.StreamResponse) -> None:
        response.headers["X-Ovh-QueryID"] = f"EU.ext-1.{secrets.token_hex(8)}"

    @override
    def plan(self, message: OvhMessage) -> tuple[Step, ...]:
        if message.differed:
            return ()
        if message.to in self.services[message.service].blacklist:
            return (Step("failed", PTT_STOP),)
        for pattern, status in ((FAILS, "undelivered"), (ERRS, "failed")):
            if match := pattern.fullmatch(message.to):
                return Step("sent"), Step(status, int(match[1]))
        return OUTCOMES.get(message.to, super().plan(message))

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

    @override
    def status_callback(self, message: OvhMessage) -> Callback | None:
        url = self.services[message.service].call_back
        if not url:
            return None
        fields = {
            "id": str(self._shown_id(message)),
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
            "id": str(self._shown_id(message)),
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

    def _shown_id(self, message: OvhMessage) -> int:
        return message.id + 777_777 if Quirk.FORGED in self.quirks else message.id

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
