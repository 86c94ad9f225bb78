"""Put the card on the dashboards: serve its file, and name it among their resources.

A resource is loaded when the page is ready for it; a module that the page itself asks
for may come too early, and the card is unknown then. The name of the file holds its
version, for a browser keeps what it has for a month.
"""

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

from homeassistant.components.http.server import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

ISSUE: Final = "card_resource"
URL: Final = f"/{DOMAIN}/virtual-sms-card.js"
"""Where the newest card always is: for dashboards that are written by hand."""
_FILE: Final = Path(__file__).parent / "frontend" / "virtual-sms-card.js"
_PREFIX: Final = URL.removesuffix(".js")
_STORAGE: Final = "storage"
_KIND: Final = "module"


class Resources(Protocol):
    """What we use of a dashboard's resources; only stored ones can be changed."""

    async def async_get_info(self) -> dict[str, int]:
        """Load them, if they are not yet."""

    def async_items(self) -> list[dict[str, Any]]:
        """List them."""

    async def async_create_item(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add one."""

    async def async_update_item(
        self, item_id: str, updates: dict[str, Any]
    ) -> dict[str, Any]:
        """Change one."""

    async def async_delete_item(self, item_id: str) -> None:
        """Remove one."""


class Lovelace(Protocol):
    """What we use of Home Assistant's dashboards."""

    resource_mode: str
    resources: Resources


# Named here, for to import it would load all of the frontend.
_LOVELACE: HassKey[Lovelace] = HassKey("lovelace")
_CARD: HassKey[Card] = HassKey(f"{DOMAIN}_card")


class Card:
    """The card at its address of this version, one change of the resources at a time."""

    def __init__(self, url: str) -> None:
        """Take the address."""
        self.url = url
        self.lock = asyncio.Lock()


async def async_setup_card(hass: HomeAssistant) -> None:
    """Serve the file of the card."""
    content = await hass.async_add_executor_job(_FILE.read_bytes)
    card = hass.data[_CARD] = Card(f"{_PREFIX}-{sha256(content).hexdigest()[:12]}.js")
    await hass.http.async_register_static_paths(
        [
            StaticPathConfig(card.url, str(_FILE), cache_headers=True),
            StaticPathConfig(URL, str(_FILE), cache_headers=False),
        ]
    )


async def async_offer_card(hass: HomeAssistant) -> None:
    """Let the dashboards load the card; say what to add where they are written by hand."""
    card, lovelace = hass.data[_CARD], hass.data.get(_LOVELACE)
    if lovelace is None:
        return
    async with card.lock:
        ours = await _async_list_ours(lovelace.resources)
        if lovelace.resource_mode == _STORAGE:
            await _async_store(lovelace.resources, ours, card.url)
        elif not ours:
            _raise_issue(hass)
        else:
            ir.async_delete_issue(hass, DOMAIN, ISSUE)


async def async_withdraw_card(hass: HomeAssistant) -> None:
    """Leave nothing on the dashboards: the last number is gone."""
    ir.async_delete_issue(hass, DOMAIN, ISSUE)
    card, lovelace = hass.data.get(_CARD), hass.data.get(_LOVELACE)
    if card is None or lovelace is None or lovelace.resource_mode != _STORAGE:
        return
    async with card.lock:
        for each in await _async_list_ours(lovelace.resources):
            await lovelace.resources.async_delete_item(each["id"])


async def _async_list_ours(resources: Resources) -> list[dict[str, Any]]:
    await resources.async_get_info()
    return [each for each in resources.async_items() if each["url"].startswith(_PREFIX)]


async def _async_store(
    resources: Resources, ours: list[dict[str, Any]], url: str
) -> None:
    """Have the card of this version loaded, and no other."""
    for extra in ours[1:]:
        await resources.async_delete_item(extra["id"])
    if not ours:
        await resources.async_create_item({"res_type": _KIND, "url": url})
    elif ours[0]["url"] != url:
        await resources.async_update_item(ours[0]["id"], {"url": url})


def _raise_issue(hass: HomeAssistant) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE,
        translation_placeholders={"lines": f"- url: {URL}\n  type: {_KIND}"},
    )
