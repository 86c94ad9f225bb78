"""Home Assistant's cloud integration, as far as a webhook is concerned.

The real one needs packages that tests do not have.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.core import HomeAssistant


class Cloud(ModuleType):
    """Stand in for the module; `hooks` holds the URLs by webhook."""

    URL = "https://hooks.example/abc"

    class CloudNotAvailable(HomeAssistantError):  # noqa: N818
        """The real one's error."""

    def __init__(self) -> None:
        """Begin with a subscription, and no webhooks."""
        super().__init__("homeassistant.components.cloud")
        self.subscribed = True
        self.url = self.URL
        self.remote: str | None = None
        self.failure: Exception | None = None
        self.hooks: dict[str, str] = {}
        self.listeners: list[Callable[..., None]] = []

    def async_active_subscription(self, _: HomeAssistant) -> bool:
        """Say whether there is a subscription."""
        return self.subscribed

    def async_remote_ui_url(self, _: HomeAssistant) -> str:
        """Return where the home is controlled from afar, if that is switched on."""
        if self.remote is None:
            raise self.CloudNotAvailable
        return self.remote

    async def async_get_or_create_cloudhook(
        self, _: HomeAssistant, webhook_id: str
    ) -> str:
        """Relay a webhook."""
        if self.failure is not None:
            raise self.failure
        return self.hooks.setdefault(webhook_id, self.url)

    async def async_delete_cloudhook(self, _: HomeAssistant, webhook_id: str) -> None:
        """Relay it no longer, or fail as the real one does."""
        if self.failure is not None:
            raise self.failure
        if self.hooks.pop(webhook_id, None) is None:
            raise ValueError("Hook is not enabled for the cloud.")

    def async_listen_connection_change(
        self, _: HomeAssistant, listener: Callable[..., None]
    ) -> Callable[[], None]:
        """Have a listener hear when the cloud comes and goes."""
        return self._listen(listener)

    def async_listen_cloudhook_change(
        self, _: HomeAssistant, webhook_id: str, listener: Callable[..., None]
    ) -> Callable[[], None]:
        """Have a listener hear when a webhook's address changes."""
        return self._listen(listener)

    def _listen(self, listener: Callable[..., None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)
