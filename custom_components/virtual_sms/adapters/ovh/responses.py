"""What an SMS account does with messages: calls a URL, answers by itself, or nothing."""

from collections.abc import Mapping
from typing import Any, Final

from ..models import CallbackUrls
from .values import as_object, as_text

_ANSWER: Final = "text:"
"""Begins what stands for an automatic answer: it is given in place of a call to a URL."""


def read_response(answer: Any) -> dict[str, object]:
    """Read what an account does with messages, without what is not set."""
    response = as_object(answer).get("smsResponse") or {"responseType": "none"}
    as_text(response["responseType"])
    return {name: value for name, value in response.items() if value is not None}


def change_response(
    response: Mapping[str, object], inbound: str | None
) -> dict[str, object]:
    """Return what to change so that messages go to a URL, an answer, or nowhere."""
    if inbound and inbound.startswith(_ANSWER):
        text = inbound.removeprefix(_ANSWER)
        return {"responseType": "text", "cgiUrl": "", "text": text}
    if inbound:
        return {"responseType": "cgi", "cgiUrl": inbound}
    # An answer of the user's own is nothing of ours to clear.
    is_url = response["responseType"] == "cgi"
    return {"responseType": "none", "cgiUrl": ""} if is_url else {}


def read_callbacks(answer: Any) -> CallbackUrls:
    """Read the URLs of an account, or the answer that stands in place of one."""
    response = read_response(answer)
    return CallbackUrls(
        inbound=_read_inbound_url(response) or None,
        status=as_text(answer.get("callBack") or "") or None,
    )


def _read_inbound_url(response: Mapping[str, object]) -> str:
    match response["responseType"]:
        case "cgi":
            return as_text(response.get("cgiUrl") or "")
        case "text":
            return _ANSWER + as_text(response.get("text") or "")
    return ""
