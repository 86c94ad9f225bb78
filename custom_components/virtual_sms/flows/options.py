"""Change how a number that is set up behaves, and how its messages get here."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, override

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.core import callback

from ..account_entries import async_own_marks
from ..adapters import ADAPTERS
from ..adapters.models import CallbackUrls, Capability
from ..callbacks.public_url import async_forget_callback_url
from ..callbacks.registrar import async_release_callbacks
from ..callbacks.voice import voice_registration
from ..const import (
    CALLS_IGNORE,
    CONF_MODE,
    DEFAULT_COMMAND_MAX_AGE,
    DEFAULT_KEEP_CONVERSATIONS,
    DEFAULT_RETRY_FOR,
    DOMAIN,
    MODE_MANUAL,
    MODE_POLLING,
    OPTION_COMMAND_MAX_AGE,
    OPTION_FALLBACK,
    OPTION_INCOMING_CALLS,
    OPTION_KEEP_CONVERSATIONS,
    OPTION_POLL_INTERVAL,
    OPTION_PRIVACY,
    OPTION_RETRY_FOR,
    OPTION_SIMPLIFY,
    SECTION_LIMITS,
)
from ..core.callback_urls import CallbackRegistration, ForeignCallbackError
from ..core.privacy import Privacy
from ..entry_data import EntryData
from ..error_messages import async_create_adapter
from .callback_steps import CallbackSteps
from .form_errors import NO_ERROR, FormError, read_error, require_entry
from .schemas import (
    CONF_CONFIRM,
    Form,
    options_schema,
)

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry


class VirtualSmsOptionsFlow(CallbackSteps, OptionsFlow):
    """How a number receives, how long it tries to send, and what it tells.

    The mode is part of the entry's data, since the webhook depends on it, but for
    the person it is an option like any other.
    """

    _options: Form
    _is_about_calls = False
    _owes_reload = False

    async def async_step_init(self, user_input: Form | None = None) -> ConfigFlowResult:
        """Ask for all of them."""
        if user_input is None:
            return self._show(self._current)
        self._provider = self._data.provider
        self._options = {**self._stored_limits, **user_input}
        mode = self._options.pop(CONF_MODE, None)
        try:
            return await self._async_apply(mode)
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show(user_input, read_error(self.hass, self._provider, err))

    def _show(self, values: Form, error: FormError = NO_ERROR) -> ConfigFlowResult:
        schema = options_schema(self._others, calls=self._can_call)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(schema, values),
            description_placeholders=error.placeholders or None,
            errors=error.errors,
        )

    async def _async_apply(self, mode: str | None) -> ConfigFlowResult:
        """Go on to what a mode needs; who receives by hand sees the URL again."""
        data = self._data
        self._mode = data.mode
        self._webhook_id = data.webhook_id
        self._keeps_url = data.callback_url is not None
        if mode is None or (mode == data.mode and mode != MODE_MANUAL):
            return await self._async_finish()
        return await self._async_arrange(mode)

    @override
    async def _async_registration(self) -> CallbackRegistration:
        data = self._data
        marks = async_own_marks(self.hass, data.account)
        return CallbackRegistration(
            adapter=await async_create_adapter(
                self.hass, data.provider, data.credentials
            ),
            number=data.number,
            own=[self._callback_url, *marks],
        )

    @override
    async def _async_choose_again(self) -> ConfigFlowResult:
        return await self.async_step_init()

    @override
    async def _async_conclude(
        self, previous: CallbackUrls | None = None
    ) -> ConfigFlowResult:
        if self._mode == MODE_POLLING:
            await async_release_callbacks(self.hass, self.config_entry)
            await async_forget_callback_url(self.hass, self._webhook_id)
            return self._write(
                mode=self._mode, callback_url=None, previous_callbacks=None
            )
        self._keeps_url = True
        # A URL of ours that a person sees to from now on is ours to take back.
        ours = CallbackUrls() if self._data.is_automatic else None
        # The provider has it by now, whatever becomes of the form.
        self._keep(
            mode=self._mode,
            callback_url=self._callback_url,
            previous_callbacks=previous or self._data.previous_callbacks or ours,
        )
        return await self._async_finish()

    async def _async_finish(self, *, replaces: bool = False) -> ConfigFlowResult:
        """Have calls come here as well, if they are to, and write all down."""
        data = self._data
        choice = self._options.get(OPTION_INCOMING_CALLS, CALLS_IGNORE)
        url = data.callback_url if data.is_automatic else None
        if not self._can_call or choice == CALLS_IGNORE or url is None:
            return self._write()
        adapter = await async_create_adapter(self.hass, data.provider, data.credentials)
        registration = voice_registration(self.hass, self.config_entry, adapter)
        replaced: list[CallbackUrls] = []
        try:
            await registration.claim(url, replaced.append, replace=replaces)
        except ForeignCallbackError as err:
            self._foreign_url, self._is_about_calls = err.url, True
            return self._show_takeover()
        previous = replaced[0].inbound if replaced else self._data.previous_voice_url
        return self._write(voice_url=url, previous_voice_url=previous)

    @override
    async def async_step_takeover(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Ask before another application's URL is replaced, that for calls as well."""
        if not self._is_about_calls or user_input is None:
            return await super().async_step_takeover(user_input)
        if not user_input[CONF_CONFIRM]:
            self._is_about_calls = False
            return await self._async_choose_again()
        try:
            return await self._async_finish(replaces=True)
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_takeover(read_error(self.hass, self._provider, err))

    def _write(self, **changes: Any) -> ConfigFlowResult:
        entry = self.config_entry
        self._owes_reload |= self.hass.config_entries.async_update_entry(
            entry, options=self._options
        )
        self._keep(**changes)
        return self.async_create_entry(data=self._options)

    def _keep(self, **changes: Any) -> None:
        """Write data down; one reload is enough for all, when the form is gone."""
        data = replace(self._data, **changes).as_dict()
        self._owes_reload |= self.hass.config_entries.async_update_entry(
            self.config_entry, data=data
        )

    @callback
    @override
    def async_remove(self) -> None:
        super().async_remove()
        entries = self.hass.config_entries
        if self._owes_reload and entries.async_get_entry(self.handler) is not None:
            entries.async_schedule_reload(self.handler)

    @property
    @override
    def config_entry(self) -> VirtualSmsConfigEntry:
        return require_entry(self.hass, self.handler)

    @property
    def _can_call(self) -> bool:
        return Capability.CALLS in ADAPTERS[self._data.provider].capabilities

    @property
    def _data(self) -> EntryData:
        """Read anew: a callback may change it while a form waits for its person."""
        return EntryData.of(self.config_entry)

    @property
    def _stored_limits(self) -> Form:
        """Return the limits as they are: who does not unfold them keeps them."""
        options = self.config_entry.options
        return {key: options[key] for key in (SECTION_LIMITS,) if key in options}

    @property
    def _others(self) -> dict[str, str]:
        """Return the titles of the home's other numbers, and of those chosen before."""
        chosen = self.config_entry.options.get(OPTION_FALLBACK, ())
        entries = self.hass.config_entries.async_entries(DOMAIN)
        titles = {each.entry_id: each.title for each in entries}
        del titles[self.config_entry.entry_id]
        return {each: each for each in chosen} | titles

    @property
    def _current(self) -> Form:
        """Return what applies now, without having been chosen as well."""
        data = self._data
        return {
            CONF_MODE: data.mode,
            OPTION_POLL_INTERVAL: ADAPTERS[data.provider].poll_interval,
            OPTION_RETRY_FOR: DEFAULT_RETRY_FOR,
            OPTION_PRIVACY: Privacy.FULL.value,
            OPTION_KEEP_CONVERSATIONS: DEFAULT_KEEP_CONVERSATIONS,
            OPTION_SIMPLIFY: True,
            OPTION_COMMAND_MAX_AGE: DEFAULT_COMMAND_MAX_AGE,
            **({OPTION_INCOMING_CALLS: CALLS_IGNORE} if self._can_call else {}),
            **self.config_entry.options,
        }
