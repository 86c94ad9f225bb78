"""The notify entity of a contact or a group: a text to them, by the line they have."""

from collections.abc import Iterable
from typing import override

# The newest has the feature in another module, which the floor does not have.
from homeassistant.components.notify import (  # type: ignore[attr-defined]  # see above
    NotifyEntity,
    NotifyEntityDescription,
    NotifyEntityFeature,
)

from ..actions.send_request import SendRequest
from ..actions.sending import async_send
from ..core.contacts import Contact, Group
from ..runtime import VirtualSmsConfigEntry
from .contact_entity import PeopleEntity

NOTIFIER = NotifyEntityDescription(key="notify", name=None)


class PeopleNotifier(PeopleEntity, NotifyEntity):
    """Text a contact, or each member of a group once.

    It is always available, for Home Assistant drops without a word what is sent to
    an entity that is not. What cannot be sent now waits, or raises.
    """

    _attr_supported_features = NotifyEntityFeature.TITLE
    _attr_available = True

    @override
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        request = SendRequest(contacts=[self._whose.own_id], text=message, title=title)
        report = await async_send(self.hass, None, request)
        report.raise_for_failures(answered=False)


def create_notifiers(
    entry: VirtualSmsConfigEntry, whose: Contact | Group
) -> Iterable[NotifyEntity]:
    """Create the notify entity of a contact or a group."""
    return [PeopleNotifier(entry, whose, NOTIFIER)]
