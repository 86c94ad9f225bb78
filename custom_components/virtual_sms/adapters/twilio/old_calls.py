"""Calls with their TwiML in the request, through SDKs that do not know of that."""

from dataclasses import dataclass
import inspect
from typing import Any, Final

_NAMES: Final = {
    "to": "To",
    "from_": "From",
    "twiml": "Twiml",
    "timeout": "Timeout",
    "time_limit": "TimeLimit",
    "status_callback": "StatusCallback",
    "status_callback_event": "StatusCallbackEvent",
}
"""What is asked for, by the names of the SDK and of the API ("Call resource")."""


def with_twiml(calls: Any) -> Any:
    """Return what creates calls from TwiML: the SDK's own resource where it can."""
    knows = "twiml" in inspect.signature(calls.create).parameters
    return calls if knows else OldCalls(calls)


@dataclass(frozen=True, slots=True)
class Created:
    """What is read of a new call."""

    sid: object
    status: object


@dataclass(frozen=True, slots=True)
class OldCalls:
    """The calls of an SDK whose verb wants a URL, where the TwiML would be."""

    calls: Any

    def create(self, **arguments: object) -> Created:
        """Create a call, as the SDK's own verb does it."""
        data = {_NAMES[name]: value for name, value in arguments.items()}
        payload = self.calls._version.create("POST", self.calls._uri, data=data)  # noqa: SLF001  # its verb has no such parameter
        return Created(payload["sid"], payload["status"])
