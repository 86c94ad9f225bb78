"""Play the made-up provider on localhost; it signs by itself."""

import hmac
import secrets
from typing import TYPE_CHECKING, Final, override
from urllib.parse import urlencode

from simulator.base import ApiError, Draft, Message, Provider, Reply, Route, Step
from simulator.callbacks import Callback, Quirk
from simulator.world import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from simulator.base import Json

TOKEN: Final = "made-up-token"
NO_NUMBER: Final = "+33600000001"
ABSENT: Final = "+33600000002"


class MadeUp(Provider[str, Message]):
    """One account with one number."""

    key = "made_up"
    name = "Made-up"
    message_type = Message
    number = "+33700000001"
    accepting = frozenset({"sent", "delivered", "failed"})
    account = "made-up-1"
    callback_url = ""

    @property
    @override
    def credentials(self) -> dict[str, str]:
        return {"token": TOKEN}

    @override
    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/made-up/account", self._describe)
        yield Route("POST", "/made-up/send", self._accept)

    @override
    def owns(self, path: str) -> bool:
        return path.startswith("/made-up/")

    @override
    async def authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise ApiError(Reply(status=401))

    async def _describe(self, _request: web.Request) -> Reply:
        return Reply(payload={"id": self.account, "numbers": [self.number]})

    async def _accept(self, request: web.Request) -> Reply:
        body = await request.json()
        if body["to"] == NO_NUMBER:
            raise ApiError(Reply(status=422))
        draft = Draft(body["from"], body["to"], body["text"], now(), status="queued")
        message = self.keep(self.compose(self.new_id(media=False), draft))
        message.callback_url = body["callback"]
        return Reply(payload={"id": message.id}, accepted=(message,))

    @override
    def new_id(self, *, media: bool) -> str:
        return secrets.token_hex(8)

    @override
    def plan(self, message: Message) -> tuple[Step, ...]:
        absent = message.to == ABSENT
        return Step("sent"), Step("failed", 7) if absent else Step("delivered")

    @override
    def status_callback(self, message: Message) -> Callback | None:
        error = str(message.error_code or "")
        fields = {"id": str(message.id), "status": message.status, "error": error}
        return self._sign("status", message, message.callback_url, fields)

    @override
    def inbound_callback(self, message: Message) -> Callback | None:
        fields = {
            "id": str(message.id),
            "from": message.sender,
            "to": message.to,
            "text": message.text,
            "at": message.created.isoformat(),
        }
        return self._sign("inbound", message, self.callback_url, fields)

    def _sign(
        self, kind: str, message: Message, url: str, fields: dict[str, str]
    ) -> Callback | None:
        if not url:
            return None
        token = "another" if Quirk.FORGED in self.quirks else TOKEN
        body = urlencode(fields).encode()
        signature = hmac.new(token.encode(), body, "sha256").hexdigest()
        return Callback(
            provider=self.key,
            kind=kind,
            message_id=message.id,
            method="POST",
            url=url,
            fields=tuple(fields.items()),
            headers={"X-Made-Up-Signature": signature},
        )

    @override
    def lines(self) -> list[Json]:
        return [{"number": self.number, "callback_url": self.callback_url}]
