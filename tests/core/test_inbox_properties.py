"""Whatever the clocks do: each message is published once, and none is lost.

A made-up life of a number. The home's clock jumps at will, now and then an answer
of the provider's carries a wrong date, records cannot be read for a while or are
not complete, and Home Assistant restarts. The provider's own clock just goes on.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.virtual_sms.adapters.models import (
    CallbackRequest,
    Capability,
    InboundMessage,
)
from custom_components.virtual_sms.core import record_reader
from custom_components.virtual_sms.core.gateway import Gateway
from custom_components.virtual_sms.core.record_reading import OVERLAP
from custom_components.virtual_sms.core.second_reading import WAIT_FOR_REST
from custom_components.virtual_sms.store.changes import Change, Received
from custom_components.virtual_sms.store.database import Database
from custom_components.virtual_sms.store.schema import MIGRATIONS
from custom_components.virtual_sms.store.store import Store
from tests.fakes import (
    START,
    TRUTH,
    Clock,
    FakeAdapter,
    come_to_rest,
    inbound,
    make_account,
    make_dependencies,
    make_hooks,
    run_inline,
)

# Hypothesis takes its own generator for one that nobody keeps, on Python 3.14.
pytestmark = pytest.mark.filterwarnings("ignore:It looks like `register_random`")

HOUR, DAY = 3600.0, 86_400.0
_WAYS = ["signed", "rung", "silent"]
_STATES = ["readable", "unreadable", "incomplete"]
_ACTIONS = st.one_of(
    st.tuples(st.just("arrive"), st.sampled_from(_WAYS), st.sampled_from(_STATES)),
    st.tuples(st.just("repeat"), st.integers(0, 9), st.sampled_from(_WAYS[:2])),
    st.tuples(st.just("poll")),
    st.tuples(st.just("wait"), st.sampled_from([1, 60, HOUR, DAY, 210 * DAY])),
    st.tuples(st.just("jump"), st.sampled_from([-400 * DAY, -HOUR, 2 * HOUR, DAY])),
    st.tuples(st.just("set_right")),
    st.tuples(st.just("lie"), st.sampled_from([-300.0, -1.0, 1.0, 300.0])),
    st.tuples(st.just("mend")),
    st.tuples(st.just("restart")),
    st.tuples(st.just("prune")),
)


class World:
    """A provider that lasts, and a home that is restarted."""

    def __init__(self, folder: Path, error: float) -> None:
        self.folder = folder
        self.home, self.provider = Clock(), Clock()
        self.home.advance(error)
        self.adapter = FakeAdapter(self.home)
        self.adapter.time = self.provider
        self.adapter.page_size = 3
        self.heard: list[Change] = []
        self.seen_by_callback: set[str] = set()

    gateway: Gateway
    store: Store

    async def start(self) -> None:
        """Start Home Assistant."""
        self.adapter.date_error = None
        file = Database(self.folder / "store.db", MIGRATIONS, run_inline)
        self.store = Store(file, self.home)
        dependencies = replace(
            make_dependencies(self.home), monotonic=lambda: self.provider().timestamp()
        )
        hooks = make_hooks(self.heard.append)
        self.gateway = Gateway(self.adapter.line(), self.store, hooks, dependencies)
        self.account = make_account(self.gateway, dependencies)
        await self.gateway.open()
        await self.gateway.inbox.begin()
        self.gateway.start()

    async def do_restart(self) -> None:
        """Restart."""
        await self.rest()
        await self.gateway.close()
        await self.start()

    async def do_arrive(self, way: str, state: str) -> None:
        """Somebody writes to us."""
        name = f"m{len(self.adapter.record)}"
        message = inbound(name, at=(self.provider() - START).total_seconds())
        self.adapter.record.append(message)
        if state != "readable":
            getattr(self.adapter, state).add(name)
        await self.call(message, way)

    async def do_repeat(self, index: int, way: str) -> None:
        """The provider repeats itself, or somebody who listened does."""
        record = self.adapter.record
        if record:
            message = record[index % len(record)]
            was_signed = message.message_id in self.seen_by_callback
            await self.call(message, way if was_signed else "rung")

    async def call(self, message: InboundMessage, way: str) -> None:
        """Call the home."""
        if way == "silent":
            return
        signed = Capability.SIGNED_CALLBACKS if way == "signed" else Capability(0)
        self.adapter.capabilities = Capability.HISTORY | signed  # type: ignore[misc]
        if signed:
            self.seen_by_callback.add(message.message_id)
        body = message.message_id.encode()
        self.adapter.callbacks[body] = message
        request = CallbackRequest(method="POST", url="https://home", body=body)
        await self.account.receive(self.gateway, request)
        await self.rest()

    async def do_poll(self) -> None:
        """Ask for news."""
        await self.gateway.inbox.catch_up(late=False)

    async def do_wait(self, seconds: float) -> None:
        """Let time go by for everybody; after very long, old callbacks come again.

        What nobody could read until then is forgotten.
        """
        if seconds > 200 * DAY:
            await self.calm_down()
        await self.pass_by(seconds)
        if seconds > 200 * DAY:
            await self.do_poll()
            await self.do_prune()
            for message in self.adapter.record:
                if message.message_id in self.seen_by_callback:
                    await self.call(message, "signed")

    async def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.home.advance(seconds)
        self.provider.advance(seconds)

    async def do_jump(self, seconds: float) -> None:
        """Have the home's clock jump."""
        self.home.advance(seconds)

    async def do_set_right(self) -> None:
        """Have the home's clock be right."""
        self.home.time = self.provider.time

    async def do_lie(self, days: float) -> None:
        """Have one answer carry a wrong date."""
        if not self.adapter.date_errors:
            self.adapter.date_errors.extend([timedelta(days=days), TRUTH])

    async def do_mend(self) -> None:
        """Have every record be as it should."""
        self.adapter.unreadable.clear()
        self.adapter.incomplete.clear()

    async def do_prune(self) -> None:
        """Forget what is old."""
        await self.store.prune()

    async def rest(self) -> None:
        """Let all that was begun come to its end."""
        while any(
            task.get_name() in {"confirmation_queue", "incomplete messages"}
            for task in asyncio.all_tasks()
        ):
            await asyncio.sleep(0)
        await come_to_rest(self.store, self.gateway._publisher)

    async def live(self, story: list[tuple[Any, ...]]) -> None:
        """Live through a story and come to rest."""
        await self.do_wait(1)
        for name, *details in story:
            await getattr(self, f"do_{name}")(*details)
        await self.calm_down()

    async def calm_down(self) -> None:
        """Let everything be as it should for a while."""
        await self.do_mend()
        self.adapter.date_errors.clear()
        # The older a record is, the less often it is read again.
        await self.pass_by(60 * DAY)
        for _ in range(len(self.adapter.record) + 2):
            await self.do_poll()
            await self.do_wait((OVERLAP + WAIT_FOR_REST).total_seconds())
            await self.rest()


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    error=st.sampled_from([0.0, 2 * HOUR, -2 * HOUR, 400 * DAY, -400 * DAY]),
    story=st.lists(_ACTIONS, min_size=1, max_size=20),
)
def test_each_message_once_whatever_the_clocks_do(
    tmp_path_factory: pytest.TempPathFactory,
    error: float,
    story: list[tuple[Any, ...]],
) -> None:
    """History from before the set-up stays history, and all else is published once."""

    async def tell() -> None:
        with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
            world = World(Path(folder), error)
            world.adapter.record = [
                inbound("history", at=-DAY),
                inbound("just before", at=-60),
            ]
            await world.start()
            try:
                await world.live(story)
            finally:
                await world.gateway.close()
            heard = [
                each.message.message_id
                for each in world.heard
                if isinstance(each, Received)
            ]
            arrived = [each.message_id for each in world.adapter.record[2:]]
            assert sorted(heard) == sorted(arrived)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_reader, "LOOK_AGAIN", 0.0)
        patch.setattr(
            "custom_components.virtual_sms.core.confirmation_queue.REFILL", 1e-9
        )
        asyncio.run(tell())
