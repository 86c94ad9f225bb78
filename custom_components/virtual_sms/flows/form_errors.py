"""What a form says of a failure."""

from dataclasses import dataclass, field
import logging
from typing import TYPE_CHECKING

from homeassistant.data_entry_flow import AbortFlow

from ..adapters.errors import MissingRightsError, SmsError
from ..callbacks.public_url import NoPublicUrlError
from ..const import CONF_NUMBER
from ..core.phone_numbers import InvalidNumberError
from ..error_messages import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.core import HomeAssistant

    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

FORM_ERRORS = {
    "account_suspended": "account_suspended",
    "callbacks_overruled": "callbacks_overruled",
    "cannot_connect": "cannot_connect",
    "invalid_auth": "invalid_auth",
    "invalid_response": "cannot_connect",
    "missing_rights": "missing_rights",
    "not_found": "not_found",
    "rate_limited": "rate_limited",
}
"""What the codes of our errors are called in a form."""


@dataclass(frozen=True)
class FormError:
    """What a form says of a failure, and where; without a key, nothing.

    `placeholders` are what the text needs beside the form's own.
    """

    key: str | None = None
    at: str = "base"
    placeholders: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> dict[str, str]:
        """Return it as a form takes it."""
        return {self.at: self.key} if self.key else {}


NO_ERROR = FormError()


def read_error(hass: HomeAssistant, provider: str, err: Exception) -> FormError:
    """Return what a form says of a failure; an abort is none, and ends the flow."""
    match err:
        case AbortFlow():
            raise err
        case InvalidNumberError():
            return FormError("invalid_number", CONF_NUMBER)
        case NoPublicUrlError():
            return FormError("no_public_url")
        case MissingRightsError(missing=missing):
            rights = ", ".join(missing) or "?"
            return FormError("missing_rights", placeholders={"rights": rights})
        case SmsError(code=code) if code in FORM_ERRORS:
            detail = explain(hass, provider, err)
            return FormError(FORM_ERRORS[code], placeholders={"detail": detail})
    _LOGGER.error("The set-up failed in an unexpected way", exc_info=err)
    return FormError("unknown")


def require_entry(hass: HomeAssistant, entry_id: str) -> VirtualSmsConfigEntry:
    """Return a number; ends the flow if it was removed in another window."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None:
        raise AbortFlow("removed")
    return entry
