"""What a home does not need is not loaded, and what an alarm needs is, before it."""

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.const import DOMAIN

from .home import SENDER, send, settle
from .set_up import set_up

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

TABLE = "phonenumbers.data.region_"
PRODUCT = "custom_components.virtual_sms"
NOT_NEEDED = ("twilio.", f"{PRODUCT}.adapters.twilio.", f"{PRODUCT}.assist.")
NEIGHBOUR = "+33612345678"


def tables() -> set[str]:
    """Return the countries whose tables are loaded."""
    return {each.removeprefix(TABLE) for each in sys.modules if each.startswith(TABLE)}


async def alone_with_one_number(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """A home loads its own provider, the tables of its countries, and no assistant."""
    await set_up(hass, simulator, "ovh")
    assert tables() == {"FR"}
    assert not [each for each in sys.modules if f"{each}.".startswith(NOT_NEEDED)]


async def alone_in_an_alarm(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """Whoever is alarmed, by text or by call, and whoever answers: nothing is missing."""
    hass.config.country = "FR"
    entry = await set_up(hass, simulator, "twilio")
    before = set(sys.modules)
    await send(hass, entry, to=[NEIGHBOUR])
    step = {"config_entry_id": entry.entry_id, "to": [NEIGHBOUR]}
    alert = {"message": "Smoke in the attic", "steps": [step, {**step, "call": True}]}
    await hass.services.async_call(DOMAIN, "alert", alert, blocking=True)
    await settle(hass, simulator)
    simulator.twilio.receive(NEIGHBOUR, "OK")
    simulator.twilio.receive(SENDER, "Who is this?")
    await settle(hass, simulator)
    assert set(sys.modules) - before == set()


@pytest.mark.parametrize("name", ["alone_with_one_number", "alone_in_an_alarm"])
def test_in_a_process_of_its_own(name: str) -> None:
    """In this one, other tests have loaded it all."""
    options = ["-q", "-p", "no:cacheprovider", "-o", "python_functions=alone_*"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"{__file__}::{name}"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "1 passed" in run.stdout, run.stdout
