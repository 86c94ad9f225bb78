"""The entries of one account: several numbers may share a callback URL."""

from typing import TYPE_CHECKING, Any

from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback

from .adapters.models import CallbackUrls
from .const import (
    CONF_ACCOUNT,
    CONF_CALLBACK_URL,
    CONF_PREVIOUS_CALLBACKS,
    CONF_PROVIDER,
    DOMAIN,
)

if TYPE_CHECKING:
    from .runtime import VirtualSmsConfigEntry


def account_of(entry: VirtualSmsConfigEntry) -> tuple[str, str]:
    """Return what tells an account from all others: its provider and its id."""
    return entry.data[CONF_PROVIDER], entry.data[CONF_ACCOUNT]


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
def async_siblings(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> list[VirtualSmsConfigEntry]:
    """List the other entries of an entry's account."""
    return [
        other
        for other in async_entries_of(hass, account_of(entry))
        if other.entry_id != entry.entry_id
    ]


@callback
def async_own_marks(hass: HomeAssistant, provider: str, account: str) -> list[str]:
    """List what marks a URL in an account as this home's.

    A cloud URL names no webhook, so whole URLs count as well.
    """
    entries = [entry.data for entry in async_entries_of(hass, (provider, account))]
    webhooks = [data[CONF_WEBHOOK_ID] for data in entries]
    return webhooks + [
        data[CONF_CALLBACK_URL] for data in entries if CONF_CALLBACK_URL in data
    ]


def previous_data(previous: CallbackUrls) -> dict[str, Any]:
    """Return what an entry's data keeps of foreign URLs that ours replaced."""
    urls = {"inbound": previous.inbound, "status": previous.status}
    return {CONF_PREVIOUS_CALLBACKS: urls}
