"""Judge whether a request from outside reached this home.

A challenge is sent to our own callback URL in three places at once: the query, a
header and the body. Which of them arrive shows what happens on the way to a
provider's callback, whose signature covers all of it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
import hmac
from ipaddress import ip_address
import secrets
from urllib.parse import urlsplit

from ..adapters.callback_failures import CallbackFailure, FailureKind
from ..adapters.models import CallbackRequest

HEADER = "x-virtual-sms-check"
FIELD = "check"


class Verdict(StrEnum):
    """What became of a challenge, or of a provider's calls.

    All but OK name what is to be fixed.
    """

    OK = "ok"
    CALLS_LOST = "calls_lost"
    CALLS_REFUSED = "calls_refused"
    CERTIFICATE = "certificate"
    CONTENT_LOST = "content_lost"
    GATEWAY = "gateway"
    LOGIN_REQUIRED = "login_required"
    NAME_UNKNOWN = "name_unknown"
    NO_URL = "no_url"
    NOT_REGISTERED = "not_registered"
    OTHER_SERVER = "other_server"
    OVERRULED = "overruled"
    PLAIN_HTTP = "plain_http"
    PRIVATE_ADDRESS = "private_address"
    PROXY_NOT_TRUSTED = "proxy_not_trusted"
    QUERY_LOST = "query_lost"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"


_BY_STATUS = {
    **dict.fromkeys((301, 302, 303, 307, 308), Verdict.REDIRECTED),
    # Home Assistant's own answer to a proxy that it does not know.
    400: Verdict.PROXY_NOT_TRUSTED,
    **dict.fromkeys((401, 403, 407, 511), Verdict.LOGIN_REQUIRED),
    **dict.fromkeys((500, 502, 503, 504, *range(520, 531)), Verdict.GATEWAY),
}


UNDECIDED = frozenset({Verdict.NAME_UNKNOWN, Verdict.REFUSED, Verdict.TIMED_OUT})
"""What may be the fault of a router that does not let a home call itself."""

_BY_KIND = {
    FailureKind.CERTIFICATE: Verdict.CERTIFICATE,
    FailureKind.NAME_UNKNOWN: Verdict.NAME_UNKNOWN,
    FailureKind.TIMED_OUT: Verdict.CALLS_LOST,
    FailureKind.UNREACHABLE: Verdict.CALLS_LOST,
}
# Home Assistant itself answers 403 to what fails the check of its origin.
_BY_CALL_STATUS = {
    **_BY_STATUS,
    **dict.fromkeys((None, 403), Verdict.CALLS_REFUSED),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Challenge:
    """A secret that is good for one check of one webhook.

    The answer holds its digest, so that no server can give it that did not get
    the secret, and what of the request arrived.
    """

    webhook_id: str = field(repr=False)
    nonce: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def digest(self) -> str:
        """Return what only who has seen the nonce can know."""
        return hashlib.sha256(self.nonce.encode()).hexdigest()

    def answer(self, request: CallbackRequest) -> str | None:
        """Return the answer to the challenge, None if the request is another one."""
        try:
            form = dict(request.form)
        except ValueError:
            form = {}
        arrived = {
            "query": dict(request.query).get(FIELD),
            "header": request.headers.get(HEADER),
            "body": form.get(FIELD),
        }
        parts = [name for name, value in arrived.items() if self._is(value)]
        return " ".join((self.digest, *parts)) if parts else None

    def judge(self, status: int, text: str) -> Verdict:
        """Say what an answer to the challenge means."""
        digest, *parts = text.split() or [""]
        if hmac.compare_digest(digest.encode(), self.digest.encode()):
            return _judge_parts(parts)
        return _BY_STATUS.get(status, Verdict.OTHER_SERVER)

    def _is(self, value: str | None) -> bool:
        given = (value or "").encode(errors="replace")
        return hmac.compare_digest(given, self.nonce.encode())


def judge_url(url: str, provider_url: str | None) -> Verdict:
    """Say what is wrong with a URL before it is tried.

    A provider that is played on this very network reaches what no other can.
    """
    host = urlsplit(url).hostname or ""
    if _is_private(host):
        played = _is_private(urlsplit(provider_url or "").hostname or "")
        return Verdict.OK if played else Verdict.PRIVATE_ADDRESS
    return Verdict.OK if url.startswith("https://") else Verdict.PLAIN_HTTP


def judge_failure(failure: CallbackFailure) -> Verdict:
    """Say what it means that a call of the provider's failed."""
    if failure.kind is FailureKind.HTTP_STATUS:
        return _BY_CALL_STATUS.get(failure.status, Verdict.OTHER_SERVER)
    return _BY_KIND.get(failure.kind, Verdict.CALLS_REFUSED)


def _judge_parts(parts: list[str]) -> Verdict:
    if "query" not in parts:
        return Verdict.QUERY_LOST
    return Verdict.OK if {"header", "body"} <= set(parts) else Verdict.CONTENT_LOST


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".local", ".localhost", ".internal")):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False
