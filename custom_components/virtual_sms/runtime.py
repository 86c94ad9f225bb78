"""What lives as long as a config entry is loaded."""

from collections import Counter
from dataclasses import dataclass, field

from homeassistant.config_entries import ConfigEntry

from .callbacks.registrar import Registrar
from .callbacks.retired_secrets import RetiredSecrets
from .coordinator import VirtualSmsCoordinator
from .core.attachments import Attachments
from .core.gateway import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A number at work, what is polled of it, and how its callbacks were answered."""

    gateway: Gateway
    coordinator: VirtualSmsCoordinator
    registrar: Registrar
    retired_secrets: RetiredSecrets
    attachments: Attachments
    answers: Counter[int] = field(default_factory=Counter)
    """How many callbacks got which HTTP status."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How many callbacks were refused, by the reason."""


type VirtualSmsConfigEntry = ConfigEntry[Runtime]
