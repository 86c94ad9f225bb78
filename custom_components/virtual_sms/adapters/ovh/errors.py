"""What goes wrong at OVHcloud, in our words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import json
import re
from typing import Any, Final

from ..base import ErrorRule
from ..errors import (
    AccountSuspendedError,
    AuthenticationError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SmsError,
)
from ..http_headers import read_pause
from ..models import Advice, RejectReason

_REFUSALS: Final[Mapping[type[SmsError], str]] = {
    AccountSuspendedError: "service_expired",
    AuthenticationError: "invalid_credential invalid_key invalid_signature not_credential",
    MissingRightsError: "forbidden not_granted_call",
    ProviderUnavailableError: "query_time_out",
}

_REJECTIONS: Final = {
    RejectReason.INVALID_NUMBER: "invalid_receiver",
    RejectReason.NO_CREDIT: "no_credit",
    RejectReason.OTHER: "conflict empty_text text_too_long",
}

_ADVICE: Final[Mapping[str, Advice]] = {
    "no_credit": Advice.TOP_UP,
    "service_expired": Advice.RENEW_SERVICE,
}

ERROR_RULES: Final[Mapping[str, ErrorRule]] = {
    word: ErrorRule(error=error, advice=_ADVICE.get(word))
    for error, words in _REFUSALS.items()
    for word in words.split()
} | {
    word: ErrorRule(error=MessageRejectedError, reason=reason, advice=_ADVICE.get(word))
    for reason, words in _REJECTIONS.items()
    for word in words.split()
}
"""OVHcloud's words in lower case, or ours where it has none."""

CLOCK_ERRORS: Final = frozenset({"invalid_signature", "query_time_out"})

# OVHcloud publishes no words for these; the newer form of an error, {"class":
# "Client::Forbidden"}, is too coarse to do without its message.
_TEXTS: Final = {
    "out of time": "query_time_out",
    "timestamp": "query_time_out",
    "signature": "invalid_signature",
    "application key": "invalid_key",
    "credential does not exist": "not_credential",
    "credential is not valid": "invalid_credential",
    "not been granted": "not_granted_call",
    "service is expired": "service_expired",
    "credit": "no_credit",
    "receiver": "invalid_receiver",
    "too long": "text_too_long",
}

_BY_STATUS: Final = {
    401: "invalid_credential",
    402: "no_credit",
    403: "forbidden",
    409: "conflict",
    460: "service_expired",
}

_PLAIN: Final = frozenset({401, 403})
"""Refusals that say enough without a word of OVHcloud's."""

_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500

# The SDK's, for a key or secret that is empty; known by name without importing it.
_BAD_KEYS: Final = frozenset(
    {"ovh.exceptions.InvalidConfiguration", "ovh.exceptions.InvalidKey"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, and what it answers."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class RefusedError(Exception):
    """An answer of OVHcloud's that is no success."""

    def __init__(self, reply: Reply) -> None:
        """Keep the answer."""
        super().__init__(reply.status)
        self.reply = reply


def translate(err: Exception) -> SmsError:
    """Say in our words what went wrong, from the SDK to a reader."""
    match err:
        case SmsError():
            return err
        case RefusedError(reply=reply):
            return _read_refusal(reply)
    if f"{type(err).__module__}.{type(err).__name__}" in _BAD_KEYS:
        return AuthenticationError("a key or secret that cannot be right")
    return InvalidResponseError(type(err).__name__)


def not_sent_for_want_of_time(err: Exception) -> SmsError:
    """Say what went wrong with the question for the time, and that no other was sent."""
    error = translate(err)
    if isinstance(error, InvalidResponseError | NotFoundError):
        return ProviderUnavailableError(
            "no time in the answer", maybe_processed=False, answered=True
        )
    if isinstance(error, ProviderUnavailableError):
        error.maybe_processed = False
    return error


def rejection(word: str) -> SmsError:
    """Return the error that one of the words of `ERROR_RULES` stands for."""
    rule = ERROR_RULES[word]
    if issubclass(rule.error, MessageRejectedError):
        reason = rule.reason or RejectReason.OTHER
        return rule.error(word, provider_code=word, reason=reason)
    if issubclass(rule.error, ProviderUnavailableError):
        return rule.error(
            word, provider_code=word, maybe_processed=False, answered=True
        )
    return rule.error(word, provider_code=word)


def error_word(reply: Reply) -> str | None:
    """Find the word of `ERROR_RULES` for a refusal, the most telling part first."""
    body = _json_object(reply)
    words = (
        _snake(body.get("errorCode")),
        *_words_of_text(body.get("message")),
        _snake(body.get("class")),
        _BY_STATUS.get(reply.status),
    )
    return next((word for word in words if word in ERROR_RULES), None)


def _read_refusal(reply: Reply) -> SmsError:
    status = reply.status
    pause = read_pause(reply.headers)
    if status == _TOO_MANY:
        return RateLimitedError(f"HTTP {status}", retry_after=pause)
    if status >= _SERVER_ERROR:
        return ProviderUnavailableError(
            f"HTTP {status}", answered=True, retry_after=pause
        )
    if status < _CLIENT_ERROR or not (_json_object(reply) or status in _PLAIN):
        return InvalidResponseError(f"HTTP {status}, not in OVHcloud's words")
    return _read_client_error(reply)


def _read_client_error(reply: Reply) -> SmsError:
    if reply.status == _NOT_FOUND:
        return NotFoundError("OVHcloud knows no such thing")
    word = error_word(reply)
    if word is None:
        error: SmsError = MessageRejectedError(
            "refused", provider_code=str(reply.status)
        )
    else:
        error = rejection(word)
    if isinstance(error, MessageRejectedError) and not _was_message(reply):
        return InvalidResponseError(str(error), provider_code=error.provider_code)
    return error


def _was_message(reply: Reply) -> bool:
    return (reply.method, reply.path.rpartition("/")[2]) == ("POST", "jobs")


def _json_object(reply: Reply) -> Mapping[str, Any]:
    try:
        body = json.loads(reply.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _snake(word: Any) -> str | None:
    """Turn INVALID_KEY and Client::InvalidKey into invalid_key."""
    if not isinstance(word, str):
        return None
    name = word.rpartition("::")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _words_of_text(message: Any) -> Iterator[str]:
    text = str(message).lower()
    return (word for part, word in _TEXTS.items() if part in text)
