"""Serve the calls below /sms of OVHcloud's API."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
import re
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ..base import ApiError, Draft, Json, Reply, Route
from ..world import now
from . import render, schema
from .schema import bad_argument, error, international, read_body, read_query

if TYPE_CHECKING:
    from .models import OvhMessage, Service
    from .state import OvhState

ROOT: Final = "/1.0/sms"
SERVICE: Final = ROOT + "/{service}"
LINE: Final = SERVICE + "/virtualNumbers/{number}"
E164: Final = re.compile(r"\+[1-9]\d{6,14}")
REFUSED: Final = "+33600000001"
BROKE: Final = "+33600000002"
NO_CREDIT: Final = "You do not have enough credits on your SMS account"
WEB_URL: Final = re.compile(r"https?://\S+")
# JSON name: attribute of the service
ACCOUNT_FIELDS: Final = {
    "callBack": "call_back",
    "stopCallBack": "stop_call_back",
    "description": "description",
    "templates": "templates",
}
RESPONSE_FIELDS: Final = {
    "responseType": "response_type",
    "cgiUrl": "cgi_url",
    "text": "response_text",
    "trackingDefaultSmsSender": "response_sender",
    "trackingOptions": "response_options",
}

type Test = Callable[[OvhMessage], bool]

# Query parameter: (attribute of the message, how it compares)
FILTERS: Final[dict[str, Callable[[OvhMessage, object], bool]]] = {
    "creationDatetime.from": lambda message, value: (
        isinstance(value, datetime) and _second(message.created) >= value
    ),
    "creationDatetime.to": lambda message, value: (
        isinstance(value, datetime) and _second(message.created) <= value
    ),
    "sender": lambda message, value: message.sender == international(str(value)),
    "receiver": lambda message, value: message.to == international(str(value)),
    "tag": lambda message, value: message.tag == value,
    "ptt": lambda message, value: message.ptt == value,
    "deliveryReceipt": lambda message, value: message.receipt == value,
    "differedDelivery": lambda message, value: message.differed == value,
}


class OvhApi:
    """Answer the requests of one customer."""

    def __init__(self, state: OvhState) -> None:
        """Keep the customer to serve."""
        self._state = state

    def routes(self) -> Iterable[Route]:
        """List the API; fixed words come before `{service}`, which matches all."""
        own = ROOT + "/virtualNumbers"
        yield Route("GET", ROOT, self.list_services)
        yield Route("GET", ROOT + "/ptts", self.ptt)
        yield Route("POST", ROOT + "/estimate", self.estimate)
        yield Route("GET", ROOT + "/rates/destinations", self.rates, open=True)
        yield Route("GET", own, self.list_all_numbers)
        yield Route("GET", own + "/{number}", self.get_own_number)
        yield Route("GET", own + "/{number}/serviceInfos", self.number_infos)
        yield Route("GET", SERVICE, self.get_service)
        yield Route("PUT", SERVICE, self.put_service)
        yield Route("GET", SERVICE + "/serviceInfos", self.service_infos)
        yield Route("GET", SERVICE + "/senders", self.list_numbers)
        yield Route("GET", SERVICE + "/senders/{number}", self.get_sender)
        yield Route("GET", SERVICE + "/blacklists", self.list_blacklist)
        yield Route("GET", SERVICE + "/blacklists/{receiver}", self.get_blacklisted)
        yield Route(
            "DELETE", SERVICE + "/blacklists/{receiver}", self.delete_blacklisted
        )
        yield Route("GET", SERVICE + "/virtualNumbers", self.list_numbers)
        yield Route("GET", LINE, self.get_number)
        yield Route("POST", SERVICE + "/jobs", self.send)
        yield Route("POST", LINE + "/jobs", self.send)
        for base in (SERVICE, LINE):
            for box in ("jobs", "outgoing", "incoming"):
                yield Route("GET", f"{base}/{box}", self.list_box)
                yield Route("GET", f"{base}/{box}/{{id}}", self.get_item)
                yield Route("DELETE", f"{base}/{box}/{{id}}", self.delete_item)

    async def list_services(self, _request: web.Request) -> Reply:
        """List the SMS accounts."""
        return Reply(payload=list(self._state.services))

    async def ptt(self, request: web.Request) -> Reply:
        """Describe a ptt."""
        code = read_query(request, {"ptt": schema.LONG}).get("ptt")
        if not isinstance(code, int):
            raise bad_argument("[ptt] This parameter is mandatory")
        if code not in render.PTTS:
            raise error(404, "The requested object (ptt) does not exist")
        return Reply(payload=render.ptt(code))

    async def estimate(self, request: web.Request) -> Reply:
        """Tell how a text would be cut."""
        body = await read_body(request, schema.ESTIMATE)
        return Reply(payload=render.estimate(str(body["message"])))

    async def rates(self, request: web.Request) -> Reply:
        """Tell the price of one SMS to a country."""
        return Reply(payload=render.rates(request.query.get("country", "fr")))

    async def list_all_numbers(self, _request: web.Request) -> Reply:
        """List the numbers of all accounts."""
        services = self._state.services.values()
        return Reply(payload=[each for one in services for each in one.numbers])

    async def get_own_number(self, request: web.Request) -> Reply:
        """Describe a number as a service of its own."""
        number = self._any_number(request)
        payload = {"number": number, "countryCode": "fr", "iam": None}
        return Reply(payload=payload)

    async def number_infos(self, request: web.Request) -> Reply:
        """Describe the subscription of a number."""
        number = self._any_number(request)
        return Reply(payload=render.service_infos(number, expired=False))

    async def get_service(self, request: web.Request) -> Reply:
        """Describe an SMS account."""
        return Reply(payload=render.account(self._service(request)))

    async def put_service(self, request: web.Request) -> Reply:
        """Change the callback URLs; a body may hold only what changes."""
        service = self._service(request)
        body = await read_body(request, schema.ACCOUNT)
        changes = _renamed(body, ACCOUNT_FIELDS)
        if "smsResponse" in body:
            call = f"PUT {request.path}"
            reply = schema.check(schema.RESPONSE, body["smsResponse"], call)
            # The nested object is replaced as a whole.
            changes |= dict.fromkeys(RESPONSE_FIELDS.values())
            changes |= _renamed(reply, RESPONSE_FIELDS)
        for name in ("call_back", "stop_call_back", "cgi_url"):
            _check_url(name, changes.get(name))
        for name, value in changes.items():
            setattr(service, name, value)
        return Reply()

    async def service_infos(self, request: web.Request) -> Reply:
        """Describe the subscription of an account."""
        service = self._any_service(request)
        infos = render.service_infos(service.name, expired=service.expired)
        return Reply(payload=infos)

    async def get_sender(self, request: web.Request) -> Reply:
        """Describe a sender."""
        return Reply(payload=render.sender(self._number(request)))

    async def list_blacklist(self, request: web.Request) -> Reply:
        """List who texted STOP."""
        return Reply(payload=list(self._service(request).blacklist))

    async def get_blacklisted(self, request: web.Request) -> Reply:
        """Describe one blacklisted number."""
        number, since = self._blacklisted(request)
        payload = {
            "batchID": None,
            "dateCreation": schema.iso(since),
            "number": number,
            "smsOutgoingID": None,
        }
        return Reply(payload=payload)

    async def delete_blacklisted(self, request: web.Request) -> Reply:
        """Take a number off the blacklist."""
        number, _ = self._blacklisted(request)
        del self._service(request).blacklist[number]
        return Reply()

    async def list_numbers(self, request: web.Request) -> Reply:
        """List the virtual numbers of an account, its only senders."""
        return Reply(payload=list(self._service(request).numbers))

    async def get_number(self, request: web.Request) -> Reply:
        """Describe a number."""
        payload = {"number": self._number(request), "countryCode": "fr"}
        return Reply(payload=payload)

    async def send(self, request: web.Request) -> Reply:
        """Accept messages and report which receivers were refused."""
        service = self._service(request)
        of_line = "number" in request.match_info
        spec = schema.JOB if of_line else schema.SERVICE_JOB
        body = await read_body(request, spec)
        sender = self._number(request) if of_line else self._sender(service, body)
        receivers = _strings(body.get("receivers"))
        if not receivers or not body["message"]:
            raise bad_argument("[receivers] No receiver, or an empty message")
        valid = [number for each in receivers if (number := _valid(each))]
        messages = self._accept(service, sender, valid, body)
        report = {
            "ids": [message.id for message in messages],
            "validReceivers": valid,
            "invalidReceivers": [each for each in receivers if not _valid(each)],
            "tag": str(body.get("tag", "")),
            "totalCreditsRemoved": sum(message.credits for message in messages),
        }
        if not of_line:
            report["creditsLeft"] = service.credits
        return Reply(payload=report, accepted=tuple(messages))

    def _accept(
        self, service: Service, sender: str, valid: Sequence[str], body: Json
    ) -> list[OvhMessage]:
        made = [self._build(service, sender, number, body) for number in valid]
        cost = sum(message.credits for message in made)
        if cost > service.credits or BROKE in valid:
            raise error(403, NO_CREDIT)
        service.credits -= cost
        for message in made:
            self._state.keep(message)
        return made

    def _build(
        self, service: Service, sender: str, receiver: str, body: Json
    ) -> OvhMessage:
        differed = body.get("differedPeriod", 0)
        draft = Draft(sender, receiver, str(body["message"]), now(), status="queued")
        message = self._state.compose(self._state.new_id(media=False), draft)
        message.service, message.tag = service.name, str(body.get("tag", ""))
        message.differed = differed if isinstance(differed, int) else 0
        message.credits = float(message.segments)
        return message

    def _sender(self, service: Service, body: Json) -> str:
        sender = international(str(body.get("sender", "")))
        if sender not in service.numbers:
            raise error(403, f"The sender {sender!r} is not allowed on this account")
        return sender

    async def list_box(self, request: web.Request) -> Reply:
        """List the ids in jobs, outgoing or incoming; no order is promised."""
        box = request.path.rpartition("/")[2]
        specs = {
            "incoming": schema.INCOMING_FILTERS,
            "outgoing": schema.OUTGOING_FILTERS,
        }
        wanted = read_query(request, specs.get(box, {}))
        found = [
            message.id
            for message in self._box(request, box)
            if all(FILTERS[name](message, value) for name, value in wanted.items())
        ]
        return Reply(payload=found[::-1])

    async def get_item(self, request: web.Request) -> Reply:
        """Describe one item, or many when X-Ovh-Batch names the separator."""
        separator = request.headers.get(schema.BATCH)
        asked = request.match_info["id"]
        if not separator:
            return Reply(payload=self._item(request, asked))
        keys = asked.split(separator)
        return Reply(payload=[self._batched(request, key) for key in keys])

    async def delete_item(self, request: web.Request) -> Reply:
        """Cancel a job, or erase a message."""
        _, message = self._find(request, request.match_info["id"])
        del self._state.log[str(message.id)]
        if message.pending and not message.inbound:
            message.status = "canceled"
            self._state.refund(message)
        return Reply()

    def _batched(self, request: web.Request, key: str) -> Json:
        try:
            return {"key": key, "value": self._item(request, key), "error": None}
        except ApiError as err:
            return {"key": key, "value": None, "error": err.reply.payload}

    def _item(self, request: web.Request, key: str) -> Json:
        box, message = self._find(request, key)
        job = render.job
        if "number" in request.match_info:
            job = render.virtual_job
        renders = {
            "jobs": job,
            "outgoing": render.outgoing,
            "incoming": render.incoming,
        }
        return renders[box](message) | message.record

    def _find(self, request: web.Request, key: str) -> tuple[str, OvhMessage]:
        box = request.path.split("/")[-2]
        if not key.isdigit():
            raise bad_argument(
                f"[id] Given data ({key}) does not belong to the long type"
            )
        for message in self._box(request, box):
            if message.id == int(key):
                return box, message
        raise error(404, f"The requested object (id = {key}) does not exist")

    def _box(self, request: web.Request, box: str) -> Iterable[OvhMessage]:
        service = self._service(request).name
        number = self._number(request) if "number" in request.match_info else None
        for message in self._state.log.values():
            kind = "incoming" if message.inbound else "outgoing"
            kind = "jobs" if message.pending else kind
            here = message.service == service and number in {None, message.number}
            if here and kind == box:
                yield message

    def _service(self, request: web.Request) -> Service:
        """Return an account, which answers nothing once it has expired."""
        service = self._any_service(request)
        if service.expired:
            raise error(460, "The service is expired")
        return service

    def _any_service(self, request: web.Request) -> Service:
        name = request.match_info["service"]
        if name not in self._state.services:
            raise error(
                404, f"The requested object (serviceName = {name}) does not exist"
            )
        return self._state.services[name]

    def _number(self, request: web.Request) -> str:
        return _known(request, self._service(request).numbers)

    def _any_number(self, request: web.Request) -> str:
        services = self._state.services.values()
        return _known(request, [each for one in services for each in one.numbers])

    def _blacklisted(self, request: web.Request) -> tuple[str, datetime]:
        number = international(request.match_info["receiver"])
        blacklist = self._service(request).blacklist
        if number not in blacklist:
            raise error(404, f"The requested object (number = {number}) does not exist")
        return number, blacklist[number]


def _known(request: web.Request, numbers: Sequence[str]) -> str:
    number = international(request.match_info["number"])
    if number not in numbers:
        raise error(404, f"The requested object (number = {number}) does not exist")
    return number


def _valid(receiver: str) -> str | None:
    number = international(receiver)
    return number if E164.fullmatch(number) and number != REFUSED else None


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _renamed(body: Json, names: dict[str, str]) -> Json:
    return {names[name]: value for name, value in body.items() if name in names}


def _check_url(name: str, value: object) -> None:
    if value and not WEB_URL.fullmatch(str(value)):
        raise bad_argument(f"[{name}] Invalid URL")


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
