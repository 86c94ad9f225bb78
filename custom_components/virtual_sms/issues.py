"""Name what can be wrong with a number, and have Home Assistant say so.

A problem of a number is a repair issue with an id of its own. Who finds it raises
it, as often as it is found; who finds it gone takes it back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .adapters import ADAPTERS
from .adapters.models import Advice
from .const import DOMAIN
from .core.privacy import mask_numbers
from .entry_data import EntryData

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry


class Problem(StrEnum):
    """What a repair issue is about; its value is the key of its texts."""

    ADDRESS_CHANGED = "address_changed"
    BALANCE_LOW = "balance_low"
    # Homes have it stored under its former name.
    CALLBACK_CHECK = "return_path"
    CALLBACK_FOREIGN = "callback_foreign"
    CALLBACK_MISSING = "callback_missing"
    CALLBACK_OVERRULED = "callback_overruled"
    CALLBACK_PERHAPS_OVERRULED = "callback_perhaps_overruled"
    COUNTRY_NOT_ENABLED = "country_not_enabled"
    CREDENTIALS_EXPIRING = "credentials_expiring"
    LIMIT_REACHED = "limit_reached"
    NO_CREDIT = "no_credit"
    NO_PUBLIC_URL = "no_public_url"
    NUMBER_GONE = "number_gone"
    RECORDS_UNREADABLE = "records_unreadable"
    REGISTRATION_MISSING = "registration_missing"
    SERVICE_EXPIRED = "service_expired"
    STORAGE_DAMAGED = "storage_damaged"
    STORAGE_UNWRITABLE = "storage_unwritable"
    TRIAL_LIMITS = "trial_limits"
    VOICE_COUNTRY_NOT_ENABLED = "voice_country_not_enabled"
    VOICE_FOREIGN = "voice_foreign"
    VOICE_MISSING = "voice_missing"
    VOICE_OVERRULED = "voice_overruled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How a problem is shown.

    `fixable` when a button can fix it, or when only the person knows that it is
    fixed. `lasting` when no check would find it again after a restart.
    """

    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    fixable: bool = False
    lasting: bool = False


_REGIONS = "regions"
_BETWEEN = " "

_ERROR = ir.IssueSeverity.ERROR
TRAITS: Mapping[Problem, Traits] = {
    Problem.ADDRESS_CHANGED: Traits(fixable=True),
    Problem.BALANCE_LOW: Traits(),
    Problem.CALLBACK_CHECK: Traits(fixable=True, lasting=True),
    Problem.CALLBACK_FOREIGN: Traits(fixable=True),
    Problem.CALLBACK_MISSING: Traits(fixable=True),
    Problem.CALLBACK_OVERRULED: Traits(),
    Problem.CALLBACK_PERHAPS_OVERRULED: Traits(),
    Problem.COUNTRY_NOT_ENABLED: Traits(fixable=True, lasting=True),
    Problem.CREDENTIALS_EXPIRING: Traits(fixable=True),
    Problem.LIMIT_REACHED: Traits(fixable=True),
    Problem.NO_CREDIT: Traits(severity=_ERROR),
    Problem.NO_PUBLIC_URL: Traits(),
    Problem.NUMBER_GONE: Traits(severity=_ERROR),
    Problem.RECORDS_UNREADABLE: Traits(),
    Problem.REGISTRATION_MISSING: Traits(fixable=True, lasting=True),
    Problem.SERVICE_EXPIRED: Traits(severity=_ERROR, fixable=True, lasting=True),
    Problem.STORAGE_DAMAGED: Traits(severity=_ERROR, fixable=True, lasting=True),
    Problem.STORAGE_UNWRITABLE: Traits(severity=_ERROR),
    Problem.TRIAL_LIMITS: Traits(fixable=True, lasting=True),
    Problem.VOICE_COUNTRY_NOT_ENABLED: Traits(fixable=True, lasting=True),
    Problem.VOICE_FOREIGN: Traits(fixable=True),
    Problem.VOICE_MISSING: Traits(fixable=True),
    Problem.VOICE_OVERRULED: Traits(),
}

ADVICE: Mapping[Advice, Problem] = {
    Advice.ENABLE_COUNTRY: Problem.COUNTRY_NOT_ENABLED,
    Advice.ENABLE_VOICE_COUNTRY: Problem.VOICE_COUNTRY_NOT_ENABLED,
    Advice.LEAVE_TRIAL: Problem.TRIAL_LIMITS,
    Advice.REGISTER_SENDER: Problem.REGISTRATION_MISSING,
    Advice.RENEW_SERVICE: Problem.SERVICE_EXPIRED,
    Advice.TOP_UP: Problem.NO_CREDIT,
}


@callback
def async_raise_issue(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    problem: Problem,
    regions: Iterable[str] = (),
    **placeholders: str,
) -> None:
    """Show a problem of a number until it is taken back.

    `regions` are the countries it is about, where it is about some. Who finds out when
    the number is gone, or was disabled, leaves nothing that nobody would take back.
    """
    known = hass.config_entries.async_get_entry(entry.entry_id)
    if known is None or known.disabled_by is not None:
        return
    traits = TRAITS[problem]
    data: dict[str, str | int | float | None] = {
        "entry_id": entry.entry_id,
        "problem": problem.value,
    }
    if joined := _BETWEEN.join(sorted(regions)):
        data[_REGIONS] = joined
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id(entry, problem),
        data=data,
        is_fixable=traits.fixable,
        is_persistent=traits.lasting,
        severity=traits.severity,
        translation_key=problem.value,
        translation_placeholders={**describe(entry), **placeholders},
    )


def describe(entry: VirtualSmsConfigEntry) -> dict[str, str]:
    """Return what all texts about a number need, and no telephone number in full."""
    return {
        "name": mask_numbers(entry.title),
        "provider": ADAPTERS[EntryData.of(entry).provider].name,
    }


@callback
def async_get_regions(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, problem: Problem
) -> set[str]:
    """Return the countries that a problem of a number is about."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue_id(entry, problem))
    joined = (found.data or {}).get(_REGIONS) if found else None
    return set(str(joined or "").split())


@callback
def async_has_issue(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, problem: Problem
) -> bool:
    """Say whether a problem of a number is shown."""
    found = ir.async_get(hass).async_get_issue(DOMAIN, issue_id(entry, problem))
    return found is not None and found.active


@callback
def async_clear_issue(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, *problems: Problem
) -> None:
    """Take problems of a number back, if they were raised."""
    for problem in problems:
        ir.async_delete_issue(hass, DOMAIN, issue_id(entry, problem))


@callback
def async_set_issue(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    problem: Problem,
    *,
    is_there: bool,
    **placeholders: str,
) -> None:
    """Show a problem of a number if it is there, else take it back."""
    if is_there:
        async_raise_issue(hass, entry, problem, **placeholders)
    else:
        async_clear_issue(hass, entry, problem)


@callback
def async_clear_issues(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Take all problems of a number back."""
    async_clear_issue(hass, entry, *Problem)


def issue_id(entry: VirtualSmsConfigEntry, problem: Problem) -> str:
    """Return the id of the issue for a problem of a number."""
    return f"{problem}_{entry.entry_id}"
