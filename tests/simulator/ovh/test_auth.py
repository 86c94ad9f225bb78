"""Hold OVHcloud's keys, rights and click flow against its own SDK."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import aiohttp
import ovh
import pytest

from simulator import Simulator
from tests.simulator.conftest import Home
from tests.simulator.ovh.sdk import LINE, S, get, send


async def test_credentials(
    sim: Simulator, ovh_as: Callable[..., ovh.Client], ovh_sdk: ovh.Client
) -> None:
    """Each wrong secret has its error."""
    key = sim.ovh.consumer_key
    cases = [
        (
            ovh_as(key, application_secret="wrong"),
            ovh.exceptions.BadParametersError,
            "Invalid signature",
        ),
        (ovh_as(key, application_key="wrong"), ovh.exceptions.InvalidKey, "key"),
        (ovh_as("wrong"), ovh.exceptions.InvalidCredential, "not valid"),
    ]
    for client, kind, words in cases:
        with pytest.raises(kind, match=words):
            await get(client, "/sms")
    with pytest.raises(ovh.exceptions.NotCredential):
        await asyncio.to_thread(lambda: ovh_sdk.get("/sms", _need_auth=False))
    await get(ovh_sdk, "/sms")
    sim.ovh.auth.drift = 3600
    with pytest.raises(ovh.exceptions.BadParametersError, match="out of time"):
        await get(ovh_sdk, "/sms")
    assert await get(ovh_as(key), "/sms")
    sim.ovh.auth.expire(key)
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(ovh_as(key), "/sms")


async def test_rights(sim: Simulator, ovh_as: Callable[..., ovh.Client]) -> None:
    """Rules decide what a consumer key may call."""
    limited = ovh_as(sim.ovh.limited_consumer_key)
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        await get(limited, "/sms")
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        await get(limited, "/sms/sms-ab12345-2")
    assert await get(limited, f"{S}/virtualNumbers")
    reader = ovh_as(sim.ovh.read_only_consumer_key)
    assert await get(reader, f"{LINE}/outgoing") == []
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        await send(reader)
    rules = (await get(reader, "/auth/currentCredential"))["rules"]
    assert {"method": "GET", "path": "/sms/*"} in rules
    details = await get(reader, "/auth/details")
    assert details["allowedRoutes"] == rules
    assert sim.ovh.messages == []


async def test_click_flow(
    sim: Simulator, ovh_as: Callable[..., ovh.Client], home: Home
) -> None:
    """A consumer key works once a human has authorised it, and until logout."""
    client = ovh_as()
    request = client.new_consumer_key_request()
    request.add_recursive_rules(ovh.API_READ_WRITE, "/sms")
    answer = await asyncio.to_thread(lambda: request.request(f"{home.url}/back"))
    assert answer["state"] == "pendingValidation"
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(client, "/sms")
    async with aiohttp.ClientSession() as session:
        async with session.get(answer["validationUrl"]) as page:
            assert "GET /sms/*" in await page.text()
        token = parse_qs(urlsplit(answer["validationUrl"]).query)["credentialToken"][0]
        form = {"credentialToken": token, "decision": "authorize"}
        async with session.post(answer["validationUrl"], data=form) as page:
            assert page.url.path == "/back"
        async with session.get(answer["validationUrl"]) as page:
            assert page.status == 404
    assert await get(client, "/sms")
    current = await get(client, "/auth/currentCredential")
    assert current["status"] == "validated"
    assert datetime.fromisoformat(current["expiration"]) > datetime.now(UTC)
    await asyncio.to_thread(lambda: client.post("/auth/logout"))
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(client, "/sms")


async def test_click_refused(sim: Simulator, ovh_as: Callable[..., ovh.Client]) -> None:
    """A refused consumer key stays without use."""
    client = ovh_as()
    rules = [{"method": "GET", "path": "/sms"}]
    answer = await asyncio.to_thread(lambda: client.request_consumerkey(rules))
    sim.ovh.auth.refuse_click(answer["consumerKey"])
    with pytest.raises(ovh.exceptions.InvalidCredential):
        await get(client, "/sms")
    answer = await asyncio.to_thread(lambda: client.request_consumerkey(rules))
    sim.ovh.auth.authorize_click(answer["consumerKey"])
    assert await get(client, "/sms")
    with pytest.raises(ovh.exceptions.BadParametersError):
        await asyncio.to_thread(lambda: client.request_consumerkey([{"method": "EAT"}]))
