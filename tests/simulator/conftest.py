"""Give the simulator, a home that answers callbacks, and both official SDKs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
import os
import re
from typing import Any

from aiohttp import web
import ovh
import ovh.client
import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from simulator import Simulator


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let the tests talk over real HTTP."""


@pytest.fixture(autouse=True)
def _no_ovh_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep stray settings of the machine out of the SDK."""
    for name in [name for name in os.environ if name.startswith("OVH_")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Run a simulator without pauses."""
    async with Simulator() as simulator:
        simulator.pace = 0
        yield simulator
    await asyncio.get_running_loop().shutdown_default_executor()


@dataclass
class Home:
    """Play Home Assistant: keep what is posted, answer as told."""

    url: str = ""
    status: int = 200
    content_type: str = "text/xml"
    body: str = "<Response/>"
    delay: float = 0
    requests: list[web.Request] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Keep a request and answer it."""
        self.requests.append(request)
        self.forms.append({k: str(v) for k, v in (await request.post()).items()})
        await asyncio.sleep(self.delay)
        return web.Response(
            status=self.status, text=self.body, content_type=self.content_type
        )


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    """Run a home on a free port."""
    made = Home()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


class Redirected(TwilioHttpClient):
    """Send Twilio's requests to another origin."""

    def __init__(self, origin: str) -> None:
        """Keep the origin; a connection per request leaves nothing open."""
        super().__init__(pool_connections=False)
        self.origin = origin

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Replace the origin of a request."""
        own = re.sub(r"^https://(api|monitor)\.twilio\.com", self.origin, url)
        return super().request(method, own, *args, **kwargs)


@pytest.fixture
def twilio_as(sim: Simulator) -> Callable[..., Client]:
    """Build Twilio's SDK for given credentials."""

    def build(user: str, secret: str) -> Client:
        return Client(
            user, secret, sim.twilio.ACCOUNT_SID, http_client=Redirected(sim.url)
        )

    return build


@pytest.fixture
def twilio(sim: Simulator, twilio_as: Callable[..., Client]) -> Client:
    """Build Twilio's SDK for the account."""
    return twilio_as(sim.twilio.ACCOUNT_SID, sim.twilio.auth_token)


@pytest.fixture
def ovh_as(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., ovh.Client]]:
    """Build OVHcloud's SDK for a consumer key."""
    monkeypatch.setitem(ovh.client.ENDPOINTS, "sim", f"{sim.url}/1.0")
    built = []

    def build(consumer_key: str | None = None, **changes: str) -> ovh.Client:
        keys = {
            "application_key": sim.ovh.application_key,
            "application_secret": sim.ovh.application_secret,
            "consumer_key": consumer_key,
        }
        built.append(ovh.Client("sim", **(keys | changes), timeout=5))
        return built[-1]

    yield build
    for client in built:
        client._session.close()


@pytest.fixture
def ovh_sdk(sim: Simulator, ovh_as: Callable[..., ovh.Client]) -> ovh.Client:
    """Build OVHcloud's SDK with all rights."""
    return ovh_as(sim.ovh.consumer_key)
