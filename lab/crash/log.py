"""What the home complained of in its log, of what must not happen."""

from collections.abc import Iterator
import re
from typing import Final

from lab.shaken.disk import TROUBLE

_ESCAPE: Final = re.compile(r"\x1b\[[0-9;]*m")
_START: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* ([A-Z]+) ")
_US: Final = "virtual_sms"
_TRACE: Final = "Traceback (most recent call last)"
_WORDS: Final = (
    "Error fetching virtual_sms data",
    "Authentication failed while fetching virtual_sms data",
    "Error during service call to virtual_sms",
)
"""How Home Assistant tells that a provider, or a number, cannot be reached."""


def complaints(console: str) -> list[str]:
    """List the errors that name us, but for those that tell what was done to us."""
    return [each for each in _records(console) if _is_fault(each)]


def _records(console: str) -> Iterator[str]:
    record = ""
    for line in _ESCAPE.sub("", console).splitlines(keepends=True):
        if _START.match(line):
            yield record
            record = ""
        record += line
    yield record


def _is_fault(record: str) -> bool:
    start = _START.match(record)
    if start is None or start[1] not in {"ERROR", "CRITICAL"} or _US not in record:
        return False
    if TROUBLE in record:
        return False
    return _TRACE in record or not any(each in record for each in _WORDS)
