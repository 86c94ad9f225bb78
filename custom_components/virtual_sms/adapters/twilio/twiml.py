"""What Twilio is to say, in its markup ("TwiML for Programmable Voice")."""

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..call_models import Speech

KEY_TIMEOUT: Final = 8
"""Seconds to press a key once all has been said."""
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'

# "Text-to-Speech". The first locale of a language is the one for it alone.
_LOCALES: Final = (
    *("ca-ES", "da-DK", "de-DE", "en-US", "en-AU", "en-CA", "en-GB", "en-IN"),
    *("es-ES", "es-MX", "fi-FI", "fr-FR", "fr-CA", "it-IT", "ja-JP", "ko-KR"),
    *("nb-NO", "nl-NL", "pl-PL", "pt-PT", "pt-BR", "ru-RU", "sv-SE", "zh-CN"),
    *("zh-HK", "zh-TW"),
)
_SPOKEN: Final[Mapping[str, str]] = {
    spelling: locale
    for locale in reversed(_LOCALES)
    for spelling in (locale.lower(), locale.partition("-")[0])
}
_FALLBACK: Final = "en-US"


def speak(speech: Speech) -> ET.Element:
    """Say a text, and hang up."""
    response = ET.Element("Response")
    _say(response, speech)
    return response


def listen(speech: Speech, action: str) -> ET.Element:
    """Say a text, and post the first key that is pressed meanwhile or soon after."""
    response = ET.Element("Response")
    gather = ET.SubElement(
        response,
        "Gather",
        numDigits="1",
        timeout=str(KEY_TIMEOUT),
        action=action,
        method="POST",
    )
    _say(gather, speech)
    return response


def hang_up(*, answers: bool) -> ET.Element:
    """End a call; one that rings is rejected at no cost, unless it is answered first."""
    response = ET.Element("Response")
    ET.SubElement(response, "Hangup" if answers else "Reject")
    return response


def render(response: ET.Element) -> str:
    """Write it down, with what is special in XML escaped."""
    return _DECLARATION + ET.tostring(response, encoding="unicode")


def _say(parent: ET.Element, speech: Speech) -> None:
    say = ET.SubElement(
        parent,
        "Say",
        language=_find_locale(speech.language),
        loop=str(speech.repeat),
    )
    say.text = speech.text


def _find_locale(language: str) -> str:
    """Find how Twilio writes a language; what it does not speak, it reads in English."""
    wanted = language.replace("_", "-").lower()
    base = wanted.partition("-")[0]
    return _SPOKEN.get(wanted) or _SPOKEN.get(base) or _FALLBACK
