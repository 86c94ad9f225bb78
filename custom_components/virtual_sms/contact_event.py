"""The event entity of a contact: what they wrote, to whichever line."""

from collections.abc import Iterable

from .contact_entity import ContactEntity
from .core.contacts import Contact, Group
from .event import EVENTS, VirtualSmsEvent
from .runtime import VirtualSmsConfigEntry

(MESSAGE,) = (each for each in EVENTS if each.key == "message")


class ContactEvent(ContactEntity, VirtualSmsEvent):
    """A contact wrote."""


def create_events(
    entry: VirtualSmsConfigEntry, whose: Contact | Group
) -> Iterable[VirtualSmsEvent]:
    """Create the event entity of a contact; a group writes nothing."""
    return [] if isinstance(whose, Group) else [ContactEvent(entry, whose, MESSAGE)]
