"""Keep our callback URL at the provider for as long as an entry exists."""

import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback

from .adapters.base import SmsAdapter
from .adapters.errors import SmsError
from .adapters.models import CallbackUrls, PhoneNumber
from .callbacks import CallbackRegistration
from .const import (
    CONF_ACCOUNT,
    CONF_CALLBACK_URL,
    CONF_CREDENTIALS,
    CONF_MODE,
    CONF_NUMBER,
    CONF_PREVIOUS_CALLBACKS,
    CONF_PROVIDER,
    DOMAIN,
    MODE_AUTOMATIC,
)
from .helpers import async_create_adapter
from .line import Line
from .public_url import NoPublicUrlError, async_callback_url

_LOGGER = logging.getLogger(__name__)


async def async_ensure_callbacks(
    hass: HomeAssistant, entry: ConfigEntry, line: Line
) -> None:
    """Register the home's present URL with the provider, if that is our task.

    What fails is logged: polling finds what no callback brings meanwhile.
    """
    if entry.data[CONF_MODE] != MODE_AUTOMATIC:
        return
    try:
        url = await async_callback_url(hass, entry.data[CONF_WEBHOOK_ID])
        await _registration(hass, entry, line.adapter).claim(url)
    except NoPublicUrlError:
        _LOGGER.warning(
            "This home has no external URL any more, so %s cannot call it. Set one in"
            " the network settings",
            line.adapter.name,
        )
    except SmsError as err:
        _LOGGER.warning(
            "The callback URL at %s could not be checked: %s",
            line.adapter.name,
            err.code,
        )
    else:
        line.callback_url = url
        data = {**entry.data, CONF_CALLBACK_URL: url}
        hass.config_entries.async_update_entry(entry, data=data)


async def async_release_callbacks(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take our URL back from the provider, and put back what stood there before."""
    url = entry.data.get(CONF_CALLBACK_URL)
    if url is None or entry.data[CONF_MODE] != MODE_AUTOMATIC:
        return
    provider, credentials = entry.data[CONF_PROVIDER], entry.data[CONF_CREDENTIALS]
    previous = entry.data.get(CONF_PREVIOUS_CALLBACKS)
    heir = _find_heir(hass, entry)
    try:
        adapter = await async_create_adapter(hass, provider, credentials)
        await _registration(hass, entry, adapter).release(
            url,
            previous=CallbackUrls(**previous) if previous else None,
            heir=heir.data[CONF_CALLBACK_URL] if heir else None,
        )
    except SmsError as err:
        _LOGGER.warning(
            "The callback URL could not be removed (%s): clear it in the console of %s",
            err.code,
            provider,
        )
    if heir and previous:
        data = {**heir.data, CONF_PREVIOUS_CALLBACKS: previous}
        hass.config_entries.async_update_entry(heir, data=data)


def _find_heir(hass: HomeAssistant, entry: ConfigEntry) -> ConfigEntry | None:
    """Return the entry that needs the account's callbacks after this one."""
    return next(
        (
            sibling
            for sibling in async_siblings(hass, entry)
            if sibling.data[CONF_MODE] == MODE_AUTOMATIC
            and CONF_CALLBACK_URL in sibling.data
        ),
        None,
    )


@callback
def async_siblings(hass: HomeAssistant, entry: ConfigEntry) -> list[ConfigEntry]:
    """List the other entries of an entry's account."""
    return [
        other
        for other in hass.config_entries.async_entries(DOMAIN)
        if other.entry_id != entry.entry_id and _account(other) == _account(entry)
    ]


def _account(entry: ConfigEntry) -> tuple[str, str]:
    return entry.data[CONF_PROVIDER], entry.data[CONF_ACCOUNT]


def _registration(
    hass: HomeAssistant, entry: ConfigEntry, adapter: SmsAdapter
) -> CallbackRegistration:
    family = [entry, *async_siblings(hass, entry)]
    return CallbackRegistration(
        adapter=adapter,
        number=PhoneNumber(
            account=entry.data[CONF_ACCOUNT], number=entry.data[CONF_NUMBER]
        ),
        own=[mark for each in family for mark in _marks(each)],
    )


def _marks(entry: ConfigEntry) -> list[str]:
    """List what tells that a URL leads to an entry: a cloud URL names no webhook."""
    url = entry.data.get(CONF_CALLBACK_URL)
    return [entry.data[CONF_WEBHOOK_ID], *([url] if url else [])]
