"""Check OVHcloud's signatures and access rules, and play the click flow.

An application (key, secret) signs; a consumer key says for whom, with rules
such as `GET /sms/*`. A new consumer key is pending until a human opens its
validation page and authorises it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
import hashlib
import hmac
import html
import re
import secrets
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ..base import Json, Reply, Route
from ..world import now
from .schema import CREDENTIAL, auth_error, bad_argument, iso, read_body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .state import OvhState

METHODS: Final = ("GET", "POST", "PUT", "DELETE")
DRIFT_ALLOWED: Final = 60
ROOT: Final = "/1.0"
LIFETIME: Final = timedelta(days=365)
# Any consumer key may ask who it is.
ALWAYS_GRANTED: Final = frozenset(
    {"/auth/currentCredential", "/auth/details", "/auth/logout"}
)
PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>OVHcloud (simulated)</title>
<body style="font:16px/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem">
<h1>OVHcloud, simulated</h1>{content}</body></html>"""
QUESTION: Final = """<p>An application asks for these rights:</p><ul>{rules}</ul>
<form method="post"><input type="hidden" name="credentialToken" value="{token}">
<button name="decision" value="authorize">Authorise</button>
<button name="decision" value="refuse">Refuse</button></form>"""

type Rules = tuple[tuple[str, str], ...]


def sign(  # noqa: PLR0913, PLR0917
    secret: str, consumer: str, method: str, url: str, body: str, timestamp: str
) -> str:
    """Sign a request as OVHcloud wants it."""
    text = f"{secret}+{consumer}+{method}+{url}+{body}+{timestamp}"
    return "$1$" + hashlib.sha1(text.encode()).hexdigest()  # noqa: S324


@dataclass(slots=True, kw_only=True)
class Consumer:
    """Hold one consumer key and what it may do."""

    key: str
    rules: Rules
    status: str = "validated"
    token: str = ""
    redirection: str | None = None
    allowed_ips: list[str] | None = None
    created: datetime = field(default_factory=now)
    expires: datetime | None = None
    last_use: datetime | None = None

    def grants(self, method: str, path: str) -> bool:
        """Tell whether a rule allows a call; `*` stands for anything."""
        return any(
            verb == method and re.fullmatch(re.escape(rule).replace(r"\*", ".*"), path)
            for verb, rule in self.rules
        )


class OvhAuth:
    """Keep the application, its consumer keys and the click flow."""

    def __init__(self, state: OvhState) -> None:
        """Keep the customer, who has the application's key and secret."""
        self._state = state
        self.drift = 0
        self.open_calls: set[str] = set()
        self.consumers: dict[str, Consumer] = {}

    def reset(self) -> None:
        """Return to the three factory consumer keys."""
        state, own = self._state, f"/sms/{self._state.SERVICE}"
        self.drift, self.open_calls = 0, set(ALWAYS_GRANTED)
        self.consumers.clear()
        self.add(state.consumer_key, _rules(METHODS, ("/*",)))
        self.add(state.limited_consumer_key, _rules(METHODS, (own, f"{own}/*")))
        self.add(state.read_only_consumer_key, _rules(("GET",), ("/sms", "/sms/*")))

    def add(self, key: str, rules: Rules) -> Consumer:
        """Add a validated consumer key."""
        self.consumers[key] = Consumer(key=key, rules=rules)
        return self.consumers[key]

    def authorize_click(self, consumer_key: str) -> None:
        """Authorise a pending consumer key, as its user would on the page."""
        self._decide(self.consumers[consumer_key], "authorize")

    def refuse_click(self, consumer_key: str) -> None:
        """Refuse a pending consumer key, as its user would on the page."""
        self._decide(self.consumers[consumer_key], "refuse")

    def expire(self, consumer_key: str) -> None:
        """End the validity of a consumer key."""
        self.consumers[consumer_key].status = "expired"

    async def check(self, request: web.Request) -> None:
        """Check application, signature, credential and rules, in this order."""
        consumer = await self._authenticate(request)
        path = request.path.removeprefix(ROOT)
        if path not in self.open_calls and not consumer.grants(request.method, path):
            raise auth_error("NOT_GRANTED_CALL")
        consumer.last_use = now()

    async def _authenticate(self, request: web.Request) -> Consumer:
        headers = request.headers
        self._check_application(request)
        key = headers.get("X-Ovh-Consumer", "")
        timestamp = headers.get("X-Ovh-Timestamp", "")
        if not key or not timestamp or "X-Ovh-Signature" not in headers:
            raise auth_error("NOT_CREDENTIAL")
        consumer = self.consumers.get(key)
        if consumer is None or consumer.status != "validated":
            raise auth_error("INVALID_CREDENTIAL")
        if consumer.expires is not None and consumer.expires < now():
            raise auth_error("INVALID_CREDENTIAL")
        if not timestamp.isdigit() or abs(int(timestamp) - self.time()) > DRIFT_ALLOWED:
            raise auth_error("QUERY_TIME_OUT")
        expected = sign(
            self._state.application_secret,
            key,
            request.method,
            f"{request.scheme}://{request.host}{request.raw_path}",
            (await request.read()).decode(errors="replace"),
            timestamp,
        )
        given = headers["X-Ovh-Signature"]
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise auth_error("INVALID_SIGNATURE")
        return consumer

    def _check_application(self, request: web.Request) -> None:
        key = request.headers.get("X-Ovh-Application")
        if key is None:
            raise auth_error("NOT_CREDENTIAL")
        if key != self._state.application_key:
            raise auth_error("INVALID_KEY")

    def time(self) -> int:
        """Return the API's clock, `drift` seconds ahead of ours."""
        return int(now().timestamp()) + self.drift

    def routes(self) -> Iterable[Route]:
        """List the calls below /auth."""
        page = f"{ROOT}/auth/validate"
        yield Route("GET", f"{ROOT}/auth/time", self._time, open=True)
        yield Route("POST", f"{ROOT}/auth/credential", self._request, open=True)
        yield Route("GET", page, self._ask, open=True)
        yield Route("POST", page, self._answer, open=True)
        yield Route("GET", f"{ROOT}/auth/currentCredential", self._current)
        yield Route("GET", f"{ROOT}/auth/details", self._details)
        yield Route("POST", f"{ROOT}/auth/logout", self._logout)

    async def _time(self, _request: web.Request) -> Reply:
        return Reply(payload=self.time())

    async def _request(self, request: web.Request) -> Reply:
        self._check_application(request)
        body = await read_body(request, CREDENTIAL)
        consumer = Consumer(
            key=secrets.token_hex(16),
            rules=_read_rules(body["accessRules"]),
            status="pendingValidation",
            token=secrets.token_hex(32),
            redirection=_optional(body.get("redirection")),
        )
        self.consumers[consumer.key] = consumer
        origin = f"{request.scheme}://{request.host}"
        page = f"{origin}{ROOT}/auth/validate?credentialToken={consumer.token}"
        payload = {
            "consumerKey": consumer.key,
            "state": consumer.status,
            "validationUrl": page,
        }
        return Reply(payload=payload)

    async def _ask(self, request: web.Request) -> Reply:
        consumer = self._pending(request.query.get("credentialToken", ""))
        if consumer is None:
            return _page("<p>This link is not valid (any more).</p>", 404)
        rules = "".join(
            f"<li><code>{html.escape(verb)} {html.escape(path)}</code></li>"
            for verb, path in consumer.rules
        )
        return _page(QUESTION.format(rules=rules, token=consumer.token))

    async def _answer(self, request: web.Request) -> Reply:
        form = await request.post()
        consumer = self._pending(str(form.get("credentialToken", "")))
        if consumer is None:
            return _page("<p>This link is not valid (any more).</p>", 404)
        self._decide(consumer, str(form.get("decision")))
        if consumer.redirection:
            headers = {"Location": consumer.redirection}
            return Reply(status=302, headers=headers)
        return _page(f"<p>Done: {consumer.status}. You may close this page.</p>")

    async def _current(self, request: web.Request) -> Reply:
        consumer = self._of(request)
        expires, used = consumer.expires, consumer.last_use
        payload = {
            "credentialId": 1000 + list(self.consumers).index(consumer.key),
            "applicationId": 4242,
            "status": consumer.status,
            "creation": iso(consumer.created),
            "expiration": None if expires is None else iso(expires),
            "lastUse": None if used is None else iso(used),
            "ovhSupport": False,
            "rules": _describe_rules(consumer.rules),
            "allowedIPs": consumer.allowed_ips,
        }
        return Reply(payload=payload)

    async def _details(self, request: web.Request) -> Reply:
        payload = {
            "account": "ab12345-ovh",
            "allowedRoutes": _describe_rules(self._of(request).rules),
            "description": None,
            "identities": ["urn:v1:eu:identity:account:ab12345-ovh"],
            "method": "account",
            "roles": None,
            "user": None,
        }
        return Reply(payload=payload)

    async def _logout(self, request: web.Request) -> Reply:
        del self.consumers[self._of(request).key]
        return Reply()

    def _of(self, request: web.Request) -> Consumer:
        return self.consumers[request.headers["X-Ovh-Consumer"]]

    def _pending(self, token: str) -> Consumer | None:
        for consumer in self.consumers.values():
            if token and consumer.token == token:
                return consumer if consumer.status == "pendingValidation" else None
        return None

    def _decide(self, consumer: Consumer, decision: str) -> None:
        if decision == "authorize":
            consumer.status, consumer.expires = "validated", now() + LIFETIME
        else:
            consumer.status = "refused"


def _rules(methods: Iterable[str], paths: Iterable[str]) -> Rules:
    paths = tuple(paths)
    return tuple((method, path) for method in methods for path in paths)


def _describe_rules(rules: Rules) -> list[Json]:
    return [{"method": method, "path": path} for method, path in rules]


def _read_rules(value: object) -> Rules:
    rules = value if isinstance(value, list) else []
    try:
        read = tuple((str(rule["method"]), str(rule["path"])) for rule in rules)
    except (KeyError, TypeError) as err:
        raise bad_argument("[accessRules] Invalid access rule") from err
    if not read or any(method not in {*METHODS, "PATCH"} for method, _ in read):
        raise bad_argument("[accessRules] Invalid access rule")
    return read


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _page(content: str, status: int = 200) -> Reply:
    return Reply(
        payload=PAGE.format(content=content).encode(),
        status=status,
        content_type="text/html",
    )
