"""Verbs that send: raw, as core does it, and as we do it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import time
from typing import Any, Final

from aiohttp import BasicAuth, ClientSession
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

TEXT: Final = "The washing machine leaks."
_TWILIO: Final = "https://api.twilio.com"

type Send = Callable[[Sequence[str]], Awaitable[object]]


class _Aimed:
    """Core's HTTP client, sent to another origin: it has no setting for that."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        url = url.replace(_TWILIO, self._url)
        return self._client.request(method, url, *args, **kwargs)


async def async_aim_core(hass: HomeAssistant, data: dict[str, Any]) -> None:
    """Have core's `twilio` ask a provider at `url`."""
    client = hass.data["twilio"]
    client.http_client = _Aimed(client.http_client, data["url"])


def _raw(hass: HomeAssistant, data: dict[str, Any]) -> Send:
    """Post as little as makes Twilio send."""
    session: ClientSession = async_get_clientsession(hass)
    account, token = data["credentials"]
    url = f"{data['url']}/2010-04-01/Accounts/{account}/Messages.json"
    headers = {"Authorization": BasicAuth(account, token).encode()}

    async def send(recipients: Sequence[str]) -> None:
        for to in recipients:
            form = {"To": to, "From": data["number"], "Body": TEXT}
            async with session.post(url, data=form, headers=headers) as answer:
                answer.raise_for_status()
                await answer.json()

    return send


def _core(hass: HomeAssistant, _: dict[str, Any]) -> Send:
    """Call core's notify action."""

    async def send(recipients: Sequence[str]) -> None:
        data = {"message": TEXT, "target": list(recipients)}
        await hass.services.async_call("notify", "core", data, blocking=True)

    return send


def _ours(hass: HomeAssistant, data: dict[str, Any]) -> Send:
    """Call our action, which writes everything down first."""

    async def send(recipients: Sequence[str]) -> object:
        call = {
            "config_entry_id": data["entry_id"],
            "to": list(recipients),
            "message": TEXT,
        }
        return await hass.services.async_call(
            "virtual_sms", "send_message", call, blocking=True, return_response=True
        )

    return send


def _adapter(hass: HomeAssistant, data: dict[str, Any]) -> Send:
    """Ask our adapter: the SDK and nothing around it."""
    entry: Any = hass.config_entries.async_get_entry(data["entry_id"])
    gateway = entry.runtime_data.gateway

    async def send(recipients: Sequence[str]) -> None:
        for to in recipients:
            message = gateway.outbox.compose(to, TEXT)
            await gateway.line.adapter.send(gateway.line.number, message, None)

    return send


def _bare_ovh(hass: HomeAssistant, data: dict[str, Any]) -> Send:
    """Call OVHcloud's SDK in the executor, as its documentation shows it."""
    client: Any = None

    def post(to: str) -> None:
        nonlocal client
        if client is None:
            client = _build_ovh(data)
        client.post(
            f"/sms/{data['service']}/virtualNumbers/{data['number']}/jobs",
            message=TEXT,
            receivers=[to],
        )

    async def send(recipients: Sequence[str]) -> None:
        for to in recipients:
            await hass.async_add_executor_job(post, to)

    return send


def _build_ovh(data: dict[str, Any]) -> Any:
    import ovh.client  # noqa: PLC0415  # slow to import

    ovh.client.ENDPOINTS["bench"] = f"{data['url']}/1.0"
    return ovh.client.Client("bench", *data["credentials"])


_WAYS: Final = {
    "raw": _raw,
    "core": _core,
    "ours": _ours,
    "adapter": _adapter,
    "bare ovh": _bare_ovh,
}


async def send(hass: HomeAssistant, data: dict[str, Any]) -> float:
    """Send to `recipients` in one `way`, and return the seconds that it took.

    `calls` says how: one after another (serial), all at once (parallel), or as a
    single call for all of them (single).
    """
    act = _WAYS[data["way"]](hass, data)
    recipients: list[str] = data["recipients"]
    start = time.perf_counter()
    match data["calls"]:
        case "single":
            await act(recipients)
        case "parallel":
            await asyncio.gather(*(act([each]) for each in recipients))
        case _:
            for each in recipients:
                await act([each])
    return time.perf_counter() - start


async def track(hass: HomeAssistant, data: dict[str, Any]) -> Any:
    """Send with our action, and return what it answers."""
    answer: Any = await _ours(hass, data)(data["recipients"])
    return answer["messages"]


VERBS = {"send": send, "track": track, "aim_core": async_aim_core}
