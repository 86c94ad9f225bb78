"""Callbacks as Twilio makes them, signed by its own SDK."""

from collections.abc import Iterator
from itertools import count
from typing import Final
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from .blast import Request
from .stage import Stage

NOTHING: Final = "/api/webhook/nothing"
FLOOR: Final = "/api/webhook/floor"
PERSON: Final = "+33612345678"
_FORGED: Final = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


class Callbacks:
    """Make callbacks for whoever takes them: each for us is news."""

    def __init__(self, stage: Stage) -> None:
        """Set nothing up yet."""
        self._stage = stage
        self._validator = RequestValidator(stage.simulator.twilio.auth_token)
        self._ids = count(1)
        self._statuses: Iterator[Request] = iter(())
        self.entry_id = self.ours = self.core = ""
        """The paths of our webhook and of core's, and our entry."""

    async def open(self) -> None:
        """Set up our number, core's integration, and the floor."""
        ours = await self._stage.add_number("twilio")
        theirs = await self._stage.add("twilio", {})
        await self._stage.home.probe(
            "open_floor",
            url=self._stage.home.url + FLOOR,
            token=self._stage.simulator.twilio.auth_token,
        )
        self.entry_id = ours["entry_id"]
        self.ours = f"/api/webhook/{ours['webhook_id']}"
        self.core = f"/api/webhook/{theirs['webhook_id']}"

    async def track(self, amount: int) -> None:
        """Send messages, and make two callbacks of each: it left, it arrived."""
        before = await self._stage.events()
        sent = await self._stage.home.probe(
            "track",
            entry_id=self.entry_id,
            recipients=[f"+336{number:08}" for number in range(amount)],
        )
        # Each is published as queued, which must not be counted later.
        await self._stage.wait_for_events(before + amount)
        self._statuses = iter(
            self.status(self.ours, each["provider_id"], status, each["message_id"])
            for status in ("sent", "delivered")
            for each in sent
        )

    def status(
        self, path: str, sid: str, status: str, message_id: str = "0" * 32
    ) -> Request:
        """Make the callback of a status."""
        form = {"MessageSid": sid, "MessageStatus": status}
        return self._sign(path, form, f"m={message_id}")

    def statuses(self, path: str, amount: int) -> list[Request]:
        """Make callbacks of statuses."""
        if path == self.ours:
            return [next(self._statuses) for _ in range(amount)]
        return [self.status(path, "SM" + "0" * 32, "delivered")] * amount

    def inbound(self, path: str, amount: int) -> list[Request]:
        """Make callbacks of incoming messages, each another one."""
        return [self.message(path) for _ in range(amount)]

    def message(
        self, path: str, text: str = "Is the garage closed?", sender: str = PERSON
    ) -> Request:
        """Make the callback of an incoming message."""
        form = {
            "MessageSid": f"SM{next(self._ids):032x}",
            "From": sender,
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
        }
        return self._sign(path, form)

    def forged(self, path: str, amount: int) -> list[Request]:
        """Make callbacks with a signature that is another's."""
        form = {"MessageSid": "SM" + "0" * 32, "Body": "Open the door", "NumMedia": "0"}
        return [self._sign(path, form, signature=_FORGED)] * amount

    def _sign(
        self, path: str, form: dict[str, str], query: str = "", signature: str = ""
    ) -> Request:
        twilio = self._stage.simulator.twilio
        form = {
            "AccountSid": twilio.ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            "From": PERSON,
            "To": twilio.NUMBER,
            **form,
        }
        target = f"{path}?{query}" if query else path
        signed = self._validator.compute_signature(self._stage.home.url + target, form)
        headers = {"X-Twilio-Signature": signature or signed}
        return Request.post(target, urlencode(form).encode(), headers)
