"""What a message costs, as far as it can be counted; `scripts/bench` times the rest."""

from typing import TYPE_CHECKING, Any

import pytest

from .home import SENDER, send, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

NEIGHBOURS = [f"+336{number:08}" for number in range(50)]


@pytest.fixture
def jobs(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the modules whose functions are run in a thread."""
    jobs: list[str] = []
    run: Callable[..., Any] = hass.loop.run_in_executor

    def note(executor: object, job: Callable[..., Any], *arguments: object) -> Any:
        function = getattr(job, "func", job)
        jobs.append(getattr(function, "__module__", "?"))
        return run(executor, job, *arguments)

    monkeypatch.setattr(hass.loop, "run_in_executor", note)
    return jobs


async def test_a_send_is_one_request(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Fifty neighbours are fifty requests to the provider, and not one more."""
    before = len(simulator.requests)
    await send(hass, twilio_entry, to=NEIGHBOURS)
    await settle(hass, simulator)
    asked = list(simulator.requests)[before:]
    assert {(each.method, each.path.rpartition("/")[2]) for each in asked} == {
        ("POST", "Messages.json")
    }
    assert len(asked) == len(NEIGHBOURS)


async def test_many_sends_share_their_writing(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    jobs: list[str],
) -> None:
    """Fifty messages are not fifty waits for the disk, and hold no other thread."""
    await send(hass, twilio_entry, to=NEIGHBOURS)
    written = [each for each in jobs if each.endswith(".journal")]
    assert 2 <= len(written) <= 2 * len(NEIGHBOURS)
    adapter = twilio_entry.runtime_data.gateway.line.adapter
    if adapter.is_asynchronous:
        assert jobs == written
    await settle(hass, simulator)


async def test_a_callback_asks_nothing(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A message that comes by a signed callback costs no request."""
    before = len(simulator.requests)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert len(simulator.requests) == before
