"""Say why a request cannot be done, or not now."""

from collections.abc import Iterator
from contextlib import contextmanager
import sqlite3

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from ..adapters.errors import MessageRejectedError, ProviderUnavailableError
from ..adapters.models import RejectReason
from ..const import DOMAIN
from ..core.limits import LimitReachedError
from ..core.phone_numbers import InvalidNumberError
from ..error_messages import Failure
from ..store.database import DatabaseClosedError
from .limits import LIMITED


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a store raises into what a person understands."""
    try:
        yield
    except DatabaseClosedError as err:
        raise trouble("entry_not_loaded") from err
    except sqlite3.Error as err:
        raise trouble("storage_failed") from err


def trouble(key: str) -> HomeAssistantError:
    """Return the exception for what keeps a number from working now."""
    return HomeAssistantError(translation_domain=DOMAIN, translation_key=key)


def refuse_request(key: str) -> ServiceValidationError:
    """Return the exception for a request that cannot be."""
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)


def name_reason(err: Failure) -> str:
    """Return the reason that a response gives."""
    return LIMITED if isinstance(err, LimitReachedError) else find_reason(err).value


def find_reason(err: Failure) -> RejectReason:
    """Give the reason that the status event of the same message gives."""
    match err:
        case InvalidNumberError():
            return RejectReason.INVALID_NUMBER
        case MessageRejectedError(reason=reason):
            return reason
        case ProviderUnavailableError():
            return RejectReason.EXPIRED
    return RejectReason.OTHER
