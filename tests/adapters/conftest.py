"""A simulator, and adapters that talk to it over real HTTP."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
import pytest

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.errors import CallbackError
from custom_components.virtual_sms.adapters.models import CallbackRequest
from simulator import FaultKind, Simulator

from .harness import Harness, harness_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from custom_components.virtual_sms.adapters.base import SmsAdapter
    from custom_components.virtual_sms.adapters.models import Event

    type Make = Callable[[Mapping[str, str]], SmsAdapter]


@dataclass
class Receiver:
    """The place the provider calls, answering as the home would."""

    url: str
    adapter: SmsAdapter | None = None
    requests: list[CallbackRequest] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Keep a request and, once there is an adapter, its event."""
        query = request.rel_url.raw_query_string
        callback = CallbackRequest(
            method=request.method,
            url=f"{self.url}?{query}" if query else self.url,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        self.requests.append(callback)
        if self.adapter is None:
            return web.Response()
        try:
            self.adapter.verify(callback)
            event = self.adapter.parse(callback)
        except CallbackError:
            return web.Response(status=403)
        self.events.append(event)
        said = self.adapter.acknowledge(event)
        return web.Response(
            status=said.status, text=said.body, content_type=said.content_type
        )


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let the tests talk to localhost."""


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """Run a simulator that loses no time."""
    async with Simulator() as simulator:
        simulator.pace = 0
        yield simulator
        # Whoever was made to wait, and left, is still being served.
        hit = [fault for fault in simulator.faults.active if fault.hits]
        kinds = {FaultKind.SLOW, FaultKind.LATE}
        delays = (fault.delay for fault in hit if fault.kind in kinds)
        await asyncio.sleep(max(delays, default=0))


@pytest.fixture(params=sorted(ADAPTERS))
def key(request: pytest.FixtureRequest) -> str:
    """Name a provider: each in turn."""
    return str(request.param)


def pytest_configure(config: pytest.Config) -> None:
    """Know the marker of tests about what not every provider can do."""
    config.addinivalue_line("markers", "needs(*capabilities): skip a provider without")


@pytest.fixture(autouse=True)
def capable(request: pytest.FixtureRequest) -> None:
    """Skip a test about something that the provider declares not to have."""
    needed = {each for mark in request.node.iter_markers("needs") for each in mark.args}
    if needed and "key" in request.fixturenames:
        capabilities = ADAPTERS[request.getfixturevalue("key")].capabilities
        if not all(each in capabilities for each in needed):
            pytest.skip("the provider has no such thing")


@pytest.fixture
def harness(key: str, sim: Simulator) -> Harness:
    """Return what the suite must know of the provider."""
    return harness_of(key)(sim)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return the session the adapters borrow."""
    connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(connector=connector) as client:
        yield client


@pytest.fixture
def make(key: str, session: aiohttp.ClientSession) -> Make:
    """Return a way to build the provider's adapter."""

    def build(credentials: Mapping[str, str]) -> SmsAdapter:
        return ADAPTERS[key](
            credentials, session=session, run_blocking=asyncio.to_thread
        )

    return build


@pytest.fixture
async def adapter(make: Make, harness: Harness) -> SmsAdapter:
    """Return an adapter with the right credentials, ready for callbacks."""
    adapter = make(harness.credentials)
    await adapter.prepare()
    return adapter


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Run a web server for callbacks."""
    receiver = Receiver("")
    app = web.Application()
    app.router.add_route("*", "/callback", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/callback"
    yield receiver
    await runner.cleanup()
