"""The callback check, from the button to the words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
import ssl
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock, patch

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.components import persistent_notification, webhook
from homeassistant.components.button import DOMAIN as BUTTON, SERVICE_PRESS
from homeassistant.const import CONF_WEBHOOK_ID, EntityCategory
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    entity_registry as er,
    issue_registry as ir,
    translation,
)
from homeassistant.util.aiohttp import MockRequest, serialize_response
import pytest

from custom_components.virtual_sms.callbacks import reachability_check as check
from custom_components.virtual_sms.callbacks.reachability_check import (
    RECENT,
    async_try_url,
)
from custom_components.virtual_sms.const import CONF_CALLBACK_URL, DOMAIN
from custom_components.virtual_sms.core.reachability import FIELD, HEADER, Verdict
from simulator import Quirk
from simulator.world import now
from tests.home import SENDER, listen, settle
from tests.set_up import set_up

from .test_registrar import FOREIGN, issues, put

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

type Serve = Callable[[Callable[[web.Request], Any]], Any]
WEBHOOK_ID = "abc"
NOWHERE = "http://127.0.0.1:1/api/webhook/abc"
MINUTE = timedelta(minutes=1)


def button(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return the id of the button, if there is one."""
    return er.async_get(hass).async_get_entity_id(
        BUTTON, DOMAIN, f"{entry.entry_id}_check_return_path"
    )


async def press(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Press the button, and return the key of what it complains about."""
    try:
        await hass.services.async_call(
            BUTTON, SERVICE_PRESS, {"entity_id": button(hass, entry)}, blocking=True
        )
    except HomeAssistantError as err:
        return str(err.translation_key).removeprefix("return_path_")
    return None


def issue(hass: HomeAssistant, entry: ConfigEntry) -> ir.IssueEntry | None:
    """Return the repair issue of the check."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"return_path_{entry.entry_id}")


def notifications(hass: HomeAssistant, entry: ConfigEntry) -> list[Any]:
    """Return what the check of a number has notified of."""
    found = persistent_notification._async_get_or_create_notifications(hass)
    own = f"virtual_sms_callback_check_{entry.entry_id}"
    return [each for key, each in found.items() if key == own]


async def test_finding_in_french(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """What a pressed check found is said in the language of the home."""
    hass.config.language = "fr"
    await translation.async_load_integrations(hass, {DOMAIN})
    assert await press(hass, twilio_entry) is None
    [shown] = notifications(hass, twilio_entry)
    assert shown["message"].startswith("Les messages peuvent arriver")
    assert "Twilio" in shown["message"]


def move(hass: HomeAssistant, entry: ConfigEntry, url: str) -> None:
    """Have a number believe that it is called at another URL."""
    data = {**entry.data, CONF_CALLBACK_URL: url}
    hass.config_entries.async_update_entry(entry, data=data)


@pytest.fixture
async def serve(socket_enabled: None) -> AsyncIterator[Serve]:
    """Run servers that are not this home."""
    servers: list[TestServer] = []

    async def start(handler: Callable[[web.Request], Any]) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        servers.append(TestServer(app))
        await servers[-1].start_server()
        return str(servers[-1].make_url("/api/webhook/abc"))

    yield start
    for server in servers:
        await server.close()


async def test_all_is_well(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """A check that passes says so, and no message comes of it."""
    heard = listen(hass)
    assert await press(hass, entry) is None
    await settle(hass, simulator)
    assert [each["title"] for each in notifications(hass, entry)] == [entry.title]
    assert issue(hass, entry) is None
    assert not heard.received
    registered = er.async_get(hass).async_get(str(button(hass, entry)))
    assert registered is not None
    assert registered.entity_category is EntityCategory.DIAGNOSTIC


async def test_bad_and_good_again(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """What is wrong stands among the repairs until a check passes."""
    good = entry.data[CONF_CALLBACK_URL]
    assert await press(hass, entry) is None
    move(hass, entry, NOWHERE)
    assert await press(hass, entry) == "refused"
    assert not notifications(hass, entry)
    found = issue(hass, entry)
    assert found is not None
    assert found.is_persistent
    assert found.is_fixable
    explanation = (found.translation_placeholders or {})["explanation"]
    assert "port forwarding" in explanation
    move(hass, entry, good)
    assert await press(hass, entry) is None
    assert issue(hass, entry) is None


async def test_home_without_a_url(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The check says when a home has no address."""
    hass.config.external_url = None
    assert await press(hass, twilio_entry) == "no_url"


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("http://home.example/api/webhook/abc", "plain_http"),
        ("https://home.local/api/webhook/abc", None),
    ],
)
async def test_addresses(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    url: str,
    verdict: str | None,
) -> None:
    """An address that no provider should be given is not even tried."""
    move(hass, twilio_entry, url)
    with patch.object(check, "async_try_url", return_value=Verdict.REFUSED):
        assert await press(hass, twilio_entry) == (verdict or "refused")


async def test_foreign_at_the_provider(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A way that is free proves nothing if the provider takes another one.

    The repair that replaces the other address is there at once.
    """
    put(simulator, provider, FOREIGN)
    assert await press(hass, entry) == "not_registered"
    assert issues(hass) == {"callback_foreign"}
    put(simulator, provider, entry.data[CONF_CALLBACK_URL])
    assert await press(hass, entry) is None
    assert issues(hass) == set()


async def test_another_repair_takes_over(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A check that was wrong for one reason gives way to the repair of another."""
    good = twilio_entry.data[CONF_CALLBACK_URL]
    move(hass, twilio_entry, NOWHERE)
    assert await press(hass, twilio_entry) == "refused"
    assert issues(hass) == {"return_path"}
    move(hass, twilio_entry, good)
    put(simulator, "twilio", "")
    assert await press(hass, twilio_entry) == "not_registered"
    assert issues(hass) == {"callback_missing"}


@pytest.mark.parametrize("mode", ["manual"])
async def test_foreign_where_a_person_pasted(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Nothing replaces an address that a person pastes, so the check says it itself."""
    put(simulator, provider, FOREIGN)
    assert await press(hass, entry) == "not_registered"
    assert issues(hass) == {"return_path"}


async def test_overruled_at_the_provider(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nor if an application decides."""
    number = simulator.twilio.numbers[simulator.twilio.NUMBER]
    number.sms_application_sid = "AP" + "0" * 32
    assert await press(hass, twilio_entry) == "overruled"
    assert issues(hass) == {"callback_overruled"}


async def test_provider_that_cannot_be_asked(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """What the provider would say is left open while it says nothing."""
    simulator.faults.add("server_error", provider=provider)
    assert await press(hass, entry) is None


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        (11205, None, "calls_lost"),
        (11210, None, "name_unknown"),
        (11237, None, "certificate"),
        (11200, 400, "proxy_not_trusted"),
        (11200, 403, "calls_refused"),
    ],
)
@pytest.mark.parametrize("url", [NOWHERE, None])
async def test_record_has_the_last_word(  # one case each
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    code: int,
    status: int | None,
    verdict: str,
    url: str | None,
) -> None:
    """What the provider met counts more than what is found from here."""
    if url is not None:
        move(hass, twilio_entry, url)
    called = twilio_entry.data[CONF_CALLBACK_URL]
    simulator.twilio.add_alert(11217, called, status=500, at=now() - MINUTE)
    simulator.twilio.add_alert(code, f"{called}?m=1", status=status)
    assert await press(hass, twilio_entry) == verdict
    assert issue(hass, twilio_entry)


async def test_mended_since(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A URL that answers fails once for a failed call, not for ever."""
    url = twilio_entry.data[CONF_CALLBACK_URL]
    simulator.twilio.add_alert(11205, url, at=now() - MINUTE)
    assert await press(hass, twilio_entry) == "calls_lost"
    assert await press(hass, twilio_entry) is None
    assert not issue(hass, twilio_entry)
    simulator.twilio.add_alert(11237, url)
    assert await press(hass, twilio_entry) == "certificate"


async def test_blocked_way_stays_doubted(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Where nothing gets through from here either, nothing speaks against it."""
    move(hass, twilio_entry, NOWHERE)
    simulator.twilio.add_alert(11237, NOWHERE, at=now() - MINUTE)
    assert await press(hass, twilio_entry) == "certificate"
    assert await press(hass, twilio_entry) == "certificate"


async def test_good_call_after_a_failure(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A callback that was accepted proves more than one that failed before it."""
    url = twilio_entry.data[CONF_CALLBACK_URL]
    simulator.twilio.add_alert(11205, url, at=now() - MINUTE)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert await press(hass, twilio_entry) is None
    simulator.twilio.add_alert(11205, url, at=now() + MINUTE)
    assert await press(hass, twilio_entry) == "calls_lost"


@pytest.mark.parametrize("hours", [-48, 48])
async def test_failed_calls_of_a_home_with_a_wrong_clock(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, hours: int
) -> None:
    """When a call was made, the provider's clock says, and the same of a good one."""
    simulator.clock_offset = hours * 3600
    await twilio_entry.runtime_data.coordinator.async_refresh()
    url = twilio_entry.data[CONF_CALLBACK_URL]
    simulator.twilio.add_alert(11237, url, at=now() - MINUTE)
    assert await press(hass, twilio_entry) == "certificate"
    simulator.twilio.add_alert(11205, url, at=now() - MINUTE / 2)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert await press(hass, twilio_entry) is None
    simulator.twilio.add_alert(11205, url, at=now() + MINUTE)
    assert await press(hass, twilio_entry) == "calls_lost"


async def test_own_challenge_is_no_good_call(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nor is a callback that was refused."""
    url = twilio_entry.data[CONF_CALLBACK_URL]
    assert await press(hass, twilio_entry) is None
    simulator.twilio.quirks.add(Quirk.FORGED)
    simulator.twilio.receive(SENDER, "Hello")
    await settle(hass, simulator)
    assert simulator.callbacks[-1].url == url
    assert await press(hass, twilio_entry) == "calls_refused"


async def test_failures_that_tell_nothing(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Old failures, and those of other applications, are left alone."""
    url = twilio_entry.data[CONF_CALLBACK_URL]
    simulator.twilio.add_alert(11205, url, at=now() - RECENT - MINUTE)
    simulator.twilio.add_alert(11205, FOREIGN)
    assert await press(hass, twilio_entry) is None


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "garbage"])
async def test_record_that_cannot_be_read(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, kind: str
) -> None:
    """Without a record the result from here stands."""
    simulator.twilio.add_alert(11237, NOWHERE)
    simulator.faults.add(kind, path="/v1/Alerts")
    assert await press(hass, twilio_entry) is None
    move(hass, twilio_entry, NOWHERE)
    assert await press(hass, twilio_entry) == "refused"
    assert simulator.requests[-1].path == "/v1/Alerts"


async def test_verdict_that_needs_no_record(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What is certain from here is not looked up."""
    move(hass, twilio_entry, "http://home.example/api/webhook/abc")
    before = len(simulator.requests)
    assert await press(hass, twilio_entry) == "plain_http"
    assert len(simulator.requests) == before


@pytest.mark.parametrize("mode", ["polling"])
async def test_no_button_without_callbacks(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Who asks regularly has no callbacks to check."""
    assert button(hass, twilio_entry) is None


async def test_button_goes_with_the_callbacks(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """No dead button is left behind by another mode."""
    assert button(hass, twilio_entry)
    data = {**twilio_entry.data, "mode": "polling"}
    hass.config_entries.async_update_entry(twilio_entry, data=data)
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert button(hass, twilio_entry) is None


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.OTHER_SERVER),
        (307, Verdict.REDIRECTED),
        (400, Verdict.PROXY_NOT_TRUSTED),
        (403, Verdict.LOGIN_REQUIRED),
        (404, Verdict.OTHER_SERVER),
        (502, Verdict.GATEWAY),
    ],
)
async def test_who_else_answers(
    hass: HomeAssistant, serve: Serve, status: int, verdict: Verdict
) -> None:
    """Another server is recognised by what it answers, and is not followed."""

    async def handle(_: web.Request) -> web.Response:
        headers = {"Location": "http://127.0.0.1:1/"} if status == 307 else {}
        return web.Response(status=status, headers=headers)

    assert await async_try_url(hass, WEBHOOK_ID, await serve(handle)) is verdict


async def test_slow_server(hass: HomeAssistant, serve: Serve) -> None:
    """The check ends, whoever does not answer."""

    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response()

    url = await serve(handle)
    with patch.object(check, "TIMEOUT", 0.05):
        assert await async_try_url(hass, WEBHOOK_ID, url) is Verdict.TIMED_OUT


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (
            aiohttp.ClientConnectorDNSError(Mock(), OSError()),
            Verdict.NAME_UNKNOWN,
        ),
        (
            aiohttp.ClientConnectorCertificateError(
                Mock(), ssl.SSLCertVerificationError()
            ),
            Verdict.CERTIFICATE,
        ),
        (
            aiohttp.ClientConnectorSSLError(Mock(), ssl.SSLError()),
            Verdict.CERTIFICATE,
        ),
        (aiohttp.ClientConnectorError(Mock(), OSError()), Verdict.REFUSED),
        (aiohttp.ServerDisconnectedError(), Verdict.REFUSED),
        (aiohttp.ServerTimeoutError(), Verdict.TIMED_OUT),
        (aiohttp.InvalidURL("x"), Verdict.NO_URL),
    ],
)
async def test_failures(
    hass: HomeAssistant, failure: Exception, verdict: Verdict
) -> None:
    """What the network says becomes words."""
    with patch.object(check, "_async_send", side_effect=failure):
        assert await async_try_url(hass, WEBHOOK_ID, "https://home.example") is verdict


async def test_unforeseen_failure(hass: HomeAssistant) -> None:
    """A fault of ours is not blamed on the network."""
    with (
        patch.object(check, "_async_send", side_effect=KeyError),
        pytest.raises(KeyError),
    ):
        await async_try_url(hass, WEBHOOK_ID, "https://home.example")


@pytest.mark.parametrize("lost", ["query", "header", "body"])
async def test_proxy_that_loses_something(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    serve: Serve,
    lost: str,
) -> None:
    """What a proxy strips from a request is noticed on arrival."""
    home = twilio_entry.data[CONF_CALLBACK_URL]

    async def handle(request: web.Request) -> web.Response:
        query = "" if lost == "query" else f"?{request.query_string}"
        body = b"" if lost == "body" else await request.read()
        headers = {} if lost == "header" else {HEADER: request.headers[HEADER]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(home + query, data=body, headers=headers) as answer,
        ):
            return web.Response(status=answer.status, text=await answer.text())

    url = await serve(handle)
    verdict = await async_try_url(hass, twilio_entry.data[CONF_WEBHOOK_ID], url)
    expected = Verdict.QUERY_LOST if lost == "query" else Verdict.CONTENT_LOST
    assert verdict is expected


async def test_answered_once(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, serve: Serve
) -> None:
    """A nonce that was overheard opens nothing: not twice, and not elsewhere."""
    home, statuses = twilio_entry.data[CONF_CALLBACK_URL], []

    async def handle(request: web.Request) -> web.Response:
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                url = f"{home}?{request.query_string}"
                async with session.post(url) as answer:
                    statuses.append(answer.status)
        return web.Response()

    url = await serve(handle)
    assert await async_try_url(hass, "another", url) is Verdict.OTHER_SERVER
    assert statuses == [403, 403]
    statuses.clear()
    await async_try_url(hass, twilio_entry.data[CONF_WEBHOOK_ID], url)
    assert statuses == [200, 403]


async def test_two_numbers(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A number whose account is served by another one's URL is well."""
    number = simulator.ovh.SECOND_NUMBER
    second = await set_up(hass, simulator, "ovh", number=number, name="Second line")
    assert await press(hass, second) is None


async def test_through_the_cloud(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """Home Assistant Cloud hands a challenge over like any callback."""
    webhook_id = entry.data[CONF_WEBHOOK_ID]

    async def relay(_: HomeAssistant, __: str, nonce: str) -> tuple[int, str]:
        request = MockRequest(
            f"{FIELD}={nonce}".encode(),
            "cloud",
            method="POST",
            headers={HEADER: nonce},
            query_string=f"{FIELD}={nonce}",
        )
        answer = await webhook.async_handle_webhook(hass, webhook_id, request)
        return answer.status, serialize_response(answer)["body"]

    with patch.object(check, "_async_send", relay):
        verdict = await async_try_url(hass, webhook_id, "https://hooks.example/abc")
    assert verdict is Verdict.OK
