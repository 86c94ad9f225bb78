"""The entries of one account: several numbers may share a callback URL."""

from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback

from .adapters import ADAPTERS
from .adapters.models import Capability
from .const import DOMAIN
from .entry_data import EntryData

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry


def account_of(entry: VirtualSmsConfigEntry) -> tuple[str, str]:
    """Return what tells an account from all others: its provider and its id."""
    return EntryData.of(entry).account


@callback
def async_entries_of(
    hass: HomeAssistant, account: tuple[str, str]
) -> list[VirtualSmsConfigEntry]:
    """List the entries of an account, see `account_of`."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if account_of(entry) == account
    ]


@callback
def async_known_accounts(hass: HomeAssistant) -> dict[str, list[VirtualSmsConfigEntry]]:
    """List the loaded entries by account, as `provider:account`.

    Only keys that have opened their number are worth being used for another one.
    """
    accounts: dict[str, list[VirtualSmsConfigEntry]] = {}
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        accounts.setdefault(":".join(account_of(entry)), []).append(entry)
    return accounts


@callback
def async_other_entries(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> list[VirtualSmsConfigEntry]:
    """List the other entries of an entry's account."""
    return [
        other
        for other in async_entries_of(hass, account_of(entry))
        if other.entry_id != entry.entry_id
    ]


@callback
def async_own_marks(hass: HomeAssistant, account: tuple[str, str]) -> list[str]:
    """List what marks a URL in an account as this home's.

    A cloud URL names no webhook, so whole URLs count as well.
    """
    lines = [EntryData.of(entry) for entry in async_entries_of(hass, account)]
    urls = [line.callback_url for line in lines if line.callback_url is not None]
    return [line.webhook_id for line in lines] + urls


@callback
def async_find_successor(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> VirtualSmsConfigEntry | None:
    """Return the entry that needs the account's callbacks after this one.

    Where each number has a URL of its own, there is nothing to inherit.
    """
    provider = ADAPTERS[EntryData.of(entry).provider]
    if Capability.SHARED_CALLBACK_URLS not in provider.capabilities:
        return None
    others = async_other_entries(hass, entry)
    return next((each for each in others if _can_be_called(each)), None)


def _can_be_called(entry: VirtualSmsConfigEntry) -> bool:
    data = EntryData.of(entry)
    is_registered = data.is_automatic and data.callback_url is not None
    return is_registered and entry.disabled_by is None
