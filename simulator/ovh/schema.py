"""Check parameters against OVHcloud's types, and word its errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
import json
from typing import TYPE_CHECKING, Final

from ..base import ApiError, Json, Reply

if TYPE_CHECKING:
    from aiohttp import web

# OVHcloud answers in French time; a fixed offset spares a time zone database.
FRANCE: Final = timezone(timedelta(hours=2))
BATCH: Final = "X-Ovh-Batch"

AUTH_MESSAGES: Final = {
    "INVALID_KEY": (403, "Invalid application key"),
    "INVALID_CREDENTIAL": (403, "This credential is not valid"),
    "NOT_CREDENTIAL": (403, "You must login first"),
    "NOT_GRANTED_CALL": (403, "This call has not been granted"),
    "INVALID_SIGNATURE": (400, "Invalid signature"),
    "QUERY_TIME_OUT": (400, "Query out of time"),
}
CLASSES: Final = {
    400: "Client::BadRequest",
    402: "Client::PaymentRequired",
    403: "Client::Forbidden",
    404: "Client::NotFound",
    405: "Client::MethodNotAllowed",
    409: "Client::Conflict",
    429: "Client::TooManyRequests",
    500: "Server::InternalServerError",
    503: "Server::ServiceUnavailable",
}


def auth_error(code: str) -> ApiError:
    """Build an error of the older form, which names an errorCode."""
    status, message = AUTH_MESSAGES[code]
    return ApiError(_coded(status, code, message))


def bad_argument(message: str) -> ApiError:
    """Build the refusal of a parameter."""
    return ApiError(_coded(400, "INVALID_ARGUMENT", message))


def error(status: int, message: str) -> ApiError:
    """Build an error of the newer form, which names a class."""
    return ApiError(classed(status, message))


def classed(status: int, message: str) -> Reply:
    """Render an error of the newer form."""
    name = CLASSES.get(status, f"Client::{status}")
    return Reply(payload={"class": name, "message": message}, status=status)


def _coded(status: int, code: str, message: str) -> Reply:
    http = f"{status} {HTTPStatus(status).phrase}"
    payload = {"errorCode": code, "httpCode": http, "message": message}
    return Reply(payload=payload, status=status)


def _is_long(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


CHECKS: Final[Mapping[str, Callable[[object], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "long": _is_long,
    "double": _is_number,
    "string[]": _is_strings,
    "any": lambda _value: True,
}


@dataclass(frozen=True, slots=True)
class Param:
    """Describe one parameter of a call."""

    kind: str = "string"
    required: bool = False
    nullable: bool = False
    choices: tuple[str, ...] = ()

    def check(self, name: str, value: object) -> None:
        """Raise unless a value fits."""
        if value is None and self.nullable:
            return
        fits = CHECKS[self.kind](value) and (not self.choices or value in self.choices)
        if not fits:
            wanted = "/".join(self.choices) or self.kind
            shown = json.dumps(value)[:80]
            reason = (
                f"[{name}] Given data ({shown}) does not belong to the {wanted} type"
            )
            raise bad_argument(reason)


type Spec = Mapping[str, Param]

LONG: Final = Param("long")
DATE: Final = Param("datetime")
TEXT: Final = Param()

JOB: Final[Spec] = {
    "message": Param(required=True),
    "receivers": Param("string[]"),
    "charset": Param(choices=("UTF-8",)),
    "class": Param(choices=("flash", "phoneDisplay", "sim", "toolkit")),
    "coding": Param(choices=("7bit", "8bit")),
    "priority": Param(choices=("high", "low", "medium", "veryLow")),
    "differedPeriod": LONG,
    "validityPeriod": LONG,
    "tag": TEXT,
    "receiversSlotId": TEXT,
    "receiversDocumentUrl": TEXT,
}
SERVICE_JOB: Final[Spec] = {
    **JOB,
    "sender": TEXT,
    "senderForResponse": Param("boolean"),
    "noStopClause": Param("boolean"),
}
ESTIMATE: Final[Spec] = {
    "message": Param(required=True),
    "noStopClause": Param("boolean", required=True),
    "senderType": Param(
        required=True,
        choices=("alpha", "numeric", "shortcode", "time2chat", "virtual"),
    ),
}
INCOMING_FILTERS: Final[Spec] = {
    "creationDatetime.from": DATE,
    "creationDatetime.to": DATE,
    "sender": TEXT,
    "tag": TEXT,
}
OUTGOING_FILTERS: Final[Spec] = {
    **INCOMING_FILTERS,
    "deliveryReceipt": LONG,
    "differedDelivery": LONG,
    "ptt": LONG,
    "receiver": TEXT,
}
# A control panel that echoes the whole object must not be refused.
ACCOUNT: Final[Spec] = {
    "callBack": Param(nullable=True),
    "stopCallBack": Param(nullable=True),
    "smsResponse": Param("object"),
    "description": TEXT,
    "templates": Param("object"),
    "automaticRecreditAmount": Param("any", nullable=True),
    "creditThresholdForAutomaticRecredit": Param("double"),
    **dict.fromkeys(
        (
            "channel",
            "creditsHoldByQuota",
            "creditsLeft",
            "name",
            "smpp",
            "status",
            "userQuantityWithQuota",
            "iam",
        ),
        Param("any", nullable=True),
    ),
}
RESPONSE: Final[Spec] = {
    "responseType": Param(required=True, choices=("cgi", "none", "text")),
    "cgiUrl": Param(nullable=True),
    "text": Param(nullable=True),
    "trackingDefaultSmsSender": Param(nullable=True),
    "trackingOptions": Param("list", nullable=True),
}
CREDENTIAL: Final[Spec] = {
    "accessRules": Param("list", required=True),
    "redirection": Param(nullable=True),
    "allowedIPs": Param("string[]", nullable=True),
}


def check(spec: Spec, given: object, call: str) -> Json:
    """Return a body whose members are all known and well typed."""
    if not isinstance(given, dict):
        raise bad_argument("Request body is not a JSON object")
    if unknown := sorted(set(given) - set(spec)):
        names = ", ".join(unknown)
        reason = f"Received not described parameters: ({names}) while calling {call}"
        raise bad_argument(reason)
    for name, param in spec.items():
        if name in given:
            param.check(name, given[name])
        elif param.required:
            raise bad_argument(f"[{name}] This parameter is mandatory")
    return given


async def read_body(request: web.Request, spec: Spec) -> Json:
    """Read and check a JSON body."""
    try:
        given = json.loads(await request.text() or "{}")
    except ValueError as err:
        raise bad_argument("Invalid JSON received") from err
    return check(spec, given, f"{request.method} {request.path}")


def read_query(request: web.Request, spec: Spec) -> Json:
    """Read the query, turning dates and numbers into themselves."""
    found: Json = {}
    for name, value in request.query.items():
        if name not in spec:
            reason = f"Received not described parameters: ({name})"
            raise bad_argument(reason)
        found[name] = _parse(name, spec[name].kind, value)
    return found


def _parse(name: str, kind: str, value: str) -> object:
    try:
        match kind:
            case "long":
                return int(value)
            case "datetime":
                moment = datetime.fromisoformat(value)
                return moment if moment.tzinfo else moment.replace(tzinfo=FRANCE)
            case _:
                return value
    except ValueError as err:
        reason = f"[{name}] Given data ({value}) does not belong to the {kind} type"
        raise bad_argument(reason) from err


def iso(moment: datetime) -> str:
    """Render a time as OVHcloud does."""
    return moment.astimezone(FRANCE).isoformat(timespec="seconds")


def international(number: str) -> str:
    """Return +33… for 0033…; other spellings stay as they are."""
    return f"+{number[2:]}" if number.startswith("00") else number
