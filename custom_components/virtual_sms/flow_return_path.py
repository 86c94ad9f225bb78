"""Offer the check of the way back, right after a number was set up.

Home Assistant opens a flow that follows another one. It is the options flow, begun
elsewhere: nothing is asked of anybody unless the person wants it.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowContext,
    ConfigFlowResult,
    FlowType,
    OptionsFlow,
)
from homeassistant.helpers.http import current_request
from homeassistant.util import dt as dt_util

from .const import CONF_MODE, MODE_POLLING
from .return_path import async_check_return_path, say
from .verdict import Verdict

if TYPE_CHECKING:
    import asyncio

    from homeassistant.core import HomeAssistant

SOURCE_SET_UP = "set_up"
"""Where an options flow comes from that begins with the check."""

OFFER_LASTS = timedelta(minutes=1)


async def async_offer_check(
    hass: HomeAssistant, result: ConfigFlowResult
) -> ConfigFlowResult:
    """Have the check offered next, where a provider is to call this home."""
    entry = result["result"]
    is_loaded = entry.state is ConfigEntryState.LOADED
    if is_loaded and entry.data[CONF_MODE] != MODE_POLLING:
        follow_up = await hass.config_entries.options.async_init(
            entry.entry_id, context=ConfigFlowContext(source=SOURCE_SET_UP)
        )
        result["next_flow"] = (FlowType.OPTIONS_FLOW, follow_up["flow_id"])
    return result


class ReturnPathSteps(OptionsFlow):
    """Check the way back, and say in words what was found."""

    _check: asyncio.Task[Verdict] | None = None
    _verdict: Verdict

    def _follows_set_up(self) -> bool:
        """Say whether this is the flow that was offered, or takes its place.

        Home Assistant's frontend (20261028) does not continue the options flow that
        it is told of, but opens another one for the same entry at once.
        """
        if self.source == SOURCE_SET_UP:
            return True
        options = self.hass.config_entries.options
        offers = options.async_progress_by_handler(
            self.handler, match_context={"source": SOURCE_SET_UP}
        )
        age = dt_util.utcnow() - self.config_entry.created_at
        if not offers or age > OFFER_LASTS or not _is_in_browser():
            return False
        for offer in offers:
            options.async_abort(offer["flow_id"])
        return True

    async def async_step_return_path(self, _: Any = None) -> ConfigFlowResult:
        """Offer the check."""
        return self.async_show_menu(
            step_id="return_path", menu_options=["check", "finish"]
        )

    async def async_step_check(self, _: Any = None) -> ConfigFlowResult:
        """Check, which takes some seconds."""
        entry = self.config_entry
        if self._check is None:
            if entry.state is not ConfigEntryState.LOADED:
                return self.async_abort(reason="not_loaded")
            registrar = entry.runtime_data.registrar
            self._check = self.hass.async_create_task(
                async_check_return_path(self.hass, entry, registrar)
            )
        if not self._check.done():
            return self.async_show_progress(
                step_id="check", progress_action="check", progress_task=self._check
            )
        check, self._check = self._check, None
        self._verdict = check.result()
        is_free = self._verdict is Verdict.OK
        return self.async_show_progress_done(
            next_step_id="free" if is_free else "blocked"
        )

    async def async_step_free(self, user_input: Any = None) -> ConfigFlowResult:
        """Say that all is well."""
        if user_input is not None:
            return await self.async_step_finish()
        return self.async_show_form(step_id="free")

    async def async_step_blocked(self, _: Any = None) -> ConfigFlowResult:
        """Say what is wrong and how to mend it."""
        return self.async_show_menu(
            step_id="blocked",
            menu_options=["check", "settings", "finish"],
            description_placeholders={"reason": say(self.hass, self._verdict)},
        )

    async def async_step_finish(self, _: Any = None) -> ConfigFlowResult:
        """Leave all as it is."""
        return self.async_create_entry(data=self.config_entry.options)


def _is_in_browser() -> bool:
    """Tell a person's browser, which follows offers, from a script that does not."""
    request = current_request.get()
    return request is not None and "Mozilla" in request.headers.get("User-Agent", "")
