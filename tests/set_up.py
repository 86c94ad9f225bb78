"""Drive the config flow as a person would."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import SOURCE_USER

from custom_components.virtual_sms.const import DOMAIN

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


def credentials(sim: Simulator, provider: str, **changes: str) -> dict[str, Any]:
    """Return what a person types into a provider's form; None leaves a field empty."""
    advanced = {"api_url": sim.url}
    typed = dict(sim.providers[provider].credentials)
    for key, value in changes.items():
        if key in {"api_key_sid", "api_key_secret", "service_name", "api_url"}:
            advanced[key] = value
        else:
            typed[key] = value
    return {**typed, "advanced": advanced}


async def start(hass: HomeAssistant, provider: str) -> ConfigFlowResult:
    """Open the flow at a provider's form."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await flow.async_configure(result["flow_id"], {"next_step_id": provider})


async def answer(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Fill in the form that is shown."""
    flow = hass.config_entries.flow
    return await flow.async_configure(result["flow_id"], user_input)


async def to_number(
    hass: HomeAssistant, sim: Simulator, provider: str, **changes: str
) -> ConfigFlowResult:
    """Go as far as the choice of a number."""
    result = await start(hass, provider)
    return await answer(hass, result, **credentials(sim, provider, **changes))


async def to_callbacks(
    hass: HomeAssistant,
    sim: Simulator,
    provider: str,
    *,
    number: str | None = None,
    name: str | None = None,
) -> ConfigFlowResult:
    """Go as far as the choice of how messages get here."""
    result = await to_number(hass, sim, provider)
    typed = {"number": number or sim.providers[provider].number}
    if name is not None:
        typed["name"] = name
    return await answer(hass, result, **typed)


async def set_up(
    hass: HomeAssistant,
    sim: Simulator,
    provider: str,
    *,
    mode: str = "automatic",
    number: str | None = None,
    name: str | None = None,
) -> ConfigEntry:
    """Set a number up from the menu to the loaded entry."""
    result = await to_callbacks(hass, sim, provider, number=number, name=name)
    result = await answer(hass, result, mode=mode)
    if mode == "manual":
        result = await answer(hass, result)
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    return entry
