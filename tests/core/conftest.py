"""An account with a line, for whatever is tested of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from custom_components.virtual_sms.adapters.models import (
    Acknowledgement,
    CallbackRequest,
    Event,
    PhoneNumber,
)
from custom_components.virtual_sms.core.account import (
    Account,
    AccountHooks,
)
from custom_components.virtual_sms.core.gateway import Gateway, GatewayHooks
from custom_components.virtual_sms.core.line import Line
from custom_components.virtual_sms.store.changes import Change, Received
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store
from tests.fakes import (
    NUMBER,
    Clock,
    FakeAdapter,
    make_dependencies,
    run_inline,
)

RETRY_WINDOW = timedelta(minutes=30)
OTHER = PhoneNumber(account=NUMBER.account, number="+33900000002")


class World:
    """Two lines of one world, and what is heard on each."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.adapter = FakeAdapter(self.clock)
        self.heard: dict[str, list[Change]] = {}
        self.folder = folder
        self.leave: dict[str, Callable[[], None]] = {}
        self.woken = 0
        self.later = 0
        self.runs = 0
        self.away: list[str] = []
        hooks = AccountHooks(
            catch_up_soon=self._catch_up_soon,
            numbers=lambda: [*self.leave, *self.away],
            spawn=make_dependencies(self.clock).spawn,
        )
        self.account = Account(hooks)

    @property
    def gateways(self) -> Sequence[Gateway]:
        """Return the lines at work."""
        return self.account.gateways

    async def receive(
        self, event: Event, called: Gateway | None = None, **more: Any
    ) -> Acknowledgement:
        """Have a line called, the first unless another is named."""
        request = self.callback(event, **more)
        return await self.account.receive(called or self.gateways[0], request)

    async def add(self, number: PhoneNumber) -> Gateway:
        """Open a line."""
        heard: list[Change] = []
        self.heard[number.number] = heard
        database = Database(self.folder / number.number, MIGRATIONS, self._run)
        gateway = Gateway(
            Line(number=number, adapter=self.adapter),
            Store(database, self.clock),
            GatewayHooks(
                publish=heard.append,
                wake=self._wake,
                catch_up_soon=self.account.catch_up_soon,
            ),
            make_dependencies(self.clock),
        )
        await gateway.open()
        await gateway.inbox.begin()
        gateway.start()
        self.leave[number.number] = self.account.join(gateway)
        return gateway

    async def _run(self, target: Any, /, *args: Any) -> Any:
        self.runs += 1
        return await run_inline(target, *args)

    def _wake(self) -> None:
        self.woken += 1

    def _catch_up_soon(self) -> None:
        self.later += 1

    async def rest(self) -> None:
        """Wait until all that nobody waits for is written down and told."""
        for gateway in self.gateways:
            await gateway.store.examine()

    def names(self, number: PhoneNumber = NUMBER) -> list[str]:
        """Name what was heard on a line."""
        return [
            each.message.message_id if isinstance(each, Received) else str(each.status)
            for each in self.heard[number.number]
        ]

    def callback(self, event: Event, **more: Any) -> CallbackRequest:
        """Make the callback that brings an event."""
        body = repr(event).encode()
        self.adapter.callbacks[body] = event
        return CallbackRequest(method="POST", url="https://home", body=body, **more)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Make an account with its first line."""
    world = World(tmp_path)
    await world.add(NUMBER)
    yield world
    for gateway in world.gateways:
        await gateway.close()


@pytest.fixture
def gateway(world: World) -> Gateway:
    """Return the first line."""
    return world.gateways[0]


async def settle() -> None:
    """Let background tasks come to their end."""
    for _ in range(50):
        await asyncio.sleep(0)
