"""The event loop never waits for us, and our jobs take few threads."""

from collections import Counter
import os
from pathlib import Path
import socket
import sqlite3
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from .blocking import Watch, watching
from .home import SENDER, refresh, send, settle, state
from .set_up import set_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

NEIGHBOURS = [f"+336{number:08}" for number in range(1, 51)]
STORE = "whole_call"
"""The module that gives the store's work to a thread."""
MOST_THREADS = {"twilio": 17}
"""Where the provider's library blocks: Twilio's did so before its version 8."""


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Notice what waits in the event loop; ask for it before an entry."""
    with watching() as watch:
        yield watch


async def live(hass: HomeAssistant, sim: Simulator, entry: ConfigEntry) -> None:
    """Have all happen to a number that happens every day."""
    assert len(await send(hass, entry, to=NEIGHBOURS)) == len(NEIGHBOURS)
    await settle(hass, sim)
    sim.providers[entry.data["provider"]].receive(SENDER, "Hello")
    await settle(hass, sim)
    await refresh(hass, sim, entry)
    assert state(hass, entry, "received").state == "1"


@pytest.mark.parametrize("mode", ["automatic", "polling"])
async def test_nothing_waits_in_the_event_loop(
    watch: Watch,
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    provider: str,
    mode: str,
) -> None:
    """From the config flow to the removal, whatever waits does so in a thread."""
    entry = await set_up(hass, simulator, provider, mode=mode)
    await live(hass, simulator, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.config_entries.async_remove(entry.entry_id)
    await settle(hass, simulator)
    assert watch.seen == []


async def test_nothing_waits_while_the_provider_is_down(
    watch: Watch,
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    provider: str,
) -> None:
    """Nor does anything wait there for a provider that is out of order."""
    entry = await set_up(hass, simulator, provider)
    simulator.faults.add("server_error", provider=provider)
    await send(hass, entry)
    await refresh(hass, simulator, entry)
    simulator.faults.clear()
    await refresh(hass, simulator, entry)
    assert watch.seen == []


@pytest.mark.parametrize(
    ("wait", "noticed"),
    [
        ("connect to a database", "sqlite3.connect"),
        ("write to the store", "sqlite3 statement"),
        ("close the store", "sqlite3 close"),
        ("read a file", "open"),
        ("list a folder", "os.scandir"),
        ("flush a file", "os.fsync"),
        ("connect to a server", "socket.connect"),
        ("import a module", "import"),
    ],
)
async def test_what_waits_is_noticed(
    watch: Watch,
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    wait: str,
    noticed: str,
) -> None:
    """The test above would fail if a callback did such a thing."""
    gateway = twilio_entry.runtime_data.gateway
    connection: sqlite3.Connection = gateway.store._database._connection
    address = urlsplit(simulator.url)
    monkeypatch.delitem(sys.modules, "pyclbr", raising=False)
    waits: dict[str, Callable[[], Any]] = {
        "connect to a database": lambda: sqlite3.connect(":memory:").close(),
        "write to the store": lambda: connection.execute("SELECT 1"),
        "close the store": lambda: sqlite3.connect(":memory:").close(),
        "read a file": lambda: Path(os.devnull).open().close(),
        "list a folder": lambda: list(Path().iterdir()),
        "flush a file": lambda: os.fsync(1),
        "connect to a server": lambda: socket.create_connection(
            (address.hostname, address.port)
        ).close(),
        "import a module": lambda: __import__("pyclbr"),
    }
    adapter = gateway.line.adapter
    verify = adapter.verify

    def verify_slowly(request: Any) -> None:
        waits[wait]()
        verify(request)

    monkeypatch.setattr(adapter, "verify", verify_slowly)
    assert watch.seen == []
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert {f"{noticed} at account.py"} <= {
        each.rpartition(":")[0] for each in watch.seen
    }


class Threads:
    """The jobs that run in threads, by the module of ours that gave them."""

    def __init__(self) -> None:
        self.jobs: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._busy: Counter[str] = Counter()

    def begin(self, module: str) -> None:
        """Count a job."""
        self.jobs[module] += 1
        self._busy[module] += 1
        self.most[module] = max(self.most[module], self._busy[module])

    def end(self, module: str) -> None:
        """Note that it is done."""
        self._busy[module] -= 1


@pytest.fixture
def threads(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Threads:
    """Count what is given to the executor."""
    threads = Threads()
    run: Callable[..., Any] = hass.loop.run_in_executor

    def note(executor: object, job: Callable[..., Any], *arguments: object) -> Any:
        function = getattr(job, "func", job)
        module = str(function.__module__).rpartition(".")[2]
        threads.begin(module)
        future = run(executor, job, *arguments)
        future.add_done_callback(lambda _: threads.end(module))
        return future

    monkeypatch.setattr(hass.loop, "run_in_executor", note)
    return threads


async def test_threads(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    threads: Threads,
) -> None:
    """The store takes one, an asynchronous adapter none, any other only a few.

    A country that is new to the home is looked up once, for all of its numbers.
    """
    await live(hass, simulator, entry)
    assert threads.most.pop(STORE) == 1
    assert threads.jobs["phone_numbers"] <= 1
    threads.most.pop("phone_numbers", None)
    if entry.runtime_data.gateway.line.adapter.is_asynchronous:
        assert not threads.most
    else:
        assert 1 <= threads.most.total() <= MOST_THREADS[provider]


async def test_many_sends_share_their_writing(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    threads: Threads,
) -> None:
    """Fifty messages are not fifty waits for the disk before they go and after."""
    await send(hass, twilio_entry, to=NEIGHBOURS)
    assert 1 <= threads.jobs[STORE] <= 2 * len(NEIGHBOURS)
    await settle(hass, simulator)
