"""Set a number up: credentials, which number, and how its news gets here."""

from typing import TYPE_CHECKING, Any, override

from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.core import callback

from .account_entries import async_own_marks
from .adapters import ADAPTERS
from .adapters.models import PhoneNumber
from .adapters.plain_text import clean
from .callbacks.public_url import async_has_secure_url
from .callbacks.reachability_check import async_preview
from .const import (
    CONF_CREDENTIALS,
    CONF_MODE,
    CONF_NUMBER,
    CONF_PROVIDER,
    DOMAIN,
    MODE_AUTOMATIC,
    MODE_POLLING,
)
from .core.callback_urls import CallbackRegistration
from .entry_data import EntryData
from .flows.callback_steps import CallbackSteps
from .flows.credentials import (
    NO_ERROR,
    Access,
    Consent,
    FormError,
    async_open,
    async_request_consent,
    async_require_rights,
    async_require_rights_for_any,
    needs_consent,
    read_error,
)
from .flows.options import VirtualSmsOptionsFlow
from .flows.schemas import (
    CONF_NAME,
    Form,
    callbacks_schema,
    credentials_schema,
    find_gap,
    keep_secrets,
    number_schema,
    read_credentials,
    shown_credentials,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from .adapters.models import CallbackUrls
    from .runtime import VirtualSmsConfigEntry


class VirtualSmsConfigFlow(CallbackSteps, ConfigFlow, domain=DOMAIN):
    """One number becomes one config entry."""

    VERSION = 1

    _provider: str
    _typed: Form | None = None
    _consent: Consent
    _waiting: asyncio.Task[str | None] | None = None
    _credentials: dict[str, str]
    _access: Access
    _number: PhoneNumber
    _name: str

    def __init__(self) -> None:
        """Choose the webhook early: its URL is shown before the entry exists."""
        self._webhook_id = webhook.async_generate_id()

    @staticmethod
    @callback
    @override
    def async_get_options_flow(
        config_entry: VirtualSmsConfigEntry,
    ) -> VirtualSmsOptionsFlow:
        return VirtualSmsOptionsFlow()

    @override
    async def async_step_user(self, user_input: Form | None = None) -> ConfigFlowResult:
        return self.async_show_menu(step_id="user", menu_options=list(ADAPTERS))

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Ask again, since the provider refuses what we have."""
        return await self._async_credentials(entry_data[CONF_PROVIDER])

    async def async_step_reconfigure(self, _: Form | None = None) -> ConfigFlowResult:
        """Ask again, since the person wants to change something."""
        data = EntryData.of(self._get_reconfigure_entry())
        return await self._async_credentials(data.provider)

    async def async_step_twilio(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Ask for the first provider's credentials."""
        return await self._async_credentials("twilio", user_input)

    async def async_step_ovh(self, user_input: Form | None = None) -> ConfigFlowResult:
        """Ask for the second provider's credentials."""
        return await self._async_credentials("ovh", user_input)

    async def _async_credentials(
        self, provider: str, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Show one provider's credential form, and go on once it is filled in."""
        self._provider = provider
        if user_input is None:
            return self._show_credentials()
        self._typed = user_input
        fields = ADAPTERS[provider].credential_fields
        renews = self.source == SOURCE_REAUTH
        typed = read_credentials(user_input)
        credentials = keep_secrets(fields, typed, self._stored, renews=renews)
        if problem := find_gap(fields, credentials):
            return self._show_credentials(FormError(problem))
        try:
            if needs_consent(provider, credentials):
                return await self._async_request(credentials)
            return await self._async_prove(credentials)
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_credentials(read_error(err))

    def _show_credentials(self, error: FormError = NO_ERROR) -> ConfigFlowResult:
        adapter = ADAPTERS[self._provider]
        fields = adapter.credential_fields
        shown = self._typed or shown_credentials(fields, self._stored)
        schema = credentials_schema(fields, shown, self._stored)
        return self.async_show_form(
            step_id=self._provider,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            description_placeholders={**adapter.links, **error.placeholders},
            errors=error.errors,
        )

    async def _async_request(self, credentials: dict[str, str]) -> ConfigFlowResult:
        """Ask the provider for a key that the person makes valid by a click."""
        self._consent = await async_request_consent(
            self.hass, self._provider, credentials
        )
        return await self.async_step_authorize()

    async def async_step_authorize(self, _: Form | None = None) -> ConfigFlowResult:
        """Show the link, and wait until the person has agreed there."""
        if self._waiting is None:
            self._waiting = self.hass.async_create_task(self._consent.async_wait())
        if self._waiting.done():
            return self.async_show_progress_done(next_step_id="authorized")
        return self.async_show_progress(
            step_id="authorize",
            progress_action="authorize",
            description_placeholders={"url": self._consent.url},
            progress_task=self._waiting,
        )

    async def async_step_authorized(self, _: Form | None = None) -> ConfigFlowResult:
        """Go on with the key, or say why there is none."""
        waiting, self._waiting = self._waiting, None
        try:
            problem = await waiting if waiting else "unknown"
            if problem is None:
                return await self._async_prove(self._consent.credentials)
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_credentials(read_error(err))
        return self._show_credentials(FormError(problem))

    async def _async_prove(self, credentials: dict[str, str]) -> ConfigFlowResult:
        """Try the credentials, and go on if they open anything."""
        self._credentials = credentials
        self._access = await async_open(self.hass, self._provider, credentials)
        if self._entry is None and self._access.numbers == []:
            return self._show_credentials(FormError("no_numbers"))
        return await self._async_proven()

    async def _async_proven(self) -> ConfigFlowResult:
        """Go on to the numbers, or renew the entry that the flow was started for."""
        if (entry := self._entry) is not None:
            return await self._async_renew(entry)
        if self._access.numbers and not self._free_numbers:
            return self.async_abort(reason="already_configured")
        await async_require_rights_for_any(self._access.adapter, self._free_numbers)
        return await self.async_step_number()

    async def _async_renew(self, entry: VirtualSmsConfigEntry) -> ConfigFlowResult:
        """Give an entry new credentials, provided that they do for its number."""
        data = EntryData.of(entry)
        if not self._access.opens(data.number.account, data.number.number):
            return self.async_abort(reason="wrong_account")
        await async_require_rights(
            self._access.adapter, data.number, callbacks=data.is_automatic
        )
        return self.async_update_reload_and_abort(
            entry, data_updates={CONF_CREDENTIALS: self._credentials}
        )

    async def async_step_number(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Choose one of the account's numbers and give it a name."""
        if user_input is None:
            return self._show_numbers()
        try:
            await self._async_choose(user_input[CONF_NUMBER])
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_numbers(user_input, read_error(err))
        self._name = clean(user_input.get(CONF_NAME, "")).strip()
        return await self.async_step_callbacks()

    def _show_numbers(
        self, typed: Form | None = None, error: FormError = NO_ERROR
    ) -> ConfigFlowResult:
        schema = number_schema(self._free_numbers, typed=self._access.numbers is None)
        return self.async_show_form(
            step_id="number",
            data_schema=self.add_suggested_values_to_schema(schema, typed),
            description_placeholders=error.placeholders or None,
            errors=error.errors,
        )

    async def _async_choose(self, text: str) -> None:
        self._number = self._access.find(text, self.hass.config.country)
        # A flow that was left in a closed tab must not keep the number for itself.
        unique_id = self._access.unique_id(self._number)
        await self.async_set_unique_id(unique_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        await async_require_rights(self._access.adapter, self._number, callbacks=False)

    async def async_step_callbacks(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Choose how incoming messages and delivery statuses get here."""
        if user_input is None:
            return await self._async_show_modes()
        try:
            return await self._async_arrange(user_input[CONF_MODE])
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return await self._async_show_modes(user_input, read_error(err))

    async def _async_show_modes(
        self, typed: Form | None = None, error: FormError = NO_ERROR
    ) -> ConfigFlowResult:
        secure = async_has_secure_url(self.hass)
        schema = callbacks_schema(MODE_AUTOMATIC if secure else MODE_POLLING)
        way = await async_preview(self.hass, self._access.adapter.base_url)
        return self.async_show_form(
            step_id="callbacks",
            data_schema=self.add_suggested_values_to_schema(schema, typed),
            description_placeholders={"way": way, **error.placeholders},
            errors=error.errors,
        )

    @override
    async def _async_registration(self) -> CallbackRegistration:
        self._abort_if_unique_id_configured()
        marks = async_own_marks(self.hass, (self._provider, self._number.account))
        return CallbackRegistration(
            adapter=self._access.adapter,
            number=self._number,
            own=[self._webhook_id, self._callback_url, *marks],
        )

    @override
    async def _async_choose_again(self) -> ConfigFlowResult:
        return await self.async_step_callbacks()

    @override
    async def _async_conclude(
        self, previous: CallbackUrls | None = None
    ) -> ConfigFlowResult:
        is_called = self._mode != MODE_POLLING
        data = EntryData(
            provider=self._provider,
            number=self._number,
            credentials=self._credentials,
            webhook_id=self._webhook_id,
            mode=self._mode,
            callback_url=self._callback_url if is_called else None,
            previous_callbacks=previous,
        )
        # Another window may have been faster; this one must not replace its entry.
        self._abort_if_unique_id_configured()
        self._keeps_url = is_called
        return self.async_create_entry(
            title=self._name or self._number.number, data=data.as_dict()
        )

    @property
    def _free_numbers(self) -> list[PhoneNumber]:
        return self._access.free(self._async_current_ids())

    @property
    def _entry(self) -> VirtualSmsConfigEntry | None:
        """Return the entry that reauth or reconfigure is about."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    @property
    def _stored(self) -> Mapping[str, str]:
        return EntryData.of(self._entry).credentials if self._entry else {}
