"""Tell a flood of forgeries from a home that does not know its own address.

A stranger's callback is refused and that is all. When the provider's own callbacks
fail the check again and again, the URL they are signed for is not the one that was
registered, and only a person can find out why.
"""

from collections.abc import Callable
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .adapters.errors import CallbackRejectedError
from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

PLAUSIBLE_LIMIT = 3
"""Refusals that looked real, with none accepted between, before a person is told."""


class RefusalWatch:
    """Watch the refusals of one number."""

    def __init__(
        self,
        hass: HomeAssistant,
        issue_id: str,
        placeholders: dict[str, str],
        on_accepted: Callable[[], None],
    ) -> None:
        """Take the repair issue to raise, what its text needs, and whom to reassure."""
        self._hass = hass
        self._issue_id = issue_id
        self._placeholders = placeholders
        self._on_accepted = on_accepted
        self._was_refused = False
        self._plausible = 0

    @callback
    def async_refused(self, err: CallbackRejectedError) -> None:
        """Note a refusal. It is logged once: a flood is not worth a flood of lines."""
        if not self._was_refused:
            self._was_refused = True
            _LOGGER.warning(
                "A callback that does not come from %s was refused; more of them are"
                " refused silently",
                self._placeholders["provider"],
            )
        self._plausible += err.plausible
        if err.plausible and self._plausible == PLAUSIBLE_LIMIT:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id,
                is_fixable=False,
                severity=ir.IssueSeverity.ERROR,
                translation_key="callbacks_rejected",
                translation_placeholders=self._placeholders,
            )

    @callback
    def async_accepted(self) -> None:
        """Note that the provider's callbacks pass the check."""
        self._on_accepted()
        self._was_refused = False
        if self._plausible:
            self._plausible = 0
            self.async_clear()

    @callback
    def async_clear(self) -> None:
        """Take the repair issue back."""
        ir.async_delete_issue(self._hass, DOMAIN, self._issue_id)
