"""Verbs that send: as core does it, as the bare SDK does, and as we do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
import time
from typing import Any, Final

from homeassistant.core import HomeAssistant

_TEXT: Final = "The washing machine leaks."
_SDK: Final = "probe_sdk"
_TWILIO: Final = "https://api.twilio.com"

type Way = Callable[[HomeAssistant, str, Sequence[str]], Awaitable[object]]


async def aim_core(hass: HomeAssistant, url: str) -> None:
    """Have core's `twilio` ask a provider at another origin: it has no setting."""
    client = hass.data["twilio"].http_client
    request = client.request

    def ask(method: str, address: str, *args: Any, **options: Any) -> object:
        return request(method, address.replace(_TWILIO, url), *args, **options)

    client.request = ask


async def aim_sdk(
    hass: HomeAssistant, url: str, path: str, credentials: Sequence[str]
) -> None:
    """Have OVHcloud's SDK ask a provider, as its documentation shows it."""

    def build() -> Callable[[str], object]:
        module = import_module("ovh.client")
        module.ENDPOINTS["bench"] = f"{url}/1.0"
        client = module.Client("bench", *credentials)
        return lambda to: client.post(path, message=_TEXT, receivers=[to])

    hass.data[_SDK] = await hass.async_add_executor_job(build)


async def _core(hass: HomeAssistant, _: str, to: Sequence[str]) -> None:
    data = {"message": _TEXT, "target": to}
    await hass.services.async_call("notify", "core", data, blocking=True)


async def _ours(hass: HomeAssistant, entry_id: str, to: Sequence[str]) -> object:
    data = {"config_entry_id": entry_id, "to": to, "message": _TEXT}
    return await hass.services.async_call(
        "virtual_sms", "send_message", data, blocking=True, return_response=True
    )


async def _alert(hass: HomeAssistant, entry_id: str, to: Sequence[str]) -> None:
    steps = [{"config_entry_id": entry_id, "to": to}]
    data = {"message": _TEXT, "steps": steps}
    await hass.services.async_call("virtual_sms", "alert", data, blocking=True)


async def _sdk(hass: HomeAssistant, _: str, to: Sequence[str]) -> None:
    for each in to:
        await hass.async_add_executor_job(hass.data[_SDK], each)


_WAYS: Final[Mapping[str, Way]] = {
    "alert": _alert,
    "core": _core,
    "ours": _ours,
    "sdk": _sdk,
}


async def send(
    hass: HomeAssistant,
    entry_id: str,
    way: str,
    calls: Sequence[Sequence[str]],
    pause: float | None = None,
) -> dict[str, list[Any]]:
    """Make calls to their recipients; return when each began and ended, and its answer.

    They are made all at once, or, after a pause in seconds each, one after another.
    """

    async def call(recipients: Sequence[str]) -> tuple[float, float, object]:
        await asyncio.sleep(pause or 0)
        began = time.monotonic()
        answer = await _WAYS[way](hass, entry_id, recipients)
        return began, time.monotonic(), answer

    if pause is None:
        made = await asyncio.gather(*map(call, calls))
    else:
        made = [await call(each) for each in calls]
    began, ended, answers = (list(each) for each in zip(*made, strict=True))
    return {"began": began, "ended": ended, "answers": answers}


VERBS = (aim_core, aim_sdk, send)
