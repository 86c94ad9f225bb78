"""Set a number up: credentials, which number, and how its messages get here."""

from typing import TYPE_CHECKING, Any, override

from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_USER,
    FlowType,
    SubentryFlowContext,
)
from homeassistant.core import callback

from .account_entries import async_known_accounts, async_own_marks
from .adapters import ADAPTERS
from .callbacks.public_url import async_describe_address, async_has_secure_url
from .const import (
    CONF_ACCOUNT,
    CONF_MODE,
    CONF_NUMBER,
    DOMAIN,
    MODE_AUTOMATIC,
    MODE_POLLING,
)
from .core.callback_urls import CallbackRegistration
from .core.contacts import read_name
from .entry_data import EntryData
from .flows.callback_steps import CallbackSteps
from .flows.contact import ContactFlow
from .flows.credential_steps import CredentialSteps
from .flows.credentials import async_require_rights, async_require_rights_for_any
from .flows.form_errors import NO_ERROR, FormError, read_error
from .flows.group import GroupFlow
from .flows.options import VirtualSmsOptionsFlow
from .flows.schemas import (
    CONF_NAME,
    Form,
    account_schema,
    callbacks_schema,
    number_schema,
)
from .number_tables import async_load_tables
from .people.contacts import SUBENTRY_CONTACT, SUBENTRY_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from homeassistant.config_entries import ConfigFlowResult, ConfigSubentryFlow

    from .adapters.models import CallbackUrls, PhoneNumber
    from .runtime import VirtualSmsConfigEntry


class VirtualSmsConfigFlow(CallbackSteps, CredentialSteps, domain=DOMAIN):
    """One number becomes one config entry."""

    VERSION = 1

    _known: Mapping[str, list[VirtualSmsConfigEntry]]
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

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: VirtualSmsConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        return {SUBENTRY_CONTACT: ContactFlow, SUBENTRY_GROUP: GroupFlow}

    @override
    async def async_step_user(self, user_input: Form | None = None) -> ConfigFlowResult:
        self._known = async_known_accounts(self.hass)
        known = ["known_account"] if self._known else []
        return self.async_show_menu(step_id="user", menu_options=[*known, *ADAPTERS])

    async def async_step_twilio(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Ask for what its name says: one step for each provider in the menu."""
        return await self._async_credentials("twilio", user_input)

    async def async_step_ovh(self, user_input: Form | None = None) -> ConfigFlowResult:
        """Ask for what its name says, as above."""
        return await self._async_credentials("ovh", user_input)

    async def async_step_known_account(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Add another number of an account, with the keys that work there already."""
        if user_input is None and len(self._known) > 1:
            titles = {key: _join_titles(each) for key, each in self._known.items()}
            return self.async_show_form(
                step_id="known_account", data_schema=account_schema(titles)
            )
        key = user_input[CONF_ACCOUNT] if user_input else next(iter(self._known))
        data = EntryData.of(self._known[key][0])
        self._provider = data.provider
        self._typed = self._form.show(data.credentials)
        return await self._async_try(data.credentials)

    async def async_step_reauth(self, _: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask again, since the provider refuses what we have."""
        data = EntryData.of(self._get_reauth_entry())
        return await self._async_credentials(data.provider)

    async def async_step_reconfigure(self, _: Form | None = None) -> ConfigFlowResult:
        """Ask again, since the person wants to change something."""
        data = EntryData.of(self._get_reconfigure_entry())
        return await self._async_credentials(data.provider)

    @override
    async def _async_opened(self) -> ConfigFlowResult:
        if self._access.numbers and not self._free_numbers:
            return self.async_abort(reason="already_configured")
        await async_require_rights_for_any(self._access.adapter, self._free_numbers)
        return await self.async_step_number()

    async def async_step_number(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Choose one of the account's numbers and give it a name."""
        if user_input is None:
            return self._show_numbers()
        try:
            await self._async_choose(user_input[CONF_NUMBER])
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            error = read_error(self.hass, self._provider, err)
            return self._show_numbers(user_input, error)
        self._name = read_name(user_input.get(CONF_NAME, ""))
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
        await async_load_tables(self.hass, [text])
        self._number = self._access.find(text, self.hass.config.country)
        # A flow that was left in a closed tab must not keep the number for itself.
        unique_id = self._access.unique_id(self._number)
        await self.async_set_unique_id(unique_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        await async_require_rights(self._access.adapter, self._number, callbacks=False)

    @property
    def _free_numbers(self) -> list[PhoneNumber]:
        return self._access.free(self._async_current_ids())

    async def async_step_callbacks(
        self, user_input: Form | None = None
    ) -> ConfigFlowResult:
        """Choose how incoming messages and delivery statuses get here."""
        if user_input is None:
            return self._show_modes()
        try:
            return await self._async_arrange(user_input[CONF_MODE])
        except Exception as err:  # noqa: BLE001  # what nobody foresaw is logged
            return self._show_modes(
                user_input, read_error(self.hass, self._provider, err)
            )

    def _show_modes(
        self, typed: Form | None = None, error: FormError = NO_ERROR
    ) -> ConfigFlowResult:
        secure = async_has_secure_url(self.hass)
        schema = callbacks_schema(MODE_AUTOMATIC if secure else MODE_POLLING)
        address = async_describe_address(self.hass)
        return self.async_show_form(
            step_id="callbacks",
            data_schema=self.add_suggested_values_to_schema(schema, typed),
            description_placeholders={"address": address, **error.placeholders},
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

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Offer a first contact: a number is of no use without anybody to text."""
        contact = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_CONTACT),
            context=SubentryFlowContext(source=SOURCE_USER),
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, contact["flow_id"])
        return result


def _join_titles(entries: list[VirtualSmsConfigEntry]) -> str:
    """Name an account as a person knows it: by its provider and its numbers."""
    provider = ADAPTERS[EntryData.of(entries[0]).provider].name
    return f"{provider}: {', '.join(entry.title for entry in entries)}"
