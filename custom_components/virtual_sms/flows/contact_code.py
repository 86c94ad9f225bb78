"""Set up by what a contact proves that a command is theirs: a PIN, or an app."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.selector import (
    QrCodeSelector,
    QrCodeSelectorConfig,
    QrErrorCorrectionLevel,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util import dt as dt_util

from ..core.command_code import InvalidPinError, Pin, Totp
from ..core.contacts import CodeKind
from ..lines import async_find_gateway
from ..people.contacts import CONF_CODE, CONF_PIN, CONF_TOTP
from .contact_check_steps import ContactCheckSteps
from .schemas import Form

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

FIELD_QR_CODE: Final = "qr_code"


def pin_schema(*, may_keep: bool) -> vol.Schema:
    """Return the form of a PIN; whoever has one may keep it."""
    field = vol.Optional if may_keep else vol.Required
    secret = TextSelectorConfig(
        type=TextSelectorType.PASSWORD, autocomplete="new-password"
    )
    return vol.Schema({field(CONF_PIN): TextSelector(secret)})


def totp_schema(url: str, *, may_keep: bool) -> vol.Schema:
    """Return the form of an app, with what it scans; whoever has one may keep it."""
    field = vol.Optional if may_keep else vol.Required
    picture = QrCodeSelectorConfig(
        data=url, scale=5, error_correction_level=QrErrorCorrectionLevel.QUARTILE
    )
    word = TextSelectorConfig(autocomplete="one-time-code")
    return vol.Schema(
        {
            vol.Optional(FIELD_QR_CODE): QrCodeSelector(picture),
            field(CONF_CODE): TextSelector(word),
        }
    )


class CodeSteps(ContactCheckSteps):
    """The steps that a contact's code takes."""

    _app: Totp

    @property
    def _true_time(self) -> datetime:
        """Return the time by which a code is checked later on as well."""
        gateway = async_find_gateway(self.hass, self._get_entry().entry_id)
        now = dt_util.utcnow()
        return gateway.line.provider_time(now) if gateway else now

    def _drop_codes(self, but: CodeKind) -> None:
        """Keep nothing of a code that is not asked for any more."""
        for kind in CodeKind:
            if kind is not but:
                self._data.pop(kind.value, None)

    def _keep_stored(self, key: str) -> bool:
        """Keep what is stored by now, as another window may change it; say if it is."""
        stored = self._subentry.data if self._subentry else {}
        self._data.pop(key, None)
        self._data |= {key: stored[key]} if key in stored else {}
        return key in stored

    async def _async_set_code(self, kind: CodeKind) -> SubentryFlowResult:
        """Ask for what a code of this kind consists of, then finish."""
        if kind is CodeKind.PIN:
            return await self.async_step_pin()
        self._app = Totp.make()
        return await self.async_step_totp()

    async def async_step_pin(
        self, user_input: Form | None = None
    ) -> SubentryFlowResult:
        """Ask for a PIN, of which no more than its hash is kept."""
        kept = self._keep_stored(CONF_PIN)
        if user_input is None:
            return self._ask_pin(may_keep=kept)
        if (typed := user_input.get(CONF_PIN)) or not kept:
            try:
                pin = await self.hass.async_add_executor_job(Pin.make, typed or "")
            except InvalidPinError:
                return self._ask_pin({CONF_PIN: "invalid_pin"}, may_keep=kept)
            self._data[CONF_PIN] = pin.as_dict()
        return await self._async_end()

    async def async_step_totp(
        self, user_input: Form | None = None
    ) -> SubentryFlowResult:
        """Show a key, and go on when a code proves that an app has it."""
        kept = self._keep_stored(CONF_TOTP)
        if user_input is None:
            return self._ask_totp(may_keep=kept)
        if (typed := user_input.get(CONF_CODE)) or not kept:
            proved = self._app.prove(typed or "", self._true_time)
            if proved is None:
                return self._ask_totp({CONF_CODE: "invalid_code"}, may_keep=kept)
            self._data[CONF_TOTP] = proved.as_dict()
        return await self._async_end()

    def _ask_pin(
        self, errors: dict[str, str] | None = None, *, may_keep: bool
    ) -> SubentryFlowResult:
        return self.async_show_form(
            step_id="pin",
            data_schema=pin_schema(may_keep=may_keep),
            description_placeholders={"name": self._title},
            errors=errors or {},
        )

    def _ask_totp(
        self, errors: dict[str, str] | None = None, *, may_keep: bool
    ) -> SubentryFlowResult:
        url = self._app.url(self._title)
        return self.async_show_form(
            step_id="totp",
            data_schema=totp_schema(url, may_keep=may_keep),
            description_placeholders={
                "name": self._title,
                "key": self._app.key,
                "url": url,
            },
            errors=errors or {},
        )
