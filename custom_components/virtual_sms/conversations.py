"""What may be read of a number's conversations: for how long, by whom, and who it is."""

from dataclasses import dataclass, field
import logging

from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util.json import JsonObjectType, JsonValueType

from .bus import name_media
from .const import DOMAIN
from .core.contacts import Directory
from .people.contacts import SIGNAL_PEOPLE, async_directory
from .runtime import VirtualSmsConfigEntry
from .store.attachments import PartTypes
from .store.conversations import Conversation, StoredMessage
from .store.database import CANNOT_WRITE

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """Whom a conversation is with: their number or name, and the contact it is."""

    correspondent: str = field(repr=False)
    contact: str | None = field(default=None, repr=False)
    contact_id: str | None = None

    def describe(self) -> JsonObjectType:
        """Return what a command says of them."""
        return {
            "correspondent": self.correspondent,
            "contact": self.contact,
            "contact_id": self.contact_id,
        }


@callback
def async_may_read(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, user: User
) -> bool:
    """Say whether a user may read what is written: who may see the number's events."""
    entity_id = er.async_get(hass).async_get_entity_id(
        Platform.EVENT, DOMAIN, f"{entry.entry_id}_message"
    )
    if entity_id is None:
        return user.is_admin
    return user.permissions.check_entity(entity_id, POLICY_READ)


@callback
def async_identify(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, correspondent: str
) -> Correspondent:
    """Return who a correspondent is, as the home knows its people now."""
    found = async_directory(hass).find_sender(correspondent, entry.entry_id)
    if found is None:
        return Correspondent(correspondent=correspondent)
    return Correspondent(
        correspondent=correspondent, contact=found.name, contact_id=found.contact_id
    )


@callback
def async_forget_with_people(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> CALLBACK_TYPE:
    """Delete what was written with a contact when the contact is removed.

    A number that is at rest then keeps it for the days that it keeps everything.
    Returns how to stop.
    """
    known = async_directory(hass)

    @callback
    def follow() -> None:
        nonlocal known
        before, known = known, async_directory(hass)
        if gone := _list_gone(before, known):
            entry.async_create_background_task(
                hass, _async_forget(entry, gone), f"{DOMAIN} forget"
            )

    return async_dispatcher_connect(hass, SIGNAL_PEOPLE, follow)


def _list_gone(before: Directory, now: Directory) -> list[str]:
    """List the numbers of contacts that were removed, and are nobody else's."""
    return [
        number
        for contact in before.contacts
        if now.get_contact(contact.contact_id) is None
        for number in contact.numbers
        if now.find_sender(number) is None
    ]


async def _async_forget(entry: VirtualSmsConfigEntry, gone: list[str]) -> None:
    """Forget; a disk that fails now is no reason for a removal to fail."""
    runtime = entry.runtime_data
    try:
        await runtime.gateway.store.conversations.forget(gone)
        await runtime.attachments.tidy()
    except CANNOT_WRITE as err:
        _LOGGER.warning("A conversation was not deleted: %s", type(err).__name__)


def describe_conversation(
    who: Correspondent, conversation: Conversation
) -> JsonObjectType:
    """Return a line of the list of conversations."""
    return {
        **who.describe(),
        "last_at": conversation.last.at.isoformat(),
        "last_text": conversation.last.text,
        "unread": conversation.unread,
    }


def describe_message(
    message: StoredMessage, entry_id: str, kept: PartTypes
) -> JsonObjectType:
    """Return a message of a conversation of a number, with the files that are kept.

    Who wrote it was judged if it came in.
    """
    is_inbound = message.is_inbound
    return {
        "message_id": message.message_id,
        "direction": "inbound" if is_inbound else "outbound",
        "text": message.text,
        "at": message.at.isoformat(),
        "status": message.status and message.status.value,
        "reason": message.reason and message.reason.value,
        "segments": message.segments,
        "media": _describe_media(message, entry_id, kept),
        **(
            {"trust": message.trust and message.trust.shown.value} if is_inbound else {}
        ),
    }


def _describe_media(
    message: StoredMessage, entry_id: str, kept: PartTypes
) -> list[JsonValueType]:
    """Return the files of a message: those that are kept are media items of this home.

    What came in is fetched when it is asked for. What was sent as a link is a file here,
    and none of the message's own.
    """
    own = dict(enumerate(message.media))
    is_here = {part: message.is_inbound or part in kept for part in (*own, *kept)}
    return [
        {
            "content_type": kept[part] if part in kept else own[part].content_type,
            "url": own[part].url if part in own else None,
            "media_content_id": name_media(entry_id, message.message_id, part)
            if is_here[part]
            else None,
        }
        for part in sorted(is_here)
    ]
