"""Our own texts, in the language of the home, whatever it was before."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms import texts
from custom_components.virtual_sms.error_messages import find_sentence
from custom_components.virtual_sms.texts import get_text

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

PATH = "common.logbook_someone"


def read(language: str) -> str:
    """Return what the file of a language says."""
    path = Path(texts.__file__).with_name("translations") / f"{language}.json"
    return str(json.loads(path.read_text("utf-8"))["common"]["logbook_someone"])


@pytest.mark.usefixtures("twilio_entry")
async def test_a_home_that_is_switched_to_french(hass: HomeAssistant) -> None:
    """Each sentence is French from then on, without a restart."""
    english = find_sentence(hass, "ovh_empty_text")
    await hass.config.async_update(language="fr")
    await hass.async_block_till_done()
    french = find_sentence(hass, "ovh_empty_text")
    assert french != english
    assert get_text(hass, "common", PATH) == read("fr")


@pytest.mark.usefixtures("twilio_entry")
async def test_english_while_another_language_is_loading(hass: HomeAssistant) -> None:
    """Until new texts are there, nobody reads the key of one that we have."""
    hass.config.language = "of nobody"
    assert get_text(hass, "common", PATH) == read("en")
    assert get_text(hass, "common", "common.none") == "common.none"
