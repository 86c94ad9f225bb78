"""Let a dashboard read a number's conversations, and follow them.

Each command names a number by its config entry, and is for users who may read the
number's event entity: whoever may see that something was received, and what.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial, wraps
import sqlite3
from typing import TYPE_CHECKING, Any, Final, assert_never

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.components.websocket_api.decorators import (
    async_response,
    websocket_command,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers.dispatcher import (
    async_dispatcher_connect,
    async_dispatcher_send,
)
from homeassistant.helpers.service import async_get_config_entry
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType, JsonValueType
from homeassistant.util.signal_type import SignalTypeFormat

from .actions.limits import simplifies
from .bus import EventData, Unquoted, async_listen
from .const import DOMAIN
from .conversations import (
    async_identify,
    async_may_read,
    describe_conversation,
    describe_message,
)
from .core.attachments import Attachments
from .runtime import VirtualSmsConfigEntry
from .store.attachments import PartTypes
from .store.changes import CallChanged, Change, Received, StatusChanged
from .store.conversations import MOST_AT_ONCE, Conversations, StoredMessage
from .store.database import DatabaseClosedError

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

_ENTRY_ID: Final = "entry_id"
_DEFAULT_LIMIT: Final = 50
_READ: Final[SignalTypeFormat[Unquoted[str]]] = SignalTypeFormat(f"{DOMAIN}_read_{{}}")
"""Sent with a correspondent whose messages of a number were read."""

type Message = dict[str, Any]
type Describe = Callable[[StoredMessage, PartTypes], JsonObjectType]
type Answer = Callable[
    [HomeAssistant, VirtualSmsConfigEntry, Message], Awaitable[JsonValueType]
]


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register the commands."""
    for command in (
        _describe_line,
        _list_conversations,
        _read_conversation,
        _mark_read,
        _subscribe,
    ):
        async_register_command(hass, command)


@callback
def _async_find(
    hass: HomeAssistant, connection: ActiveConnection, msg: Message
) -> VirtualSmsConfigEntry | None:
    """Return the number of a command if it is loaded, else say that it is not.

    Raises Unauthorized for a user who may not read it; who is no administrator does
    not learn which numbers there are either.
    """
    entry = hass.config_entries.async_get_entry(msg[_ENTRY_ID])
    user = connection.user
    may_read = (
        async_may_read(hass, entry, user)
        if entry is not None and entry.domain == DOMAIN
        else user.is_admin
    )
    if not may_read:
        raise Unauthorized(user_id=user.id)
    try:
        found: VirtualSmsConfigEntry = async_get_config_entry(
            hass, DOMAIN, msg[_ENTRY_ID]
        )
    except ServiceValidationError as err:
        connection.send_error(
            msg["id"],
            ERR_NOT_FOUND,
            str(err),
            translation_key=err.translation_key,
            translation_domain=err.translation_domain,
            translation_placeholders=err.translation_placeholders,
        )
        return None
    return found


@callback
def _may_still_read(
    hass: HomeAssistant, connection: ActiveConnection, entry: VirtualSmsConfigEntry
) -> bool:
    """Say whether a user who is connected may read a number by now.

    Home Assistant may leave the connections open of a user who was removed.
    """
    token = connection.refresh_token_id
    is_known = token is None or hass.auth.async_get_refresh_token(token) is not None
    user = connection.user
    return is_known and user.is_active and async_may_read(hass, entry, user)


def _answers(
    answer: Answer,
) -> Callable[[HomeAssistant, ActiveConnection, Message], None]:
    """Make a command of a function that returns its answer."""

    @async_response
    @wraps(answer)
    async def command(
        hass: HomeAssistant, connection: ActiveConnection, msg: Message
    ) -> None:
        entry = _async_find(hass, connection, msg)
        if entry is None:
            return
        try:
            result = await answer(hass, entry, msg)
        except DatabaseClosedError as err:
            raise _trouble("entry_not_loaded") from err
        except sqlite3.Error as err:
            raise _trouble("disk_failed") from err
        connection.send_result(msg["id"], result)

    return command


def _trouble(key: str) -> HomeAssistantError:
    return HomeAssistantError(translation_domain=DOMAIN, translation_key=key)


def _conversations(entry: VirtualSmsConfigEntry) -> Conversations:
    return entry.runtime_data.gateway.store.conversations


@websocket_command(
    {vol.Required("type"): f"{DOMAIN}/line", vol.Required(_ENTRY_ID): str}
)
@_answers
async def _describe_line(
    _hass: HomeAssistant, entry: VirtualSmsConfigEntry, _: Message
) -> JsonValueType:
    """Say what becomes of a text before a number sends it."""
    return {"simplify": simplifies(entry, asked=None)}


@websocket_command(
    {vol.Required("type"): f"{DOMAIN}/conversations", vol.Required(_ENTRY_ID): str}
)
@_answers
async def _list_conversations(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, _: Message
) -> JsonValueType:
    """List the conversations of a number, that with the newest message first."""
    return [
        describe_conversation(
            async_identify(hass, entry, each.last.correspondent), each
        )
        for each in await _conversations(entry).list_newest()
    ]


def _moment(value: str) -> datetime | str:
    """Read a time; what is none is the id of a message.

    A number is an id, though it would pass for a date. Raises ValueError for a time
    before the first year or after the last one.
    """
    moment = dt_util.parse_datetime(value) if ":" in value else None
    try:
        return value if moment is None else dt_util.as_utc(moment)
    except OverflowError as err:
        raise ValueError(value) from err


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/conversation",
        vol.Required(_ENTRY_ID): str,
        vol.Required("correspondent"): str,
        vol.Optional("before"): vol.Any(None, vol.All(str, _moment)),
        vol.Optional("limit", default=_DEFAULT_LIMIT): vol.All(
            int, vol.Range(min=1, max=MOST_AT_ONCE)
        ),
    }
)
@_answers
async def _read_conversation(
    _: HomeAssistant, entry: VirtualSmsConfigEntry, msg: Message
) -> JsonValueType:
    """Return messages with a correspondent, newest first.

    `before` is the id of a message, or a time: only what is older is returned.
    """
    runtime = entry.runtime_data
    store = runtime.gateway.store
    page = await store.conversations.read(
        msg["correspondent"], msg.get("before"), msg["limit"]
    )
    kept = await store.attachments.find_types(each.message_id for each in page.messages)
    describe = partial(_describe, entry.entry_id, runtime.attachments)
    return {
        "messages": [
            describe(each, kept.get(each.message_id, {})) for each in page.messages
        ],
        "more": page.more,
    }


def _describe(
    entry_id: str, attachments: Attachments, message: StoredMessage, kept: PartTypes
) -> JsonObjectType:
    """Return a message with its files: those that are kept, and that will be."""
    files = attachments.add_promised(message.message_id, kept)
    return describe_message(message, entry_id, files)


@websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/mark_read",
        vol.Required(_ENTRY_ID): str,
        vol.Required("correspondent"): str,
    }
)
@_answers
async def _mark_read(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, msg: Message
) -> JsonValueType:
    """Note that a correspondent's messages were read, for all who follow them."""
    if await _conversations(entry).mark_read(msg["correspondent"]):
        correspondent = Unquoted(msg["correspondent"])
        async_dispatcher_send(hass, _READ.format(entry.entry_id), correspondent)
    return None


@dataclass(frozen=True, slots=True)
class _Subscription:
    """A dashboard that follows a number, also over a reload of it."""

    hass: HomeAssistant
    send: Callable[[JsonObjectType], None]

    @callback
    def async_handle(
        self, entry: VirtualSmsConfigEntry, change: Change, _: EventData
    ) -> None:
        """Pass a change on if its message is kept: what is not kept is not shown."""
        describe = partial(_describe, entry.entry_id, entry.runtime_data.attachments)
        send_message = partial(self._send_message, entry, describe)
        match change:
            case Received():
                message_id, report = change.message.message_id, send_message
            case StatusChanged(previous=None):
                message_id, report = change.message_id, send_message
            case StatusChanged():
                message_id, report = (
                    change.message_id,
                    partial(self._send_status, change),
                )
            case CallChanged():
                return
            case _:
                assert_never(change)
        with suppress(DatabaseClosedError):
            _conversations(entry).get_later(message_id, report)

    @callback
    def async_handle_read(self, correspondent: Unquoted[str]) -> None:
        """Pass on that a correspondent's messages were read."""
        self.send({"kind": "read", "correspondent": correspondent.content})

    @callback
    def _send_message(
        self,
        entry: VirtualSmsConfigEntry,
        describe: Describe,
        message: StoredMessage,
        kept: PartTypes,
    ) -> None:
        who = async_identify(self.hass, entry, message.correspondent)
        described = describe(message, kept)
        self.send({"kind": "message", **who.describe(), **described})

    @callback
    def _send_status(
        self, change: StatusChanged, message: StoredMessage, _: PartTypes
    ) -> None:
        self.send(
            {
                "kind": "status",
                "correspondent": message.correspondent,
                "message_id": message.message_id,
                "status": change.status.value,
                "reason": change.reason and change.reason.value,
            }
        )


@websocket_command(
    {vol.Required("type"): f"{DOMAIN}/subscribe", vol.Required(_ENTRY_ID): str}
)
@callback
def _subscribe(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send what is written, what becomes of it, and what was read, from now on."""
    entry = _async_find(hass, connection, msg)
    if entry is None:
        return

    def send(event: JsonObjectType) -> None:
        if _may_still_read(hass, connection, entry):
            connection.send_event(msg["id"], event)

    subscription = _Subscription(hass, send)
    stop_changes = async_listen(hass, entry.entry_id, subscription.async_handle)
    stop_reads = async_dispatcher_connect(
        hass, _READ.format(entry.entry_id), subscription.async_handle_read
    )

    def stop() -> None:
        stop_changes()
        stop_reads()

    connection.subscriptions[msg["id"]] = stop
    connection.send_result(msg["id"])
