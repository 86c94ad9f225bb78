"""What goes wrong at OVHcloud, in our words."""

from collections.abc import Iterator, Mapping
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

_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500

_BAD_KEYS: Final = frozenset(
    {
        # The SDK's for a key or secret that is empty, the others for one that
        # does not fit into a header.
        "ovh.exceptions.InvalidConfiguration",
        "ovh.exceptions.InvalidKey",
        "requests.exceptions.InvalidHeader",
        "builtins.UnicodeEncodeError",
    }
)
_NEVER_LEFT: Final = frozenset(
    {
        # The SDK's own come from its question for the time, which goes first.
        "ovh.exceptions.HTTPError",
        "ovh.exceptions.InvalidResponse",
        "requests.exceptions.ConnectTimeout",
        "requests.exceptions.InvalidSchema",
        "requests.exceptions.InvalidURL",
        "requests.exceptions.MissingSchema",
        "requests.exceptions.ProxyError",
        "ssl.SSLCertVerificationError",
        "urllib3.exceptions.NewConnectionError",
    }
)
_NETWORK: Final = "requests.exceptions.RequestException"


class RefusedError(Exception):
    """An answer of OVHcloud's that is no success."""

    def __init__(self, response: Any) -> None:
        """Keep the answer, under the name the SDK's errors have for it."""
        super().__init__(response.status_code)
        self.response = response


def translate(err: Exception) -> SmsError:
    """Say in our words what went wrong, from the network to a reader."""
    response = getattr(err, "response", None)
    if response is not None:
        return _read_refusal(response)
    names = set(_names(err))
    if names & _BAD_KEYS:
        return AuthenticationError("a key or secret that cannot be right")
    if names & _NEVER_LEFT:
        return ProviderUnavailableError(type(err).__name__, maybe_processed=False)
    if _NETWORK in names:
        return ProviderUnavailableError(type(err).__name__)
    return InvalidResponseError(type(err).__name__)


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


def error_word(response: Any) -> str | None:
    """Find the word of `ERROR_RULES` for a refusal, the most telling part first."""
    body = _json_object(response)
    words = (
        _snake(body.get("errorCode")),
        *_words_of_text(body.get("message")),
        _snake(body.get("class")),
        _BY_STATUS.get(response.status_code),
    )
    return next((word for word in words if word in ERROR_RULES), None)


def _read_refusal(response: Any) -> SmsError:
    status = response.status_code
    pause = read_pause(response.headers)
    if status == _TOO_MANY:
        return RateLimitedError(f"HTTP {status}", retry_after=pause)
    if status >= _SERVER_ERROR:
        return ProviderUnavailableError(
            f"HTTP {status}", answered=True, retry_after=pause
        )
    if status < _CLIENT_ERROR or not _json_object(response):
        return InvalidResponseError(f"HTTP {status}, not in OVHcloud's words")
    return _read_client_error(response)


def _read_client_error(response: Any) -> SmsError:
    if response.status_code == _NOT_FOUND:
        return NotFoundError("OVHcloud knows no such thing")
    word = error_word(response)
    if word is None:
        error: SmsError = MessageRejectedError(
            "refused", provider_code=str(response.status_code)
        )
    else:
        error = rejection(word)
    if isinstance(error, MessageRejectedError) and not _was_message(response):
        return InvalidResponseError(str(error), provider_code=error.provider_code)
    return error


def _was_message(response: Any) -> bool:
    method, path = response.request.method, str(response.request.path_url)
    return (method, path.rpartition("/")[2]) == ("POST", "jobs")


def _json_object(response: Any) -> Mapping[str, Any]:
    try:
        body = json.loads(response.content)
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


def _names(err: BaseException) -> Iterator[str]:
    """Name the classes of an error and of those inside it.

    The SDK, `requests` and `urllib3` wrap one another's errors; their names do
    without importing any of the three.
    """
    yield from (f"{each.__module__}.{each.__name__}" for each in type(err).__mro__)
    for inner in (getattr(err, "reason", None), *err.args):
        if isinstance(inner, BaseException):
            yield from _names(inner)
