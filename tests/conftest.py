"""A home, a simulator, and a number of each provider set up in that home."""

import asyncio
import gc
import logging
import sys
from typing import TYPE_CHECKING

from homeassistant.components import repairs
from homeassistant.components.http import HomeAssistantHTTP
from homeassistant.setup import async_setup_component
from hypothesis import settings
import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension

# Home Assistant looks for custom integrations in this very module.
import custom_components  # noqa: F401
from simulator import Simulator

from .cloud import Cloud
from .complaints import Complaints
from .furnish import furnish
from .one_provider import find_surplus

# The same examples in every run: a change that breaks something is found by the
# change, and a busy machine breaks nothing.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from homeassistant.components.repairs import RepairsFlowManager
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
    from syrupy.assertion import SnapshotAssertion


# What is logged is kept for a test that fails. The plugin prints it beside, and with it
# each statement of the recorder. A home says in sixty lines a test that it starts: who
# wants to read them asks for caplog, or for `pytest -v`.
logging.getLogger().handlers.clear()
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
logging.getLogger().setLevel(logging.WARNING)

# A home makes many objects that live as long as its test: to look through them again and
# again finds nothing. The plugin collects after each module, whatever was made.
gc.set_threshold(50_000, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what scripts/test says of the oldest Home Assistant."""
    told = "run what is for each provider with one of them"
    parser.addoption("--one-provider", action="store_true", help=told)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what one provider has shown already, if that is wished."""
    if config.getoption("--one-provider"):
        surplus = set(find_surplus(items))
        items[:] = [each for each in items if each not in surplus]
        config.hook.pytest_deselected(items=[*surplus])


@pytest.fixture(autouse=True)
def disable_http_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bind no socket for Home Assistant's own server.

    The plugin's stand-ins take as long to make as many a test runs.
    """

    async def do_nothing(*_: object) -> None: ...

    monkeypatch.setattr(HomeAssistantHTTP, "async_bind", do_nothing)
    monkeypatch.setattr(HomeAssistantHTTP, "start", do_nothing)


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Keep the plugin's checks of threads and of slow callbacks, without its tracebacks.

    Each future and each coroutine would note who made it, which takes a third of the
    suite's time. And what cannot be called need not be looked for before it is called.
    """
    loop = asyncio.get_running_loop()
    loop._set_coroutine_origin_tracking = lambda _enabled: None
    loop.set_debug(True)
    loop.get_debug = lambda: False
    loop._check_callback = lambda _callback, _method: None


@pytest.fixture(autouse=True)
def deprecations() -> Iterator[None]:
    """Fail a test in which Home Assistant complains of how we use it."""
    with Complaints() as complaints:
        yield
    assert not complaints.lines


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let every test that has a Home Assistant load this integration."""
    if "recorder_mock" in request.fixturenames:
        # The database has to be there before the home.
        request.getfixturevalue("recorder_db_url")
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give each home a disk of its own: the stores are on it."""
    return hass_tmp_config_dir


@pytest.fixture
async def manager(hass: HomeAssistant) -> RepairsFlowManager:
    """Set up what fixes."""
    assert await async_setup_component(hass, "repairs", {})
    found = repairs.repairs_flow_manager(hass)
    assert found is not None
    return found


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Keep snapshots where each release of the plugin looks for them."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
async def simulator(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Run both providers on localhost, losing no time."""
    async with Simulator() as sim:
        sim.pace = 0
        yield sim


@pytest.fixture
async def home_url(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> str:
    """Open the home to the simulator, and return its external URL."""
    # What serves views has to be there before the server runs.
    for component in ("webhook", "notify"):
        assert await async_setup_component(hass, component, {})
    # As its own server does: what is set up later may add paths.
    hass.http.app._router.freeze = lambda: None
    client = await hass_client_no_auth()
    url = str(client.make_url("")).rstrip("/")
    hass.config.external_url = url
    return url


@pytest.fixture
def mode() -> str:
    """Choose how news gets here: parametrise it for the other ways."""
    return "automatic"


@pytest.fixture
async def twilio_entry(
    hass: HomeAssistant, simulator: Simulator, home_url: str, mode: str
) -> ConfigEntry:
    """Have Twilio's number at work."""
    return await furnish(hass, simulator, "twilio", mode=mode, name="Twilio line")


@pytest.fixture
async def ovh_entry(
    hass: HomeAssistant, simulator: Simulator, home_url: str, mode: str
) -> ConfigEntry:
    """Have OVHcloud's number at work."""
    return await furnish(hass, simulator, "ovh", mode=mode, name="OVH line")


@pytest.fixture
def cloud(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Subscribe the home to the cloud."""
    hass.config.components.add("cloud")
    cloud = Cloud()
    monkeypatch.setitem(sys.modules, "homeassistant.components.cloud", cloud)
    return cloud


@pytest.fixture(params=["twilio", "ovh"])
def provider(request: pytest.FixtureRequest) -> str:
    """Choose a provider: a test that asks for it runs with each."""
    return request.param


@pytest.fixture
async def entry(
    hass: HomeAssistant, simulator: Simulator, home_url: str, mode: str, provider: str
) -> ConfigEntry:
    """Have a number of the provider at work."""
    return await furnish(hass, simulator, provider, mode=mode, name="My line")
