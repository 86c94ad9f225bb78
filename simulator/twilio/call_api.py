"""Serve the calls of Twilio's REST API: made, listed, read and ended."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from aiohttp import web

from ..base import Json, Reply, Route
from . import render
from .errors import error
from .phones import FINAL
from .query import cut_page
from .send import accept_call

if TYPE_CHECKING:
    from .models import Call
    from .phones import Phones
    from .state import TwilioState

ROOT: Final = "/2010-04-01/Accounts/{account}/Calls"
ENDS: Final = frozenset({"canceled", "completed"})


class TwilioCallApi:
    """Answer what is asked about the calls of one account."""

    def __init__(self, state: TwilioState, phones: Phones) -> None:
        """Keep the account to serve, and the phones that ring."""
        self._state = state
        self._phones = phones

    def routes(self) -> Iterable[Route]:
        """List the API."""
        yield Route("POST", ROOT + ".json", self.call)
        yield Route("GET", ROOT + ".json", self.list_calls)
        yield Route("GET", ROOT + "/{call}.json", self.get_call)
        yield Route("POST", ROOT + "/{call}.json", self.update_call)

    async def call(self, request: web.Request) -> Reply:
        """Call somebody, or refuse it with the code Twilio would give."""
        call = accept_call(self._state, await request.post())
        return Reply(payload=self._render(call), status=201, accepted=(call,))

    async def list_calls(self, request: web.Request) -> Reply:
        """List calls, newest first."""
        query = request.query
        found = [
            call
            for call in self._state.call_log.values()
            if query.get("To") in {None, call.to}
            and query.get("From") in {None, call.sender}
        ]
        found.sort(key=lambda call: call.created, reverse=True)
        return cut_page(request, "calls", found, self._render)

    async def get_call(self, request: web.Request) -> Reply:
        """Fetch one call."""
        return Reply(payload=self._render(self._find(request)))

    async def update_call(self, request: web.Request) -> Reply:
        """End a call: `canceled` before it is answered only, `completed` at any time."""
        call = self._find(request)
        status = str((await request.post()).get("Status", ""))
        if call.status in FINAL:
            raise error(21220)
        if status not in ENDS:
            raise error(20001, status)
        self._phones.cut_off(call, even_if_answered=status == "completed")
        return Reply(payload=self._render(call))

    def _find(self, request: web.Request) -> Call:
        call = self._state.call_log.get(request.match_info["call"])
        if call is None:
            raise error(20404, request.path)
        return call

    def _render(self, call: Call) -> Json:
        return render.call(self._state.ACCOUNT_SID, call) | call.record
