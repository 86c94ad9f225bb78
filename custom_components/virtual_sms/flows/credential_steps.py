"""Ask for credentials, and go on once they open something."""

from abc import abstractmethod
from typing import TYPE_CHECKING

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
)

from ..adapters import ADAPTERS
from ..const import CONF_CREDENTIALS
from ..entry_data import EntryData
from ..error_messages import async_load_adapter, find_sentence
from ..texts import async_load_texts
from .credential_form import CredentialForm, read_credentials
from .credentials import (
    Access,
    Consent,
    async_open,
    async_request_consent,
    async_require_rights,
    needs_consent,
)
from .form_errors import NO_ERROR, FormError, read_error
from .schemas import Form

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from ..runtime import VirtualSmsConfigEntry


class CredentialSteps(ConfigFlow):
    """Prove the credentials of a new number, or renew those of an entry."""

    _provider: str
    _typed: Form | None = None
    _consent: Consent
    _waiting: asyncio.Task[str | None] | None = None
    _credentials: Mapping[str, str]
    _access: Access

    @abstractmethod
    async def _async_opened(self) -> ConfigFlowResult:
        """Go on with what a new number's credentials have opened."""

    async def _async_credentials(
        self, provider: str, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Show one provider's credential form, and go on once it is filled in."""
        self._provider = provider
        await async_load_adapter(self.hass, provider)
        if user_input is None:
            return self._show_credentials()
        self._typed = user_input
        renews = self.source == SOURCE_REAUTH
        typed = read_credentials(self._form.fill(user_input))
        return await self._async_try(self._form.complete(typed, renews=renews))

    async def _async_try(self, credentials: Mapping[str, str]) -> ConfigFlowResult:
        """Go on with credentials, or show the form with what is wrong with them."""
        self._credentials = credentials
        await async_load_texts(self.hass)
        if gap := self._form.find_gap(credentials):
            return self._show_credentials(self._detail(*gap))
        try:
            if needs_consent(self._provider, credentials):
                return await self._async_request()
            return await self._async_prove()
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_credentials(self._read_refusal(err))

    def _read_refusal(self, err: Exception) -> FormError:
        """Say what is wrong with credentials: at best, which of them is."""
        error = read_error(self.hass, self._provider, err)
        misfit = self._form.find_misfit(self._credentials)
        if error.key != "invalid_auth" or misfit is None:
            return error
        return self._detail(error.key, f"shape_{misfit}")

    def _detail(self, key: str, sentence: str) -> FormError:
        detail = find_sentence(self.hass, sentence) or ""
        return FormError(key, placeholders={"detail": detail})

    def _show_credentials(self, error: FormError = NO_ERROR) -> ConfigFlowResult:
        shown = self._typed or self._form.show(self._form.stored)
        schema = self._form.schema(shown)
        links = ADAPTERS[self._provider].links
        return self.async_show_form(
            step_id=self._provider,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            description_placeholders={**links, **error.placeholders},
            errors=error.errors,
        )

    async def _async_request(self) -> ConfigFlowResult:
        """Ask the provider for a key that the person makes valid by a click."""
        self._consent = await async_request_consent(
            self.hass, self._provider, self._credentials
        )
        self._credentials = self._consent.credentials
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
                return await self._async_prove()
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_credentials(self._read_refusal(err))
        return self._show_credentials(FormError(problem))

    async def _async_prove(self) -> ConfigFlowResult:
        """Try the credentials, and go on if they open what they are for."""
        self._access = await async_open(self.hass, self._provider, self._credentials)
        if (entry := self._entry) is not None:
            return await self._async_renew(entry)
        if self._access.numbers == []:
            return self._show_credentials(FormError("no_numbers"))
        return await self._async_opened()

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

    @property
    def _entry(self) -> VirtualSmsConfigEntry | None:
        """Return the entry that reauth or reconfigure is about."""
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        if self.source == SOURCE_RECONFIGURE:
            return self._get_reconfigure_entry()
        return None

    @property
    def _form(self) -> CredentialForm:
        stored = EntryData.of(self._entry).credentials if self._entry else {}
        fields = ADAPTERS[self._provider].credential_fields
        return CredentialForm(fields=fields, stored=stored)
