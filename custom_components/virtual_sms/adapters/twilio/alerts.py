"""Twilio's own record of callbacks that failed: the alerts of an account.

Facts are from twilio.com/docs: "Monitor REST API: Alerts" for the record, "Error
and Warning Dictionary" for the codes.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
import re
from typing import Any, Final
from urllib.parse import parse_qs

from ..callback_failures import CallbackFailure, FailureKind
from .lists import read_page, readable
from .records import read_time

_CODES: Final = {
    FailureKind.CERTIFICATE: "11220 11235 11236 11237",
    FailureKind.HTTP_STATUS: "11200 11217",
    FailureKind.NAME_UNKNOWN: "11210",
    FailureKind.TIMED_OUT: "11201 11203",
    FailureKind.UNREACHABLE: "11202 11205",
}
_KINDS: Final[Mapping[str, FailureKind]] = {
    code: kind for kind, codes in _CODES.items() for code in codes.split()
}

# 11xxx is about fetching a URL, 12xxx about what it answered. Alerts of other codes
# may name a URL as well, but of a call that got through.
_ABOUT_A_CALL: Final = re.compile(r"1[12][0-9]{3}", re.ASCII)
_STATUS: Final = re.compile(r"[1-5][0-9]{2}", re.ASCII)


def read_failures(url: str, since: datetime, alerts: Any) -> list[CallbackFailure]:
    """Read what failed of the calls to a URL since then, newest first."""
    listed, _ = read_page(partial(_read, url), alerts)
    found = [each for each in readable(listed) if each is not None]
    recent = [each for each in found if each.at >= since]
    return sorted(recent, key=lambda each: each.at, reverse=True)


def _concerns(url: str, alert: Any) -> bool:
    is_call = _ABOUT_A_CALL.fullmatch(alert.error_code or "") is not None
    return is_call and _bare(alert.request_url or "") == _bare(url)


def _read(url: str, alert: Any) -> CallbackFailure | None:
    if not _concerns(url, alert):
        return None
    kind = _KINDS.get(alert.error_code, FailureKind.OTHER)
    return CallbackFailure(
        at=read_time(alert.date_generated or alert.date_created),
        kind=kind,
        # With other kinds it is what a proxy of Twilio's said.
        status=_status(alert.alert_text) if kind is FailureKind.HTTP_STATUS else None,
    )


def _status(text: str | None) -> int | None:
    """Find the answer's status in an alert's text, which has the form of a query."""
    found = parse_qs(text or "").get("httpResponse", [""])[0]
    return int(found) if _STATUS.fullmatch(found) else None


def _bare(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]
