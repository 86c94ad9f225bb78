"""Serve Twilio's Monitor API: the alerts about callbacks that failed.

Written from `twilio_monitor_v1` of Twilio's OpenAPI description. Each callback of
ours that failed is an alert; others can be added by hand.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from ..base import Json, Reply, Route
from ..callbacks import Verdict
from .errors import MORE_INFO, error
from .models import Alert
from .query import read_moment, read_page

if TYPE_CHECKING:
    from aiohttp import web

    from ..callbacks import CallbackRecord
    from .state import TwilioState

ORIGIN: Final = "https://monitor.twilio.com"
ROOT: Final = "/v1/Alerts"
LEVELS: Final = frozenset({"error", "warning", "notice", "debug"})


class TwilioAlerts:
    """Answer for the record of failed callbacks."""

    def __init__(self, state: TwilioState) -> None:
        """Keep the account to serve."""
        self._state = state

    def routes(self) -> Iterable[Route]:
        """List the API."""
        yield Route("GET", ROOT, self.list)
        yield Route("GET", ROOT + "/{alert}", self.get)

    @property
    def all(self) -> list[Alert]:
        """List every alert, newest first."""
        posted = self._state.world.callbacks
        alerts = [
            _read(index, record)
            for index, record in enumerate(posted)
            if record.provider == self._state.key and record.error_code is not None
        ]
        return sorted(
            [*alerts, *self._state.added_alerts],
            key=lambda alert: alert.at,
            reverse=True,
        )

    async def list(self, request: web.Request) -> Reply:
        """List alerts of a level and a time."""
        tests = [_test(*pair) for pair in request.query.items()]
        found = [alert for alert in self.all if all(test(alert) for test in tests)]
        page, size = read_page(request)
        shown = found[page * size :][:size]
        more = len(found) > (page + 1) * size

        def link(number: int) -> str:
            query = dict(request.query) | {"PageSize": size, "Page": number}
            return f"{ORIGIN}{ROOT}?{urlencode(query)}"

        meta = {
            "first_page_url": link(0),
            "key": "alerts",
            "next_page_url": link(page + 1) if more else None,
            "page": page,
            "page_size": size,
            "previous_page_url": link(page - 1) if page else None,
            "url": link(page),
        }
        alerts = [self._render(alert) for alert in shown]
        return Reply(payload={"alerts": alerts, "meta": meta})

    async def get(self, request: web.Request) -> Reply:
        """Show one alert; only here Twilio tells request and response."""
        for alert in self.all:
            if alert.sid == request.match_info["alert"]:
                details = dict.fromkeys(
                    (
                        "request_headers",
                        "request_variables",
                        "response_body",
                        "response_headers",
                    )
                )
                return Reply(payload=self._render(alert) | details)
        raise error(20404, request.path)

    def _render(self, alert: Alert) -> Json:
        return {
            "account_sid": self._state.ACCOUNT_SID,
            "alert_text": alert.text,
            "api_version": "2010-04-01",
            "date_created": _iso(alert.at + timedelta(seconds=1)),
            "date_generated": _iso(alert.at),
            "date_updated": _iso(alert.at + timedelta(seconds=1)),
            "error_code": str(alert.code),
            "log_level": alert.level,
            "more_info": MORE_INFO.format(code=alert.code),
            "request_method": alert.method,
            "request_url": alert.url,
            "resource_sid": alert.resource_sid,
            "service_sid": None,
            "sid": alert.sid,
            "url": f"{ORIGIN}{ROOT}/{alert.sid}",
        }


def _read(index: int, record: CallbackRecord) -> Alert:
    sid = hashlib.md5(f"{index} {record.at}".encode(), usedforsecurity=False)
    return Alert(
        code=record.error_code or 0,
        url=record.url.partition("#")[0],
        at=record.at,
        level="warning" if record.verdict is Verdict.WARNING else "error",
        method=record.method,
        status=record.status,
        resource_sid=str(record.message_id),
        sid=f"NO{sid.hexdigest()}",
    )


def _test(name: str, value: str) -> Callable[[Alert], bool]:
    match name:
        case "LogLevel":
            if value not in LEVELS:
                raise error(20001, f"{name}={value}")
            return lambda alert: alert.level == value
        case "StartDate":
            start = read_moment(name, value)
            return lambda alert: alert.at.replace(microsecond=0) >= start
        case "EndDate":
            end = read_moment(name, value)
            return lambda alert: alert.at.replace(microsecond=0) <= end
        case _:
            return lambda _: True


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
