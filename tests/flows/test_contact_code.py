"""The steps of a contact's code: a PIN, or an app that shows digits."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pyotp
import pytest

from custom_components.virtual_sms.core.command_code import Pin, Totp

from ..contacts import add_contact, change, fill_in, find
from ..home import RECIPIENT

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, SubentryFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

pytestmark = pytest.mark.usefixtures("simulator")


async def fill_in_bob(
    hass: HomeAssistant, entry: ConfigEntry, code: str, **typed: Any
) -> SubentryFlowResult:
    """Fill in a contact who may command with a code."""
    bob = {"name": "Bob", "numbers": [RECIPIENT], "may_command": True, "code": code}
    return await fill_in(hass, entry, **{**bob, **typed})


async def go_on(
    hass: HomeAssistant, result: SubentryFlowResult, **typed: Any
) -> SubentryFlowResult:
    """Fill in the next step."""
    return await hass.config_entries.subentries.async_configure(
        result["flow_id"], typed
    )


def stored(entry: ConfigEntry, key: str) -> dict[str, Any]:
    """Return what is stored of Bob's code."""
    found: dict[str, Any] = find(entry, "Bob").data[key]
    return found


def shown_code(key: str) -> str:
    """Return what the app shows now."""
    return pyotp.TOTP(key).at(dt_util.utcnow())


async def test_a_pin_is_kept_as_a_hash(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """It is asked for in a step of its own, and is nowhere to be read afterwards."""
    result = await fill_in_bob(hass, entry, "pin")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "pin")
    result = await go_on(hass, result, pin="Zx47")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    data = find(entry, "Bob").data
    assert data["code"] == "pin"
    assert "zx47" not in str(data).casefold()
    assert Pin.from_dict(data["pin"]).check("zx47", dt_util.utcnow())


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12 34", "12-34", "1234!"])
async def test_what_is_no_pin(
    hass: HomeAssistant, entry: ConfigEntry, pin: str
) -> None:
    """4 to 12 digits or letters; the form says so, and goes on with a better one."""
    result = await fill_in_bob(hass, entry, "pin")
    result = await go_on(hass, result, pin=pin)
    assert result["errors"] == {"pin": "invalid_pin"}
    result = await go_on(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_pin_may_be_kept(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Who changes a name need not know the PIN, which is not shown again."""
    result = await fill_in_bob(hass, entry, "pin")
    await go_on(hass, result, pin="4711")
    before, bob = stored(entry, "pin"), find(entry, "Bob")
    fields = {"name": "Bob", "numbers": [RECIPIENT], "may_command": True}
    result = await change(hass, entry, bob, **fields, code="pin")
    assert result["step_id"] == "pin"
    assert "4711" not in str(result)
    result = await go_on(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert stored(entry, "pin") == before
    result = await change(hass, entry, bob, **fields, code="pin")
    await go_on(hass, result, pin="0815")
    assert stored(entry, "pin") != before
    await change(hass, entry, find(entry, "Bob"), **fields, code="none")
    assert "pin" not in find(entry, "Bob").data


async def test_what_is_kept_is_what_another_window_has_set(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """A PIN that was given up does not return with a form that was open before."""
    await go_on(hass, await fill_in_bob(hass, entry, "pin"), pin="4711")
    bob = find(entry, "Bob")
    fields = {"name": "Bob", "numbers": [RECIPIENT], "may_command": True}
    windows = [await change(hass, entry, bob, **fields, code="pin") for _ in range(3)]
    await go_on(hass, windows[0], pin="0815")
    renewed = stored(entry, "pin")
    await go_on(hass, windows[1])
    assert stored(entry, "pin") == renewed
    await change(hass, entry, find(entry, "Bob"), **fields, code="none")
    result = await go_on(hass, windows[2])
    assert result["errors"] == {"pin": "invalid_pin"}


async def test_an_app_must_prove_that_it_works(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """The form shows a QR code and the key, and goes on with the code of the app."""
    result = await fill_in_bob(hass, entry, "totp")
    assert (result["type"], result["step_id"]) == (FlowResultType.FORM, "totp")
    given = result["description_placeholders"]
    assert given is not None
    schema = result["data_schema"]
    assert schema is not None
    picture = schema.schema["qr_code"]
    assert picture.config["data"] == given["url"]
    assert given["key"] in given["url"]
    right = shown_code(given["key"])
    wrong = str((int(right) + 1) % 1_000_000).zfill(6)
    for code in ("", "12345", wrong):
        result = await go_on(hass, result, code=code)
        assert result["errors"] == {"code": "invalid_code"}
        assert result["description_placeholders"]["key"] == given["key"]
    result = await go_on(hass, result, code=f"{right[:3]} {right[3:]}")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    proof = Totp.from_dict(stored(entry, "totp")).check(right, dt_util.utcnow())
    assert proof is not None
    assert proof.is_used


async def test_an_app_may_be_kept(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Who changes a name need not set the app up again."""
    result = await fill_in_bob(hass, entry, "totp")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    await go_on(hass, result, code=shown_code(placeholders["key"]))
    before = stored(entry, "totp")
    fields = {"name": "Bob", "numbers": [RECIPIENT], "may_command": True}
    result = await change(hass, entry, find(entry, "Bob"), **fields, code="totp")
    result = await go_on(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert stored(entry, "totp") == before


async def test_a_code_counts_for_commands_only(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """Who may not command is not asked for one."""
    result = await fill_in_bob(hass, entry, "pin", may_command=False)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_an_app_in_a_home_with_a_wrong_clock(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """The right time is the provider's, by which a code is checked later on as well."""
    simulator.clock_offset = 7200
    await entry.runtime_data.coordinator.async_refresh()
    result = await fill_in_bob(hass, entry, "totp")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    phone = dt_util.utcnow() + timedelta(hours=2)
    code = pyotp.TOTP(placeholders["key"]).at(phone)
    result = await go_on(hass, result, code=code)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_window_was_faster(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """Whoever takes long to type a PIN finds their number taken, and no second contact."""
    result = await fill_in_bob(hass, entry, "pin")
    await add_contact(hass, entry, "Ann", RECIPIENT)
    result = await go_on(hass, result, pin="4711")
    assert (result["step_id"], result["errors"]) == (
        "user",
        {"numbers": "number_taken"},
    )
