"""The accounts of this home: which numbers live in each, and which are at work."""

from functools import partial
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .account_entries import account_of, async_entries_of
from .const import DOMAIN
from .core.account import Account, AccountHooks
from .entry_data import EntryData

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core.gateway import Gateway
    from .runtime import VirtualSmsConfigEntry

type AccountKey = tuple[str, str]
"""A provider and the id of an account there."""

ACCOUNTS: HassKey[dict[AccountKey, Account]] = HassKey(f"{DOMAIN}_accounts")


@callback
def async_get_account(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> Account:
    """Return the account of a number."""
    key = account_of(entry)
    accounts = hass.data.setdefault(ACCOUNTS, {})
    if key not in accounts:
        accounts[key] = Account(
            AccountHooks(
                catch_up_soon=partial(_async_catch_up_soon, hass, key),
                numbers=partial(_list_numbers, hass, key),
                spawn=hass.async_create_background_task,
            )
        )
    return accounts[key]


@callback
def async_join(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> Callable[[], None]:
    """Have a number take part in its account, until what is returned is called."""
    key, account = account_of(entry), async_get_account(hass, entry)
    leave = account.join(gateway)

    def part() -> None:
        leave()
        if not account.gateways:
            hass.data[ACCOUNTS].pop(key, None)

    return part


def _list_numbers(hass: HomeAssistant, key: AccountKey) -> list[str]:
    return [
        EntryData.of(each).number.number
        for each in async_entries_of(hass, key)
        if each.disabled_by is None
    ]


@callback
def _async_catch_up_soon(hass: HomeAssistant, key: AccountKey) -> None:
    account = hass.data[ACCOUNTS].get(key)
    at_work = {each.line.number.number for each in account.gateways} if account else ()
    for entry in async_entries_of(hass, key):
        if EntryData.of(entry).number.number in at_work:
            entry.async_create_background_task(
                hass,
                entry.runtime_data.coordinator.async_request_refresh(),
                f"{DOMAIN} catch-up",
            )
