"""Understand who wants no more messages, and who wants them again.

Providers and laws know a few words for it, which count as the whole text. Where the
provider itself has understood another word, its own reading counts.
"""

from collections.abc import Mapping
import sqlite3
from typing import Final
import unicodedata

from ..adapters.models import InboundMessage
from ..adapters.plain_text import drop_unseen
from ..adapters.wishes import Wish
from ..store.consent import Source, list_stopped, note_consent

_STOP: Final = (
    "STOP STOPALL UNSUBSCRIBE END QUIT CANCEL ARRET ARRÊT DESABONNER".casefold().split()
)
_START: Final = "START UNSTOP REPRENDRE".casefold().split()
_WORDS: Final[Mapping[str, Wish]] = {
    **dict.fromkeys(_STOP, Wish.STOP),
    **dict.fromkeys(_START, Wish.START),
}
_YES: Final = "YES".casefold()
"""It means so much else that it counts only after a stop."""
_SOURCES: Final = {Wish.STOP: Source.STOP, Wish.START: Source.START}


def follow_wish(connection: sqlite3.Connection, message: InboundMessage) -> None:
    """Note what a new message says about further ones, if it does."""
    wish = _read_wish(connection, message)
    if wish is not None:
        source, at = _SOURCES[wish], message.received_at
        note_consent(connection, message.sender, source, at)


def is_wish(message: InboundMessage) -> bool:
    """Say whether a message is about further ones, whatever was before."""
    return message.wish is not None or _fold(message.text) in _WORDS


def may_be_wish(message: InboundMessage) -> bool:
    """Say whether a message may change what its sender wants."""
    return is_wish(message) or _fold(message.text) == _YES


def _fold(text: str) -> str:
    """Return what is compared of a text: as it looks, however it is encoded."""
    return unicodedata.normalize("NFC", drop_unseen(text)).strip().casefold()


def _read_wish(connection: sqlite3.Connection, message: InboundMessage) -> Wish | None:
    if message.wish is not None:
        return message.wish
    word = _fold(message.text)
    if word == _YES and list_stopped(connection, [message.sender]):
        return Wish.START
    return _WORDS.get(word)
