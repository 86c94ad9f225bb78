"""Values as OVHcloud writes them: ids, numbers, times and lists."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
import logging
import re
from typing import Any, Final

_LOGGER = logging.getLogger(__name__)
_ID: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_SHORTEST_NUMBER: Final = 8


def is_id(value: str) -> bool:
    """Tell what may be an id of OVHcloud's from what it would call a bad request."""
    return _ID.fullmatch(value) is not None


def to_e164(number: str) -> str:
    """Write a number as E.164; short codes and names stay as they are."""
    digits = number.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit()):
        return number
    if digits == number and (number[0] == "0" or len(number) < _SHORTEST_NUMBER):
        return number
    return f"+{digits}"


def to_utc(moment: datetime) -> str:
    """Write a time as a filter takes it: OVHcloud keeps whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def spellings(number: str) -> tuple[str, ...]:
    """List the forms a number may have in a path, the given one first.

    RaspiSMS writes 00 and ovh/manager what the list returned, which is a +.
    """
    e164 = to_e164(number)
    return tuple(dict.fromkeys((number, e164, f"00{e164.removeprefix('+')}")))


def readable[T](read: Callable[[Any], T], answer: Any) -> list[T]:
    """Read a list as far as it makes sense, which some of it must."""
    found: list[T] = []
    for each in as_list(answer):
        with suppress(TypeError):
            found.append(read(each))
    if answer and not found:
        raise ValueError("nothing readable in a list")
    if len(found) < len(answer):
        left_out = len(answer) - len(found)
        _LOGGER.warning("OVHcloud lists %d items that make no sense", left_out)
    return found


def optional[T](read: Callable[[Any], T], value: Any) -> T | None:
    """Read what may be null."""
    return None if value is None or value == "" else read(value)


def if_any[T](read: Callable[[Any], T], value: Any) -> T | None:
    """Read what no more depends on than what is shown; nonsense is none."""
    try:
        return optional(read, value)
    except ArithmeticError, TypeError, ValueError:
        return None


def as_list(value: Any) -> list[Any]:
    """Take a list."""
    if not isinstance(value, list):
        raise TypeError("no list")
    return value


def as_object(value: Any) -> dict[str, Any]:
    """Take a record that says something."""
    if not isinstance(value, dict) or not value:
        raise TypeError("no record")
    return value


def as_text(value: Any) -> str:
    """Take a text."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def as_integer(value: Any) -> int:
    """Take a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("no whole number")
    return value


def as_moment(value: Any) -> datetime:
    """Take a time."""
    return datetime.fromisoformat(as_text(value)).astimezone(UTC)
