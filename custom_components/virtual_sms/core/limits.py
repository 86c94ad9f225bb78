"""Say why a message is not sent that our own rules refuse, before it costs anything."""

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import ClassVar, Final

from ..adapters.errors import MessageRejectedError, SmsError
from ..adapters.models import RejectReason
from ..store.refusals import Refusal
from ..store.usage import Limit, LimitReached, Month

_REMEMBERED: Final = 4
"""Months that are not worked out again for each message."""


class LimitReachedError(SmsError):
    """A limit of the line is reached; `until` is when it leaves room again.

    None where it never does: the message is larger than all of the limit.
    """

    code: ClassVar[str] = "limit_reached"

    def __init__(self, limit: Limit, until: datetime | None) -> None:
        """Keep which limit it is, and until when."""
        super().__init__(limit.value)
        self.limit = limit
        self.until = until


def as_error(refusal: Refusal) -> SmsError:
    """Return the error that a refusal is to whoever sends."""
    if isinstance(refusal, LimitReached):
        return LimitReachedError(refusal.limit, refusal.until)
    return MessageRejectedError(reason=RejectReason.OPTED_OUT)


def month_of(local: datetime) -> Month:
    """Return the calendar month of a time where the home is."""
    return _month(local.year, local.month, local.tzinfo)


@lru_cache(_REMEMBERED)
def _month(year: int, month: int, zone: tzinfo | None) -> Month:
    ends_at = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    return Month(f"{year:04}-{month:02}", ends_at)
