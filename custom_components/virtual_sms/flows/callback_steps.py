"""Arrange how messages get here: the steps that set-up and options have in common."""

from abc import abstractmethod
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import ConfigEntryBaseFlow, ConfigFlowResult
from homeassistant.core import callback

from ..adapters.errors import UnsupportedFeatureError
from ..callbacks.public_url import async_callback_url, async_forget_callback_url
from ..const import MODE_MANUAL, MODE_POLLING
from ..core.callback_urls import CallbackRegistration, ForeignCallbackError
from .form_errors import NO_ERROR, FormError, read_error
from .schemas import CONF_CONFIRM, TAKEOVER, Form

if TYPE_CHECKING:
    from ..adapters.models import CallbackUrls


class CallbackSteps(ConfigEntryBaseFlow):
    """Do what a mode needs, before it is written down."""

    _provider: str
    _mode: str
    _webhook_id: str
    _callback_url = ""
    _foreign_url: str
    _previous: CallbackUrls | None = None
    _keeps_url = False

    @abstractmethod
    async def _async_registration(self) -> CallbackRegistration:
        """Return the claim on the URLs of the number that the flow is about."""

    @abstractmethod
    async def _async_choose_again(self) -> ConfigFlowResult:
        """Go back to where the mode is chosen."""

    @abstractmethod
    async def _async_conclude(
        self, previous: CallbackUrls | None = None
    ) -> ConfigFlowResult:
        """Write the mode down, with the foreign URLs that ours replaced."""

    async def _async_arrange(self, mode: str) -> ConfigFlowResult:
        """Do what a mode needs, and ask the person where it must."""
        self._mode = mode
        if mode == MODE_POLLING:
            return await self._async_conclude()
        self._callback_url = await async_callback_url(self.hass, self._webhook_id)
        if mode == MODE_MANUAL:
            return await self.async_step_manual()
        return await self._async_claim()

    async def _async_claim(self, *, replace: bool = False) -> ConfigFlowResult:
        """Put our URL at the provider, after asking where another one stands."""
        registration = await self._async_registration()
        try:
            await registration.claim(
                self._callback_url, self._remember, replace=replace
            )
        except ForeignCallbackError as err:
            self._foreign_url = err.url
            return await self.async_step_takeover()
        except UnsupportedFeatureError:
            self._mode = MODE_MANUAL
            return await self.async_step_manual()
        return await self._async_conclude(self._previous)

    @callback
    def _remember(self, previous: CallbackUrls) -> None:
        self._previous = previous

    async def async_step_takeover(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Ask before another application's URL is replaced."""
        if user_input is None:
            return self._show_takeover()
        if not user_input[CONF_CONFIRM]:
            return await self._async_choose_again()
        try:
            return await self._async_claim(replace=True)
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_takeover(read_error(self.hass, self._provider, err))

    def _show_takeover(self, error: FormError = NO_ERROR) -> ConfigFlowResult:
        return self.async_show_form(
            step_id="takeover",
            data_schema=TAKEOVER,
            description_placeholders={
                "foreign_url": self._foreign_url,
                **error.placeholders,
            },
            errors=error.errors,
        )

    async def async_step_manual(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Show the URL to paste into the provider's console."""
        if user_input is not None:
            return await self._async_conclude()
        return self.async_show_form(
            step_id="manual",
            description_placeholders={"callback_url": self._callback_url},
        )

    @callback
    @override
    def async_remove(self) -> None:
        if self._callback_url and not self._keeps_url:
            forget = async_forget_callback_url(self.hass, self._webhook_id)
            self.hass.async_create_task(forget)
