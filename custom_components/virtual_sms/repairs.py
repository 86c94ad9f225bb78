"""Fix what a machine can fix, once a person agrees."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .adapters.errors import SmsError
from .callbacks.public_url import NoPublicUrlError, async_callback_url
from .callbacks.reachability_check import async_check_callbacks, say
from .const import DOMAIN
from .entry_data import EntryData
from .error_messages import explain, find_sentence
from .issues import Problem, async_has_issue
from .people.contact_issues import ISSUE_LOCKED
from .people.trust import async_trust
from .runtime import VirtualSmsConfigEntry
from .store.database import CANNOT_WRITE

if TYPE_CHECKING:
    from homeassistant.components.repairs import RepairsFlowResult

    from .callbacks.registrar import Registrar


class FixFlow(RepairsFlow):
    """Ask once, fix, and say what kept us from it."""

    def __init__(self, entry: VirtualSmsConfigEntry) -> None:
        """Take the number that has the problem."""
        self._entry = entry

    async def async_step_init(self, _: Any = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask, and fix when the person agrees."""
        if self._entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        reason = await self._async_try() if user_input is not None else ""
        if reason is None:
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            errors={"base": "failed"} if reason else {},
            description_placeholders={**self._placeholders, "reason": reason},
        )

    async def _async_try(self) -> str | None:
        """Return why it did not work, in the language of this home."""
        try:
            return await self._async_fix()
        except NoPublicUrlError as err:
            return find_sentence(self.hass, str(err.translation_key)) or str(err)
        except SmsError as err:
            return explain(self.hass, EntryData.of(self._entry).provider, err)
        except CANNOT_WRITE as err:
            return find_sentence(self.hass, "disk_failed") or str(err)

    @abstractmethod
    async def _async_fix(self) -> str | None:
        """Do what takes the problem away; return or raise what keeps us from it."""

    @property
    def _registrar(self) -> Registrar:
        return self._entry.runtime_data.registrar

    @property
    def _placeholders(self) -> Mapping[str, str]:
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return (issue and issue.translation_placeholders) or {}


class RegisterFlow(FixFlow):
    """Put our URL at the provider again."""

    @override
    async def _async_fix(self) -> str | None:
        await self._registrar.async_claim()
        return None


class TakeoverFlow(FixFlow):
    """Replace another application's URL."""

    @override
    async def _async_fix(self) -> str | None:
        await self._registrar.async_claim(replace=True)
        return None


class RegisterVoiceFlow(FixFlow):
    """Put our URL for calls at the provider again."""

    @override
    async def _async_fix(self) -> str | None:
        await self._registrar.voice.async_claim()
        return None


class TakeoverVoiceFlow(FixFlow):
    """Replace another application's URL for calls."""

    @override
    async def _async_fix(self) -> str | None:
        await self._registrar.voice.async_claim(replace=True)
        return None


class PastedFlow(FixFlow):
    """Take note that the new URL was pasted at the provider."""

    @override
    async def _async_fix(self) -> str | None:
        registrar, webhook_id = self._registrar, EntryData.of(self._entry).webhook_id
        url = await async_callback_url(self.hass, webhook_id)
        registrar.async_accept_address(url)
        return None


class RenewFlow(FixFlow):
    """Open the form for new credentials."""

    @override
    async def _async_fix(self) -> str | None:
        self._entry.async_start_reauth(self.hass)
        return None


class OpenAnewFlow(FixFlow):
    """Let the number send as if it had not sent anything so far."""

    @override
    async def _async_fix(self) -> str | None:
        await self._entry.runtime_data.gateway.store.usage.open_anew()
        return None


class CheckAgainFlow(FixFlow):
    """Check callbacks again."""

    @override
    async def _async_fix(self) -> str | None:
        verdict = await async_check_callbacks(self.hass, self._entry, self._registrar)
        is_there = async_has_issue(self.hass, self._entry, Problem.CALLBACK_CHECK)
        return say(self.hass, verdict) if is_there else None


class UnlockFlow(RepairsFlow):
    """Believe a contact again who had sent too many wrong codes."""

    def __init__(self, contact_id: str) -> None:
        """Take the contact."""
        self._contact_id = contact_id

    async def async_step_init(self, _: Any = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask, and unlock when the person agrees."""
        errors = {}
        if user_input is not None:
            try:
                await async_trust(self.hass).async_unlock(self._contact_id)
            except CANNOT_WRITE:
                errors = {"base": "failed"}
            else:
                return self.async_create_entry(data={})
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return self.async_show_form(
            step_id="confirm",
            errors=errors,
            description_placeholders=issue.translation_placeholders if issue else None,
        )


_FLOWS: Mapping[Problem, type[FixFlow]] = {
    Problem.ADDRESS_CHANGED: PastedFlow,
    Problem.CALLBACK_FOREIGN: TakeoverFlow,
    Problem.CALLBACK_MISSING: RegisterFlow,
    Problem.CREDENTIALS_EXPIRING: RenewFlow,
    Problem.LIMIT_REACHED: OpenAnewFlow,
    Problem.CALLBACK_CHECK: CheckAgainFlow,
    Problem.VOICE_FOREIGN: TakeoverVoiceFlow,
    Problem.VOICE_MISSING: RegisterVoiceFlow,
}


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that fixes an issue, else one that only takes it back."""
    given = data or {}
    if given.get("problem") == ISSUE_LOCKED:
        return UnlockFlow(str(given["contact_id"]))
    entry = hass.config_entries.async_get_entry(str(given.get("entry_id")))
    flow = _FLOWS.get(Problem(str(given["problem"]))) if entry else None
    return flow(entry) if entry and flow else ConfirmRepairFlow()
