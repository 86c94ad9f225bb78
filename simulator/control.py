"""Steer the simulator over HTTP, for the handset and for other processes.

=======  =====================================  ===============================
GET      /_sim/state                            everything there is, as JSON
POST     /_sim/{provider}/receive               {sender, text, number?, media?:
                                                [content type], callback?, at?,
                                                record?, omit?: [field of the
                                                callback]}
POST     /_sim/{provider}/messages/{id}/status  {status} or {code}
POST     /_sim/{provider}/messages/{id}/record  fields its record shows instead of
                                                the truth; {} for the truth
POST     /_sim/twilio/numbers/{number}/record   the same for a number's record
POST     /_sim/twilio/calls                     {caller, number?}: call the home
POST     /_sim/twilio/calls/{id}                {do: answer | press | hang_up | busy |
                                                silent | fail, digits?}
GET      /_sim/faults                           the active faults
POST     /_sim/faults                           {kind, provider?, method?, path?,
                                                times?, recipient?, delay?,
                                                retry_after?, location?, …}
DELETE   /_sim/faults                           ?provider= for one provider only
GET      /_sim/callbacks                        the log of callbacks
POST     /_sim/callbacks                        {provider, quirks: [..]}
POST     /_sim/alerts                           {code, url, status?, at?}: a failure
                                                for Twilio's record of them
POST     /_sim/settings                         {pace?, automatic?, reroute?,
                                                twilio_suspended?, ovh_credits?,
                                                ovh_expired?: [service],
                                                clock_offset?: seconds the providers
                                                are ahead, date_header?: instead of
                                                the time}
POST     /_sim/reset                            back to the start
=======  =====================================  ===============================

Errors are answered with 400 and {"error": …}.
"""

from dataclasses import asdict
from datetime import datetime
import functools
import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from .base import AnyProvider, Json, Media, Message
from .callbacks import Quirk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .callbacks import CallbackRecord
    from .state import State

type Body = dict[str, Any]

MESSAGES_SHOWN: Final = 60
CALLBACKS_SHOWN: Final = 30


def add_routes(app: web.Application, state: State) -> None:
    """Add the control routes to an application."""
    control = Control(state)
    message = "/_sim/{provider}/messages/{message}/status"
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/_sim/state", control.state),
        ("GET", "/_sim/faults", control.list_faults),
        ("POST", "/_sim/faults", control.add_fault),
        ("DELETE", "/_sim/faults", control.clear_faults),
        ("GET", "/_sim/callbacks", control.list_callbacks),
        ("POST", "/_sim/callbacks", control.set_quirks),
        ("POST", "/_sim/alerts", control.add_alert),
        ("POST", "/_sim/settings", control.set_settings),
        ("POST", "/_sim/reset", control.reset),
        ("POST", "/_sim/{provider}/receive", control.receive),
        ("POST", message, control.set_status),
        ("POST", "/_sim/{provider}/messages/{message}/record", control.set_record),
        ("POST", "/_sim/twilio/numbers/{number}/record", control.set_number_record),
        ("POST", "/_sim/twilio/calls", control.ring),
        ("POST", "/_sim/twilio/calls/{call}", control.use_phone),
    )
    for method, path, handler in routes:
        app.router.add_route(method, path, _guarded(handler))


class Control:
    """Answer the control routes."""

    def __init__(self, state: State) -> None:
        """Keep the state to change."""
        self._state = state

    async def state(self, request: web.Request) -> object:
        """Show everything; ?messages= says how many of the newest."""
        state = self._state
        shown = int(request.query.get("messages", MESSAGES_SHOWN))
        return {
            "url": state.url,
            "pace": state.pace,
            "automatic": state.automatic,
            "providers": {
                key: _describe_provider(provider, shown)
                for key, provider in state.providers.items()
            },
            "faults": state.faults.describe(),
            "callbacks": [
                _describe(each) for each in state.callbacks[-CALLBACKS_SHOWN:]
            ],
            "requests": len(state.requests),
        }

    async def list_faults(self, _request: web.Request) -> object:
        """List the active faults."""
        return self._state.faults.describe()

    async def add_fault(self, request: web.Request) -> object:
        """Add a fault."""
        return asdict(self._state.faults.add(**await _body(request)))

    async def clear_faults(self, request: web.Request) -> object:
        """Clear the faults."""
        self._state.faults.clear(request.query.get("provider"))
        return {}

    async def list_callbacks(self, _request: web.Request) -> object:
        """List every callback posted."""
        return [_describe(each) for each in self._state.callbacks]

    async def set_quirks(self, request: web.Request) -> object:
        """Give a provider's callbacks bad habits."""
        body = await _body(request)
        provider = self._state.providers[body["provider"]]
        provider.quirks = {Quirk(quirk) for quirk in body["quirks"]}
        return sorted(provider.quirks)

    async def add_alert(self, request: web.Request) -> object:
        """Note that a callback of Twilio's failed."""
        body = await _body(request)
        if "at" in body:
            body["at"] = datetime.fromisoformat(body["at"])
        return {"sid": self._state.twilio.add_alert(**body).sid}

    async def set_settings(self, request: web.Request) -> object:
        """Change the pace and the accounts."""
        state, body = self._state, await _body(request)
        state.pace = float(body.get("pace", state.pace))
        state.automatic = bool(body.get("automatic", state.automatic))
        state.reroute.update(body.get("reroute", {}))
        state.clock_offset = float(body.get("clock_offset", state.clock_offset))
        state.date_header = body.get("date_header", state.date_header)
        if "ovh_expired" in body:
            state.ovh.expire([str(each) for each in body["ovh_expired"]])
        if "twilio_suspended" in body:
            state.twilio.suspended = bool(body["twilio_suspended"])
        if "ovh_credits" in body:
            state.ovh.service.credits = float(body["ovh_credits"])
        return {"pace": state.pace, "automatic": state.automatic}

    async def reset(self, _request: web.Request) -> object:
        """Return to the start."""
        self._state.reset()
        return {}

    async def receive(self, request: web.Request) -> object:
        """Write to the home."""
        provider, body = self._provider(request), await _body(request)
        at = body.get("at")
        message_id = provider.receive(
            str(body["sender"]),
            str(body["text"]),
            [Media(str(kind)) for kind in body.get("media", ())],
            number=body.get("number"),
            callback=bool(body.get("callback", True)),
            at=None if at is None else datetime.fromisoformat(at),
            record=body.get("record"),
            omit=body.get("omit", ()),
        )
        return {"id": message_id}

    async def set_status(self, request: web.Request) -> object:
        """Move a message by hand."""
        provider, body = self._provider(request), await _body(request)
        message_id = request.match_info["message"]
        if "code" in body:
            await provider.fail(message_id, int(body["code"]))
        else:
            await provider.advance(message_id, str(body["status"]))
        return describe_message(provider.find(message_id))

    async def set_record(self, request: web.Request) -> object:
        """Let a message's record say something else, or the truth again."""
        provider = self._provider(request)
        message = provider.find(request.match_info["message"])
        message.record = await _body(request)
        return message.record

    async def set_number_record(self, request: web.Request) -> object:
        """Let the record of a number of Twilio's say something else."""
        number = self._state.twilio.numbers[request.match_info["number"]]
        number.record = await _body(request)
        return number.record

    async def ring(self, request: web.Request) -> object:
        """Call the home."""
        body = await _body(request)
        call_id = self._state.twilio.phones.ring(
            str(body["caller"]), number=body.get("number")
        )
        return {"id": call_id}

    async def use_phone(self, request: web.Request) -> object:
        """Do what a person does with a phone that rings, or that they hold."""
        body, call = await _body(request), request.match_info["call"]
        await self._state.twilio.phones.use(
            call, str(body["do"]), str(body.get("digits", ""))
        )
        return {}

    def _provider(self, request: web.Request) -> AnyProvider:
        return self._state.providers[request.match_info["provider"]]


type Handler = Callable[[web.Request], Awaitable[object]]


def _guarded(
    handler: Handler,
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(request))
        except (KeyError, TypeError, ValueError) as err:
            reason = f"{type(err).__name__}: {err}"
            return web.json_response({"error": reason}, status=400)

    return guarded


async def _body(request: web.Request) -> Body:
    body = json.loads(await request.text() or "{}")
    if not isinstance(body, dict):
        reason = "the body must be a JSON object"
        raise TypeError(reason)
    return body


def _describe_provider(provider: AnyProvider, shown: int) -> Json:
    messages: list[Message] = sorted(
        provider.log.values(), key=lambda message: message.created
    )
    return {
        "name": provider.name,
        "credentials": provider.credentials,
        "lines": provider.lines(),
        "failures": {str(code): words for code, words in provider.failures.items()},
        "quirks": sorted(provider.quirks),
        "finals": sorted(provider.finals),
        "messages": [describe_message(each) for each in messages[-shown:]],
        "calls": provider.describe_calls()[-shown:],
    }


def describe_message(message: Message) -> Json:
    """Describe a message for the handset."""
    return {
        "id": message.id,
        "inbound": message.inbound,
        "number": message.number,
        "sender": message.sender,
        "to": message.to,
        "text": message.text,
        "status": message.status,
        "statuses": message.statuses,
        "error_code": message.error_code,
        "created": message.created.isoformat(),
        "media": [media.content_type for media in message.media],
        "callback_url": message.callback_url,
        "tag": message.tag,
    }


def _describe(record: CallbackRecord) -> Json:
    return asdict(record) | {
        "at": record.at.isoformat(),
        "ok": record.ok,
        "words": record.words,
    }
