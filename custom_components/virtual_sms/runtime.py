"""What lives as long as a config entry is loaded."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .coordinator import VirtualSmsCoordinator
from .gateway import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A number at work, and what is polled of it."""

    gateway: Gateway
    coordinator: VirtualSmsCoordinator


type VirtualSmsConfigEntry = ConfigEntry[Runtime]

GATEWAYS: HassKey[dict[str, Gateway]] = HassKey(f"{DOMAIN}_gateways")
"""The gateways that can receive, by entry id: a little before an entry is loaded."""
