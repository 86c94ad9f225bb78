"""What is offered right after a number was set up, up to the words of the result."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, FlowType
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest

from custom_components.virtual_sms import return_path
from custom_components.virtual_sms.const import CONF_CALLBACK_URL, CONF_MODE, DOMAIN
from custom_components.virtual_sms.flow_return_path import OFFER_LASTS

from .flows import answer, credentials, set_up, to_callbacks
from .home import settle
from .test_registration import FOREIGN, put
from .test_return_path import NOWHERE, issue, move

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from simulator import Simulator

    type Post = Callable[..., Awaitable[dict[str, Any]]]

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0"


def offered(hass: HomeAssistant, entry: ConfigEntry) -> list[Any]:
    """List the flows that wait for an answer about a number."""
    return hass.config_entries.options.async_progress_by_handler(entry.entry_id)


async def choose(
    hass: HomeAssistant, entry: ConfigEntry, *lines: str
) -> ConfigFlowResult:
    """Choose lines of the menus one after the other, and wait for what comes of it."""
    flow = hass.config_entries.options
    (waiting,) = offered(hass, entry)
    for line in lines:
        result = await flow.async_configure(waiting["flow_id"], {"next_step_id": line})
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            assert (result["step_id"], result["progress_action"]) == ("check", "check")
            await hass.async_block_till_done()
            result = await flow.async_configure(waiting["flow_id"])
    return result


async def fill(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Send a form of the options."""
    flow = hass.config_entries.options
    return await flow.async_configure(result["flow_id"], user_input)


def expect(result: ConfigFlowResult, kind: FlowResultType, step: str) -> None:
    """Say what is shown."""
    assert (result["type"], result["step_id"]) == (kind, step), result


@pytest.mark.parametrize("mode", ["automatic", "manual"])
async def test_check_is_offered(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str, mode: str
) -> None:
    """The last step makes the entry; the offer follows, and does nothing unasked."""
    result = await to_callbacks(hass, simulator, provider)
    result = await answer(hass, result, mode=mode)
    if mode == "manual":
        result = await answer(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass, simulator)
    before = len(simulator.requests)

    (waiting,) = offered(hass, result["result"])
    assert result["next_flow"] == (FlowType.OPTIONS_FLOW, waiting["flow_id"])
    flow = hass.config_entries.options.async_get(waiting["flow_id"])
    assert flow["step_id"] == "return_path"
    with patch.object(return_path, "_async_send") as sent:
        await settle(hass, simulator)
    assert not sent.called
    assert len(simulator.requests) == before


@pytest.mark.parametrize("mode", ["polling"])
async def test_nothing_to_check(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who asks regularly has no way back."""
    assert not offered(hass, twilio_entry)


async def test_number_that_does_not_run(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """Where the set-up stumbled at the end, Home Assistant says so, and that is all."""
    with patch("custom_components.virtual_sms.async_setup_entry", return_value=False):
        entry = await set_up(hass, simulator, "twilio")
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert not offered(hass, entry)


async def test_later(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Who does not want to check now leaves all as it is."""
    data, runtime = dict(entry.data), entry.runtime_data
    result = await choose(hass, entry, "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass, simulator)
    assert (dict(entry.data), dict(entry.options)) == (data, {})
    assert entry.runtime_data is runtime
    assert not offered(hass, entry)


async def test_way_is_free(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Good news is told, and nothing changes."""
    runtime = entry.runtime_data
    result = await choose(hass, entry, "check")
    expect(result, FlowResultType.FORM, "free")
    result = await fill(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass, simulator)
    assert entry.runtime_data is runtime
    assert not entry.options


async def test_way_is_blocked_and_mended(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Bad news is told in words, and once it is mended a second check finds that."""
    good = entry.data[CONF_CALLBACK_URL]
    move(hass, entry, NOWHERE)
    result = await choose(hass, entry, "check")
    expect(result, FlowResultType.MENU, "blocked")
    assert result["menu_options"] == ["check", "settings", "finish"]
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert "port forwarding" in placeholders["reason"]
    assert issue(hass, entry)

    move(hass, entry, good)
    expect(await choose(hass, entry, "check"), FlowResultType.FORM, "free")
    assert not issue(hass, entry)


async def test_way_stays_blocked(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Who cannot mend it now may finish; the repair stays."""
    move(hass, entry, NOWHERE)
    result = await choose(hass, entry, "check", "check", "finish")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert issue(hass, entry)


async def test_another_way_to_receive(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """From bad news a way leads to the ordinary options."""
    move(hass, entry, NOWHERE)
    result = await choose(hass, entry, "check", "settings")
    expect(result, FlowResultType.FORM, "init")
    result = await fill(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass, simulator)
    assert entry.data[CONF_MODE] == "polling"


@pytest.mark.parametrize("mode", ["manual"])
async def test_way_back_to_the_options(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Who keeps another application's address chooses again, not from the start."""
    put(simulator, provider, FOREIGN)
    result = await choose(hass, entry, "check", "settings")
    result = await fill(hass, result, mode="automatic")
    expect(result, FlowResultType.FORM, "takeover")
    result = await fill(hass, result, confirm=False)
    expect(result, FlowResultType.FORM, "init")


async def test_number_that_stopped_meanwhile(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A number that does not run is not checked."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    result = await choose(hass, twilio_entry, "check")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_closed_while_checking(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A window that is closed takes its check along."""
    started = asyncio.Event()

    async def hang(*_: object) -> tuple[int, str]:
        started.set()
        await asyncio.sleep(60)
        raise AssertionError

    (waiting,) = offered(hass, twilio_entry)
    flow = hass.config_entries.options
    with patch.object(return_path, "_async_send", hang):
        result = await flow.async_configure(
            waiting["flow_id"], {"next_step_id": "check"}
        )
        await started.wait()
        expect(result, FlowResultType.SHOW_PROGRESS, "check")
        # The frontend asks how it goes.
        result = await flow.async_configure(waiting["flow_id"])
        expect(result, FlowResultType.SHOW_PROGRESS, "check")
        flow.async_abort(waiting["flow_id"])
        await hass.async_block_till_done()
    assert not issue(hass, twilio_entry)


@pytest.fixture
async def post(
    hass: HomeAssistant, simulator: Simulator, hass_client: ClientSessionGenerator
) -> Post:
    """Talk to the flows as a browser or a script does."""
    for component in ("webhook", "config"):
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    hass.config.external_url = str(client.make_url("")).rstrip("/")

    async def post(where: str, agent: str = BROWSER, **body: Any) -> dict[str, Any]:
        response = await client.post(
            f"/api/config/config_entries/{where}",
            json=body,
            headers={"User-Agent": agent},
        )
        assert response.status == 200, await response.text()
        result: dict[str, Any] = await response.json()
        return result

    return post


async def test_offer_is_followed_as_it_should(
    hass: HomeAssistant, simulator: Simulator, post: Post
) -> None:
    """A browser is led from the one flow to the other."""
    result = await post("flow", handler=DOMAIN)
    step = f"flow/{result['flow_id']}"
    await post(step, next_step_id="twilio")
    await post(step, **credentials(simulator, "twilio"))
    await post(step, number=simulator.twilio.number)
    result = await post(step, mode="automatic")
    assert result["type"] == "create_entry"
    kind, flow_id = result["next_flow"]
    assert kind == "options_flow"
    result = await post(f"options/flow/{flow_id}")
    assert result["step_id"] == "return_path"
    result = await post(f"options/flow/{flow_id}", next_step_id="finish")
    assert result["type"] == "create_entry"


async def test_offer_is_followed_by_another_flow(
    hass: HomeAssistant, simulator: Simulator, post: Post
) -> None:
    """A browser that opens the options at once instead gets the offer, once."""
    entry = await set_up(hass, simulator, "twilio")
    (before,) = offered(hass, entry)
    result = await post("options/flow", handler=entry.entry_id)
    assert result["step_id"] == "return_path"
    (waiting,) = offered(hass, entry)
    assert waiting["flow_id"] == result["flow_id"] != before["flow_id"]
    result = await post(f"options/flow/{waiting['flow_id']}", next_step_id="finish")
    assert result["type"] == "create_entry"
    result = await post("options/flow", handler=entry.entry_id)
    assert result["step_id"] == "init"


@pytest.mark.parametrize(
    ("agent", "wait"),
    [("Python/3.14 aiohttp/3.14", timedelta(0)), (BROWSER, OFFER_LASTS * 2)],
)
async def test_options_are_no_offer(  # one case each
    hass: HomeAssistant,
    simulator: Simulator,
    post: Post,
    freezer: FrozenDateTimeFactory,
    agent: str,
    wait: timedelta,
) -> None:
    """Who opens the options, by a script or later, gets them."""
    entry = await set_up(hass, simulator, "twilio")
    freezer.tick(wait)
    result = await post("options/flow", agent, handler=entry.entry_id)
    assert result["step_id"] == "init"
    assert len(offered(hass, entry)) == 2
