"""Keep what is known of a number's callbacks, and show what is wrong with them."""

from collections.abc import Mapping
from datetime import UTC, datetime
import logging
from typing import TYPE_CHECKING, Final

from homeassistant.core import HomeAssistant, callback

from ..const import MODE_AUTOMATIC, MODE_MANUAL, MODE_POLLING
from ..core.callback_urls import (
    CallbacksOverruledError,
    Finding,
    ForeignCallbackError,
    Standing,
)
from ..issues import (
    Problem,
    async_clear_issue,
    async_has_issue,
    async_raise_issue,
    async_set_issue,
)

if TYPE_CHECKING:
    from ..adapters.errors import SmsError
    from ..runtime import VirtualSmsConfigEntry

_LOGGER = logging.getLogger(__name__)

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_AT_PROVIDER: Final = (
    Problem.CALLBACK_FOREIGN,
    Problem.CALLBACK_MISSING,
    Problem.CALLBACK_OVERRULED,
)
_OF_ADDRESS: Final = (Problem.NO_PUBLIC_URL, Problem.ADDRESS_CHANGED)
_MEANINGLESS: Final[Mapping[str, tuple[Problem, ...]]] = {
    MODE_AUTOMATIC: (Problem.ADDRESS_CHANGED,),
    MODE_MANUAL: (*_AT_PROVIDER, Problem.CALLBACK_PERHAPS_OVERRULED),
    MODE_POLLING: (
        *_AT_PROVIDER,
        *_OF_ADDRESS,
        Problem.CALLBACK_PERHAPS_OVERRULED,
        Problem.CALLBACK_CHECK,
    ),
}
"""What may have been wrong in another mode, and means nothing in this one."""


class CallbackHealth:
    """What is known of the callbacks of one number."""

    def __init__(self, hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
        """Begin with nothing known."""
        self._hass = hass
        self._entry = entry
        self._is_proven = False
        self.accepted_at = _LONG_AGO
        """When a callback last got here and passed the check."""
        self.failure_shown_at = _LONG_AGO
        """When the newest failed call was made that a person has been shown."""

    @callback
    def async_note_accepted(self, at: datetime) -> None:
        """Note that a callback got here and passed the check, at the provider's time."""
        self.accepted_at = at

    @callback
    def async_note_message(self) -> None:
        """Note that a message came by callback: nothing overrules us or is in the way."""
        self._is_proven = True
        self.async_clear(Problem.CALLBACK_PERHAPS_OVERRULED, Problem.CALLBACK_CHECK)

    @callback
    def async_has_problem(self) -> bool:
        """Say whether it is known why callbacks do not come."""
        return any(
            async_has_issue(self._hass, self._entry, problem)
            for problem in (*_AT_PROVIDER, *_OF_ADDRESS)
        )

    @callback
    def async_enter_mode(self, mode: str) -> None:
        """Take back what means nothing in a mode."""
        self.async_clear(*_MEANINGLESS[mode])

    @callback
    def async_note_address(self) -> None:
        """Note that this home has an address, and that the provider calls it."""
        self.async_clear(*_OF_ADDRESS)

    @callback
    def async_show_finding(self, finding: Finding) -> None:
        """Show what was found at the provider, and take back what was not found again."""
        overruled = bool(finding.overruled_by)
        standing = Standing.OURS if overruled else finding.standing
        maybe_overruled = not self._is_proven and bool(finding.perhaps_overruled_by)
        found = {
            Problem.CALLBACK_FOREIGN: standing is Standing.FOREIGN,
            Problem.CALLBACK_MISSING: standing is Standing.MISSING,
            Problem.CALLBACK_OVERRULED: overruled,
            Problem.CALLBACK_PERHAPS_OVERRULED: maybe_overruled,
        }
        for problem, is_there in found.items():
            url = finding.foreign_url or ""
            async_set_issue(
                self._hass, self._entry, problem, is_there=is_there, foreign_url=url
            )

    @callback
    def async_show_error(self, provider: str, err: SmsError) -> None:
        """Log why a URL could not be claimed, and show what a person can fix."""
        _LOGGER.warning(
            "The callback URL at %s could not be checked: %s", provider, err.code
        )
        match err:
            case ForeignCallbackError():
                self.async_raise(Problem.CALLBACK_FOREIGN, foreign_url=err.url)
            case CallbacksOverruledError():
                self.async_raise(Problem.CALLBACK_OVERRULED)

    @callback
    def async_raise(self, problem: Problem, **placeholders: str) -> None:
        """Show a problem of the number."""
        async_raise_issue(self._hass, self._entry, problem, **placeholders)

    @callback
    def async_clear(self, *problems: Problem) -> None:
        """Take problems of the number back."""
        async_clear_issue(self._hass, self._entry, *problems)
