"""Ask nothing."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class EmptyFlow(ConfigFlow, domain="empty"):
    """Make an entry at once."""

    @override
    async def async_step_user(
        self, _: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        return self.async_create_entry(title="Empty", data={})
