"""Hold all that is simulated, without the HTTP that serves it."""

from typing import Final

from .base import AnyProvider
from .faults import Faults
from .ovh import Ovh
from .twilio import Twilio
from .world import World

PROVIDERS: Final[list[type[AnyProvider]]] = [Twilio, Ovh]
"""The providers: a line each."""


class State(World):
    """Hold the providers, the faults asked for, and the world they share."""

    def __init__(self) -> None:
        """Start with every provider in its factory state."""
        super().__init__()
        self.faults = Faults()
        self.providers = {kind.key: kind(self) for kind in PROVIDERS}
        self.twilio = self._get(Twilio)
        self.ovh = self._get(Ovh)

    def _get[P: AnyProvider](self, kind: type[P]) -> P:
        return next(each for each in self.providers.values() if isinstance(each, kind))

    def reset(self) -> None:
        """Return to the state after the start, keeping the port."""
        self.clock_offset, self.date_header = 0, None
        for provider in self.providers.values():
            provider.reset()
        self.faults.clear()
        self.requests.clear()
        self.callbacks.clear()
        self.pace, self.automatic = 0.5, True
