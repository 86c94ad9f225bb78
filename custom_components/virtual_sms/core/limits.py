"""Say why a message is not sent that our own rules refuse, before it costs anything."""

from datetime import datetime
from typing import ClassVar

from ..adapters.errors import MessageRejectedError, SmsError
from ..adapters.models import RejectReason
from ..store.refusals import Refusal
from ..store.usage import Limit, LimitReached, Month


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
    begins = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = begins.year + begins.month // 12, begins.month % 12 + 1
    return Month(f"{begins:%Y-%m}", begins.replace(year=year, month=month, fold=0))
