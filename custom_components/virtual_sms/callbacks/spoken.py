"""What this home says by itself on the phone, in the language of who listens."""

from dataclasses import dataclass

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN


@dataclass(frozen=True, slots=True)
class Phrases:
    """Our sentences in one language; `prompt` asks for a `digit`."""

    greeting: str
    prompt: str
    thanks: str


async def async_load_phrases(hass: HomeAssistant, language: str) -> Phrases:
    """Return the sentences in a language, in English where there are none."""
    texts = await async_get_translations(hass, language, "common", [DOMAIN])
    return Phrases(
        *(
            texts[f"component.{DOMAIN}.common.call_{key}"]
            for key in ("greeting", "prompt", "thanks")
        )
    )
