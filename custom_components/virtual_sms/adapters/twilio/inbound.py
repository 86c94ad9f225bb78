"""What Twilio says of messages that were written to us.

Facts are from twilio.com/docs, named by the title of the page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
import re
from typing import Any, Final

from ..models import InboundMessage, Media, SetAside, SetAsideReason
from ..wishes import Wish
from .lists import Unreadable
from .records import read_count, read_text, read_time

# "Channels", as in whatsapp:+33612345678.
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_.-]*:", re.ASCII | re.IGNORECASE)
_FORMATTING: Final = re.compile(
    r"[\s().\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u206f\ufeff-]"
)
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_MEDIA_URL: Final = re.compile(r"MediaUrl([0-9]{1,4})", re.ASCII)
_IDS: Final = ("MessageSid", "SmsMessageSid", "SmsSid")
# "Customize User Opt-out Keywords": HELP is a wish for words only.
_WISHES: Final = {"STOP": Wish.STOP, "START": Wish.START}
_INBOUND: Final = frozenset({"received", "receiving"})


@dataclass(frozen=True, slots=True)
class Found:
    """An inbound message of a list, and how many files should come with it."""

    message: InboundMessage
    files: int
    is_complete: bool

    @property
    def id(self) -> str:
        """Return the provider's id."""
        return self.message.message_id

    @property
    def at(self) -> datetime:
        """Return when it was received."""
        return self.message.received_at


def read_address(value: str | None) -> str:
    """Write a number as E.164 whatever channel it names; others stay as they are."""
    bare = _CHANNEL.sub("", (value or "").strip(), count=1)
    number = _FORMATTING.sub("", bare)
    return number if _E164.fullmatch(number) else value or ""


def read_inbound(record: Any) -> Found | None:
    """Read an inbound message, while it is being received as well."""
    if read_text(record.direction) != "inbound":
        return None
    moment = record.date_sent or record.date_created or record.date_updated
    message = InboundMessage(
        message_id=read_text(record.sid),
        number=read_address(record.to) or None,
        sender=read_address(record.from_),
        text=record.body or "",
        received_at=read_time(moment),
        segments=read_count(record.num_segments),
    )
    files = read_count(record.num_media) or 0
    return Found(message, files, is_complete=record.status != "receiving")


def pick_found(
    listed: Iterable[Found | Unreadable | None], start: datetime
) -> list[Found | Unreadable]:
    """Pick what was received since then, the newest given first; the oldest goes first.

    What cannot be read is among it unless it says that it is older, or ours.
    """
    found = [
        each
        for each in listed
        if each is not None
        and not (isinstance(each, Unreadable) and each.is_outbound)
        and (each.at or start) >= start
    ]
    # Twilio knows no fractions of a second.
    found.reverse()
    found.sort(key=lambda each: each.at or start)
    return found


def incomplete(message: InboundMessage) -> SetAside:
    """Set a message aside with what there is of it."""
    return SetAside(
        record_id=message.message_id,
        reason=SetAsideReason.INCOMPLETE,
        at=message.received_at,
        message=message,
    )


def with_files(found: Found, files: tuple[Media, ...]) -> InboundMessage | SetAside:
    """Put a message and its files together; one is missing if fewer are listed."""
    message = replace(found.message, media=files)
    whole = found.is_complete and len(files) >= found.files
    return message if whole else incomplete(message)


def read_status(fields: Mapping[str, str]) -> str | None:
    """Return the status that a callback tells of a message of ours, if it does.

    Its older name also tells that a message was written to us.
    """
    if "MessageStatus" in fields:
        return read_text(fields["MessageStatus"])
    status = fields.get("SmsStatus")
    return None if status in _INBOUND else status or None


def read_callback_id(fields: Mapping[str, str]) -> str:
    """Read which message a callback is about, by its present name or older ones."""
    return read_text(next((fields[name] for name in _IDS if fields.get(name)), None))


def read_inbound_callback(fields: Mapping[str, str], now: datetime) -> InboundMessage:
    """Read an inbound callback, which carries no time but comes while the message does.

    All but the id and who wrote may be missing: a picture has no text.
    """
    return InboundMessage(
        message_id=read_callback_id(fields),
        number=read_address(fields.get("To")) or None,
        sender=read_address(fields["From"]),
        text=fields.get("Body", ""),
        received_at=now,
        segments=read_count(fields.get("NumSegments")),
        media=_media(fields),
        wish=_WISHES.get(fields.get("OptOutType", "").upper()),
    )


def _media(fields: Mapping[str, str]) -> tuple[Media, ...]:
    indexes = sorted(
        int(match[1])
        for name, url in fields.items()
        if url and (match := _MEDIA_URL.fullmatch(name))
    )
    return tuple(
        Media(
            url=fields[f"MediaUrl{index}"],
            content_type=fields.get(f"MediaContentType{index}") or None,
        )
        for index in indexes
    )
