"""Serve Twilio's REST API: numbers, balance, account, and the messages read.

Sending is in `send`, the lists' paging here.
"""

import base64
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
import hmac
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ..base import Json, Reply, Route
from ..world import now
from . import render
from .errors import error
from .query import cut_page, is_web_url, read_moment
from .send import accept

if TYPE_CHECKING:
    from .models import Number, TwilioMessage
    from .state import TwilioState

ROOT: Final = "/2010-04-01/Accounts/{account}"
CDN: Final = "/2010-04-01/cdn/{message}/{media}"
BIRTH: Final = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
FINISHED: Final = frozenset(
    {"delivered", "undelivered", "failed", "canceled", "received", "read", "sent"}
)
# What neither a standard key nor a restricted one may touch.
ACCOUNT_ONLY: Final = ROOT + ".json"
RESTRICTED_TO: Final = "/Messages"
NUMBER_FIELDS: Final = {
    "SmsUrl": "sms_url",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsMethod": "sms_method",
    "SmsFallbackMethod": "sms_fallback_method",
    "SmsApplicationSid": "sms_application_sid",
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceApplicationSid": "voice_application_sid",
    "FriendlyName": "friendly_name",
}


class TwilioApi:
    """Answer the requests of one account."""

    def __init__(self, state: TwilioState) -> None:
        """Keep the account to serve."""
        self._state = state

    def routes(self) -> Iterable[Route]:
        """List the API; `.json` comes before the bytes, which have no suffix."""
        message, media = ROOT + "/Messages/{message}", "/Media/{media}"
        number = ROOT + "/IncomingPhoneNumbers/{number}.json"
        yield Route("POST", ROOT + "/Messages.json", self.send)
        yield Route("GET", ROOT + "/Messages.json", self.list_messages)
        yield Route("GET", message + ".json", self.get_message)
        yield Route("POST", message + ".json", self.update_message)
        yield Route("DELETE", message + ".json", self.delete_message)
        yield Route("GET", message + "/Media.json", self.list_media)
        yield Route("GET", message + media + ".json", self.get_media)
        yield Route("DELETE", message + media + ".json", self.delete_media)
        yield Route("GET", message + media, self.media_link)
        yield Route("GET", CDN, self.media_bytes, open=True)
        yield Route("GET", ROOT + "/IncomingPhoneNumbers.json", self.list_numbers)
        yield Route("GET", number, self.get_number)
        yield Route("POST", number, self.update_number)
        yield Route("GET", ROOT + "/Balance.json", self.balance)
        yield Route("GET", ACCOUNT_ONLY, self.account)

    def media_url(self, message_id: str, media_sid: str) -> str:
        """Return the public URL of one file."""
        path = f"{self._base}/Messages/{message_id}/Media/{media_sid}"
        return self._state.world.url + path

    def authorize(self, request: web.Request) -> None:
        """Check the Basic credentials, the account and the key's rights."""
        state, path = self._state, request.path
        user = self._user(request.headers.get("Authorization", ""))
        if user is None:
            raise error(20003)
        # The Monitor API names no account: the credentials do.
        if request.match_info.get("account", state.ACCOUNT_SID) != state.ACCOUNT_SID:
            raise error(20404, path)
        if state.suspended:
            raise error(20005)
        restricted = user == state.RESTRICTED_KEY_SID
        if restricted and not path.startswith(self._base + RESTRICTED_TO):
            raise error(70051)
        # A standard key reaches all but /Accounts and /Keys.
        if user != state.ACCOUNT_SID and path == self._base + ".json":
            raise error(20003)

    @property
    def _base(self) -> str:
        return ROOT.format(account=self._state.ACCOUNT_SID)

    def _user(self, header: str) -> str | None:
        state = self._state
        secrets = {
            state.ACCOUNT_SID: state.auth_token,
            state.API_KEY_SID: state.api_key_secret,
            state.RESTRICTED_KEY_SID: state.restricted_key_secret,
        }
        scheme, _, encoded = header.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return None
        secret = secrets.get(user, "").encode()
        right = hmac.compare_digest(password.encode(), secret)
        return user if right and secret and scheme.lower() == "basic" else None

    async def send(self, request: web.Request) -> Reply:
        """Accept a message, or refuse it with the code Twilio would give."""
        message = accept(self._state, await request.post())
        payload = self.render(message)
        return Reply(payload=payload, status=201, accepted=(message,))

    async def list_messages(self, request: web.Request) -> Reply:
        """List messages, newest first."""
        tests = [
            test
            for name, value in request.query.items()
            if (test := _message_test(name, value)) is not None
        ]
        found = [
            message
            for message in self._state.log.values()
            if all(test(message) for test in tests)
        ]
        found.sort(key=lambda message: message.created, reverse=True)
        return cut_page(request, "messages", found, self.render)

    async def get_message(self, request: web.Request) -> Reply:
        """Fetch one message."""
        return Reply(payload=self.render(self._find(request)))

    async def update_message(self, request: web.Request) -> Reply:
        """Redact a message, or cancel a scheduled one."""
        message, form = self._find(request), await request.post()
        if "Body" in form and "Status" in form:
            raise error(30400)
        if form.get("Body") == "":
            message.text = ""
        if form.get("Status") == "canceled":
            if message.status != "scheduled":
                raise error(30409)
            message.status = "canceled"
        return Reply(payload=self.render(message))

    async def delete_message(self, request: web.Request) -> Reply:
        """Delete a finished message and its media."""
        message = self._find(request)
        if message.status not in FINISHED:
            raise error(20009)
        del self._state.log[message.id]
        return Reply(status=204)

    async def list_media(self, request: web.Request) -> Reply:
        """List the files of a message."""
        message = self._find(request)
        return cut_page(
            request,
            "media_list",
            message.media_sids,
            lambda sid: self._media(message, sid),
        )

    async def get_media(self, request: web.Request) -> Reply:
        """Describe one file."""
        message, index = self._find_media(request)
        return Reply(payload=self._media(message, message.media_sids[index]))

    async def delete_media(self, request: web.Request) -> Reply:
        """Delete one file."""
        message, index = self._find_media(request)
        del message.media_sids[index]
        message.media = message.media[:index] + message.media[index + 1 :]
        return Reply(status=204)

    async def media_link(self, request: web.Request) -> Reply:
        """Redirect to the bytes, as Twilio does with a link good for four hours."""
        self._find_media(request)
        where = self._state.cdn + CDN.format(**request.match_info)
        return Reply(status=307, headers={"Location": where})

    async def media_bytes(self, request: web.Request) -> Reply:
        """Serve the bytes of one file."""
        message, index = self._find_media(request)
        media = message.media[index]
        return Reply(payload=media.data, content_type=media.content_type)

    async def list_numbers(self, request: web.Request) -> Reply:
        """List the account's phone numbers."""
        wanted = request.query.get("PhoneNumber")
        found = [
            number
            for number in self._state.numbers.values()
            if wanted in {None, number.number}
        ]
        return cut_page(request, "incoming_phone_numbers", found, self._number)

    async def get_number(self, request: web.Request) -> Reply:
        """Describe one number."""
        return Reply(payload=self._number(self._find_number(request)))

    async def update_number(self, request: web.Request) -> Reply:
        """Change where a number posts its messages."""
        number, form = self._find_number(request), await request.post()
        changes = {
            NUMBER_FIELDS[name]: str(value)
            for name, value in form.items()
            if name in NUMBER_FIELDS
        }
        for name, value in changes.items():
            if name.endswith("_url") and value and not is_web_url(value):
                raise error(21402, value)
            if name.endswith("_method") and value not in {"GET", "POST"}:
                raise error(21403, value)
        for name, value in changes.items():
            setattr(number, name, value)
        number.updated = now()
        return Reply(payload=self._number(number))

    async def balance(self, _request: web.Request) -> Reply:
        """Tell the money left."""
        state = self._state
        payload = {
            "account_sid": state.ACCOUNT_SID,
            "balance": str(state.balance),
            "currency": state.currency,
        }
        return Reply(payload=payload)

    async def account(self, _request: web.Request) -> Reply:
        """Describe the account; its reply holds the auth token."""
        state = self._state
        names = ("messages", "incoming_phone_numbers", "balance")
        titles = {name: name.title().replace("_", "") for name in names}
        payload = {
            "sid": state.ACCOUNT_SID,
            "auth_token": state.auth_token,
            "owner_account_sid": state.ACCOUNT_SID,
            "friendly_name": "Simulated account",
            "status": state.status,
            "type": "Full",
            "date_created": format_datetime(BIRTH),
            "date_updated": format_datetime(BIRTH),
            "uri": f"{self._base}.json",
            "subresource_uris": {
                name: f"{self._base}/{title}.json" for name, title in titles.items()
            },
        }
        return Reply(payload=payload)

    def render(self, message: TwilioMessage) -> Json:
        """Describe a message."""
        state = self._state
        true = render.message(state.ACCOUNT_SID, state.currency, message)
        return true | message.record

    def _media(self, message: TwilioMessage, sid: str) -> Json:
        return render.media(self._state.ACCOUNT_SID, message, sid)

    def _number(self, number: Number) -> Json:
        return render.number(self._state.ACCOUNT_SID, number) | number.record

    def _find(self, request: web.Request) -> TwilioMessage:
        message = self._state.log.get(request.match_info["message"])
        if message is None:
            raise error(20404, request.path)
        return message

    def _find_media(self, request: web.Request) -> tuple[TwilioMessage, int]:
        message, sid = self._find(request), request.match_info["media"]
        if sid not in message.media_sids:
            raise error(20404, request.path)
        return message, message.media_sids.index(sid)

    def _find_number(self, request: web.Request) -> Number:
        for number in self._state.numbers.values():
            if number.sid == request.match_info["number"]:
                return number
        raise error(20404, request.path)


def _message_test(name: str, value: str) -> Callable[[TwilioMessage], bool] | None:
    match name:
        case "To":
            return lambda message: message.to == value
        case "From":
            return lambda message: message.sender == value
        case "DateSent" | "DateSent<" | "DateSent>":
            return _date_test(name.removeprefix("DateSent"), value)
        case _:
            return None


def _date_test(sign: str, value: str) -> Callable[[TwilioMessage], bool]:
    moment = read_moment(f"DateSent{sign}", value)
    # A bare date, or the midnight the SDK makes of it, names the whole day.
    whole_day = moment.time() == time.min
    span = timedelta(days=1) if whole_day else timedelta(seconds=1)

    def test(message: TwilioMessage) -> bool:
        if message.sent is None:
            return False
        # Twilio keeps whole seconds; comparing finer ones would lose messages.
        sent = message.sent.replace(microsecond=0)
        match sign:
            case "<":
                return sent <= moment
            case ">":
                return sent >= moment
            case _:
                return moment <= sent < moment + span

    return test
