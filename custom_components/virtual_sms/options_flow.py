"""Change how a number that is set up behaves, and how its news gets here."""

from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_WEBHOOK_ID

from .account_entries import async_own_marks, previous_data
from .adapters import ADAPTERS
from .adapters.models import PhoneNumber
from .callbacks import CallbackRegistration
from .const import (
    CONF_ACCOUNT,
    CONF_CALLBACK_URL,
    CONF_CREDENTIALS,
    CONF_MODE,
    CONF_NUMBER,
    CONF_PREVIOUS_CALLBACKS,
    CONF_PROVIDER,
    MODE_MANUAL,
    MODE_POLLING,
    OPTION_POLL_INTERVAL,
    OPTION_PRIVACY,
    OPTION_RETRY_FOR,
)
from .flow_access import FormErrors
from .flow_callbacks import CallbackSteps
from .flow_schemas import DEFAULT_RETRY_FOR, Form, options_schema
from .helpers import async_create_adapter
from .privacy import Privacy
from .public_url import async_forget_callback_url
from .registration import async_release_callbacks

if TYPE_CHECKING:
    from .adapters.models import CallbackUrls


class VirtualSmsOptionsFlow(CallbackSteps, OptionsFlow):
    """How a number receives, how long it tries to send, and what it tells.

    The mode is part of the entry's data, since the webhook depends on it, but for
    the person it is an option like any other.
    """

    _options: Form

    async def async_step_init(self, user_input: Form | None = None) -> ConfigFlowResult:
        """Ask for all of them."""
        errors = FormErrors()
        if user_input is not None:
            self._options = dict(user_input)
            mode = self._options.pop(CONF_MODE, None)
            with errors:
                return await self._async_apply(mode)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                options_schema(), user_input or self._current
            ),
            description_placeholders=errors.placeholders or None,
            errors=errors,
        )

    async def _async_apply(self, mode: str | None) -> ConfigFlowResult:
        """Go on to what a mode needs; who receives by hand sees the URL again."""
        data = self.config_entry.data
        self._webhook_id = data[CONF_WEBHOOK_ID]
        self._keeps_url = CONF_CALLBACK_URL in data
        self._mode = data[CONF_MODE]
        if mode is None or (mode == self._mode and mode != MODE_MANUAL):
            return self._finish(dict(data))
        return await self._async_arrange(mode)

    @override
    async def _async_registration(self) -> CallbackRegistration:
        data = self.config_entry.data
        provider, account = data[CONF_PROVIDER], data[CONF_ACCOUNT]
        return CallbackRegistration(
            adapter=await async_create_adapter(
                self.hass, provider, data[CONF_CREDENTIALS]
            ),
            number=PhoneNumber(account=account, number=data[CONF_NUMBER]),
            own=[
                self._callback_url,
                *async_own_marks(self.hass, provider, account),
            ],
        )

    @override
    async def _async_choose_again(self) -> ConfigFlowResult:
        return await self.async_step_init()

    @override
    async def _async_conclude(
        self, previous: CallbackUrls | None = None
    ) -> ConfigFlowResult:
        data = {**self.config_entry.data, CONF_MODE: self._mode}
        if self._mode == MODE_POLLING:
            await async_release_callbacks(self.hass, self.config_entry)
            await async_forget_callback_url(self.hass, self._webhook_id)
            data.pop(CONF_CALLBACK_URL, None)
            data.pop(CONF_PREVIOUS_CALLBACKS, None)
        else:
            self._keeps_url = True
            data[CONF_CALLBACK_URL] = self._callback_url
        data |= previous_data(previous)
        return self._finish(data)

    def _finish(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Write data and options down together, so that one reload is enough."""
        entries, entry = self.hass.config_entries, self.config_entry
        if entries.async_update_entry(entry, data=data, options=self._options):
            entries.async_schedule_reload(entry.entry_id)
        return self.async_create_entry(data=self._options)

    @property
    def _current(self) -> Form:
        """Return what applies now, without having been chosen as well."""
        data = self.config_entry.data
        return {
            CONF_MODE: data[CONF_MODE],
            OPTION_POLL_INTERVAL: ADAPTERS[data[CONF_PROVIDER]].poll_interval,
            OPTION_RETRY_FOR: DEFAULT_RETRY_FOR,
            OPTION_PRIVACY: Privacy.FULL.value,
            **self.config_entry.options,
        }
