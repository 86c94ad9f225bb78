"""Our own texts, in the language of this home."""

from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_load_integrations,
)

from .const import DOMAIN


async def async_load_texts(hass: HomeAssistant) -> None:
    """Have our texts at hand, also before there is an entry."""
    await async_load_integrations(hass, {DOMAIN})


@callback
def async_follow_language(hass: HomeAssistant) -> None:
    """Load our texts anew when the home gets another language.

    Home Assistant does so into a cache that nobody reads.
    """

    async def load(_: Event) -> None:
        await async_load_texts(hass)

    hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, load)


@callback
def find_text(hass: HomeAssistant, category: str, path: str) -> str | None:
    """Find a text; it is English while those of another language are being loaded."""
    texts = async_get_cached_translations(
        hass, hass.config.language, category, DOMAIN
    ) or async_get_cached_translations(hass, "en", category, DOMAIN)
    return texts.get(f"component.{DOMAIN}.{path}")


@callback
def get_text(hass: HomeAssistant, category: str, path: str) -> str:
    """Return a text, or where it should stand if there is none."""
    return find_text(hass, category, path) or path
