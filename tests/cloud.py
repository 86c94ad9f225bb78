"""Home Assistant's cloud integration, as far as a webhook is concerned.

The real one needs packages that tests do not have.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from homeassistant.exceptions import HomeAssistantError

if TYPE_CHECKING:
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
        self.failure: Exception | None = None
        self.hooks: dict[str, str] = {}

    def async_active_subscription(self, _: HomeAssistant) -> bool:
        """Say whether there is a subscription."""
        return self.subscribed

    async def async_get_or_create_cloudhook(
        self, _: HomeAssistant, webhook_id: str
    ) -> str:
        """Relay a webhook."""
        if self.failure is not None:
            raise self.failure
        return self.hooks.setdefault(webhook_id, self.URL)

    async def async_delete_cloudhook(self, _: HomeAssistant, webhook_id: str) -> None:
        """Relay it no longer, or fail as the real one does."""
        if self.failure is not None:
            raise self.failure
        if self.hooks.pop(webhook_id, None) is None:
            raise ValueError("Hook is not enabled for the cloud.")
