"""The webhook: what a provider hears, whoever pretends to be one."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
import random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlencode

from homeassistant.components import webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.util.aiohttp import MockRequest
import pytest

from custom_components.virtual_sms.const import CONF_CALLBACK_URL
from simulator.base import Media
from simulator.callbacks import Quirk
from simulator.twilio.callbacks import inbound_fields, sign, status_fields
from tests.home import RECIPIENT, SENDER, Heard, listen, refresh, send, settle, state
from tests.set_up import set_up

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from simulator import Simulator

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TWILIO_GARBAGE = (b"", b"garbage", b"\xff\xfe\x00", b"Body=x&From=%2B1", b"&" * 1000)
OVH_GARBAGE = (
    b"",
    b"garbage",
    b"\xff\xfe\x00",
    b"id=abc&senderid=%2B33612345678&message=x",
    b"id=7&message=x",
    b"id=" + b"9" * 30 + b"&senderid=x&message=x",
    b'{"id": 7}',
    b"id=7&senderid=x&message=\xff",
)


@pytest.fixture
async def client(
    home_url: str, hass_client_no_auth: ClientSessionGenerator
) -> TestClient[Any, Any]:
    """Be anyone on the internet."""
    return await hass_client_no_auth()


def path(entry: ConfigEntry) -> str:
    """Return where the webhook of a number is."""
    return f"/api/webhook/{entry.data[CONF_WEBHOOK_ID]}"


def signed(
    simulator: Simulator, entry: ConfigEntry, fields: dict[str, str], query: str = ""
) -> dict[str, str]:
    """Return the headers with which Twilio would send some fields."""
    url = entry.data[CONF_CALLBACK_URL] + (f"?{query}" if query else "")
    signature = sign(simulator.twilio.auth_token, url, fields.items())
    return FORM | {"X-Twilio-Signature": signature}


def inbound(simulator: Simulator, text: str = "Hello") -> dict[str, str]:
    """Return the fields of an inbound message that Twilio has."""
    message_id = simulator.twilio.receive(SENDER, text, callback=False)
    twilio = simulator.twilio
    return inbound_fields(twilio.ACCOUNT_SID, twilio.find(message_id), [])


async def test_round_trip(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A callback is answered as its provider needs it, and becomes an event."""
    heard = listen(hass)
    message_id = simulator.providers[provider].receive(SENDER, "Hé 😀\nnew line")
    await send(hass, entry)
    await settle(hass, simulator)

    [received] = heard.received
    assert received | {"device_id": "", "received_at": ""} == {
        "entry_id": entry.entry_id,
        "device_id": "",
        "provider": provider,
        "number": simulator.providers[provider].number,
        "message_id": str(message_id),
        "provider_id": str(message_id),
        "sender": SENDER,
        "text": "Hé 😀\nnew line",
        "received_at": "",
        "late": False,
        "segments": 1,
        "media": [],
        "contact": None,
        "contact_id": None,
        "person": None,
        "answer_to": None,
        "trust": "unknown",
    }
    received_at = datetime.fromisoformat(received["received_at"])
    assert received_at.utcoffset() == datetime.now(UTC).utcoffset()
    assert all(each.ok for each in simulator.callbacks)
    answers = {
        (each.kind, each.status, each.content_type.partition(";")[0], each.body)
        for each in simulator.callbacks
    }
    twiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert (
        answers
        == {
            "twilio": {
                ("inbound", 200, "text/xml", twiml),
                ("status", 204, "", ""),
            },
            "ovh": {
                ("inbound", 200, "", ""),
                ("status", 200, "", ""),
            },
        }[provider]
    )


async def test_picture(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """A picture is told of by its address."""
    heard = listen(hass)
    simulator.twilio.receive(SENDER, "Look", [Media("image/png")])
    await settle(hass, simulator)
    [media] = heard.received[0]["media"]
    assert media["content_type"] == "image/png"
    assert media["url"].startswith("http")


@pytest.mark.parametrize("quirk", [Quirk.DUPLICATED, Quirk.REORDERED])
async def test_once_and_forward(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    quirk: Quirk,
) -> None:
    """What comes twice or in disorder is accepted, and told once and in order."""
    simulator.providers[provider].quirks.add(quirk)
    heard = listen(hass)
    simulator.providers[provider].receive(SENDER, "Hello")
    [message] = await send(hass, entry)
    await settle(hass, simulator)
    assert len(simulator.callbacks) >= 3
    assert all(each.ok for each in simulator.callbacks)
    assert heard.texts == ["Hello"]
    course = heard.course(message["message_id"])
    assert course[0] == "queued"
    assert course[-1] == "delivered"
    assert len(course) == len(set(course))
    assert state(hass, entry, "received").state == "1"


async def test_forged_twilio(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A wrong signature is refused, and said once until a right one comes."""
    heard = listen(hass)
    twilio = simulator.twilio
    for _ in range(2):
        twilio.quirks = {Quirk.FORGED}
        for _ in range(3):
            twilio.receive(SENDER, "Believe me")
        await settle(hass, simulator)
        twilio.quirks = set()
        twilio.receive(SENDER, "Hello")
        await settle(hass, simulator)
    statuses = [each.status for each in simulator.callbacks]
    assert statuses == [403, 403, 403, 200] * 2
    assert heard.texts == ["Hello", "Hello"]
    assert caplog.text.count("does not come from Twilio") == 2


async def test_other_account(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """A right signature over another account's message is refused."""
    fields = inbound(simulator) | {"AccountSid": "AC" + "0" * 32}
    headers = signed(simulator, twilio_entry, fields)
    answer = await client.post(path(twilio_entry), data=fields, headers=headers)
    assert answer.status == 403


async def test_forged_ovh(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A bell for what does not exist is answered, and nothing comes of it."""
    heard = listen(hass)
    simulator.ovh.quirks.add(Quirk.FORGED)
    simulator.ovh.history(1)
    with patch("custom_components.virtual_sms.core.confirmation_queue.REFILL", 0.01):
        message_id = simulator.ovh.receive(SENDER, "Believe me", callback=False)
        message = simulator.ovh.log.pop(str(message_id))
        await simulator.ovh.post_inbound(message)
        await settle(hass, simulator)
    assert [each.status for each in simulator.callbacks] == [200]
    assert not heard.received


async def test_bell_before_the_record(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """OVHcloud may ring before its own record shows the message: it is looked for."""
    heard = listen(hass)
    with patch("custom_components.virtual_sms.core.confirmation_queue.REFILL", 0.01):
        message_id = simulator.ovh.receive(SENDER, "Hello", callback=False)
        message = simulator.ovh.find(message_id)
        simulator.ovh.quirks.add(Quirk.FORGED)
        await simulator.ovh.post_inbound(message)
        await settle(hass, simulator)
    assert heard.texts == ["Hello"]


async def test_bell_while_down(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A bell that cannot be answered now is answered later."""
    heard = listen(hass)
    simulator.faults.add("server_error", provider="ovh", path="incoming", times=1)
    simulator.ovh.receive(SENDER, "Hello")
    await settle(hass, simulator)
    await refresh(hass, simulator, ovh_entry)
    assert heard.texts == ["Hello"]
    assert [each.status for each in simulator.callbacks] == [200]


@pytest.mark.parametrize("provider", ["twilio"])
@pytest.mark.parametrize("body", TWILIO_GARBAGE)
async def test_garbage_at_twilio(
    hass: HomeAssistant,
    entry: ConfigEntry,
    client: TestClient[Any, Any],
    body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is not signed is refused, whatever it is."""
    heard = listen(hass)
    for headers in ({}, FORM, FORM | {"X-Twilio-Signature": "é=="}):
        answer = await client.post(path(entry), data=body, headers=headers)
        assert answer.status == 403
        assert await answer.text() == ""
    assert (await client.get(path(entry) + "?Body=x")).status == 403
    assert not heard.received
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MessageSid": "SM1"},
        {"MessageStatus": "delivered"},
        {"MessageStatus": "melted", "MessageSid": ""},
        {"From": "+1", "Body": "x"},
    ],
)
async def test_authentic_but_unreadable(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    fields: dict[str, str],
) -> None:
    """What Twilio signed but makes no sense is a bad request."""
    heard = listen(hass)
    fields = fields | {"AccountSid": simulator.twilio.ACCOUNT_SID}
    headers = signed(simulator, twilio_entry, fields)
    answer = await client.post(
        path(twilio_entry), data=urlencode(fields), headers=headers
    )
    assert answer.status == 400
    assert not heard.received
    assert not heard.statuses


@pytest.mark.parametrize("body", OVH_GARBAGE)
async def test_garbage_at_ovh(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    client: TestClient[Any, Any],
    body: bytes,
) -> None:
    """What rings no bell is a bad request, and OVHcloud is not asked."""
    heard, asked = listen(hass), len(simulator.requests)
    answer = await client.post(path(ovh_entry), data=body, headers=FORM)
    assert answer.status == 400
    await settle(hass, simulator)
    assert len(simulator.requests) == asked
    assert not heard.received


async def test_methods(
    hass: HomeAssistant, entry: ConfigEntry, client: TestClient[Any, Any]
) -> None:
    """Only what providers use is allowed."""
    assert (await client.put(path(entry), data=b"x")).status == 405
    assert (await client.delete(path(entry))).status == 405


async def test_oversized(
    hass: HomeAssistant, entry: ConfigEntry, provider: str, client: TestClient[Any, Any]
) -> None:
    """No more is read than a provider sends."""
    heard = listen(hass)
    body = b"id=7&senderid=%2B33612345678&message=" + b"x" * 100_000
    answer = await client.post(path(entry), data=body, headers=FORM)
    assert answer.status == {"twilio": 403, "ovh": 400}[provider]
    assert not heard.received


async def test_slow_body(
    hass: HomeAssistant, entry: ConfigEntry, provider: str, client: TestClient[Any, Any]
) -> None:
    """Who dawdles is not waited for."""

    async def dawdle() -> AsyncIterator[bytes]:
        yield b"id=7&senderid=%2B33612345678"
        await asyncio.sleep(0.5)
        yield b"&message=x"

    with patch("custom_components.virtual_sms.callbacks.webhook.BODY_TIMEOUT", 0.05):
        answer = await client.post(path(entry), data=dawdle(), headers=FORM)
    assert answer.status == {"twilio": 403, "ovh": 400}[provider]


async def test_no_signature_no_reading(
    hass: HomeAssistant, twilio_entry: ConfigEntry, client: TestClient[Any, Any]
) -> None:
    """What cannot be authentic is refused before its body has come."""
    never = asyncio.Event()

    async def dawdle() -> AsyncIterator[bytes]:
        yield b"Body="
        await never.wait()

    async with asyncio.timeout(5):
        answer = await client.post(path(twilio_entry), data=dawdle(), headers=FORM)
    assert answer.status == 403
    never.set()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("signature", [None, "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
async def test_body_that_its_encoding_does_not_fit(
    hass: HomeAssistant,
    entry: ConfigEntry,
    provider: str,
    client: TestClient[Any, Any],
    caplog: pytest.LogCaptureFixture,
    encoding: str,
    signature: str | None,
) -> None:
    """Is the stranger's fault: refused, and not worth a line for each of them."""
    headers = {**FORM, "Content-Encoding": encoding}
    if signature:
        headers["X-Twilio-Signature"] = signature
    for _ in range(3):
        answer = await client.post(path(entry), data=b"no such thing", headers=headers)
        unread = provider == "twilio" and signature is None
        assert answer.status == (403 if unread else 400)
    assert "Traceback" not in caplog.text
    assert "Unhandled" not in caplog.text


async def test_slow_strangers_keep_no_place(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """However many bodies are on their way, the provider's own gets in at once."""
    never, heard = asyncio.Event(), listen(hass)

    async def dawdle() -> AsyncIterator[bytes]:
        yield b"Body="
        await never.wait()

    headers = {**FORM, "X-Twilio-Signature": "forged"}
    with (
        patch("custom_components.virtual_sms.callbacks.webhook.MOST_READ", 8),
        patch("custom_components.virtual_sms.callbacks.webhook.MOST_IN_HAND", 4),
    ):
        strangers = [
            asyncio.create_task(
                client.post(path(entry), data=dawdle(), headers=headers)
            )
            for _ in range(20)
        ]
        await asyncio.sleep(0.3)
        side = simulator.providers[entry.data["provider"]]
        side.receive(SENDER, "Open the door")
        await simulator.settled()
    assert {each.status for each in simulator.callbacks} == {200}
    never.set()
    await asyncio.gather(*strangers, return_exceptions=True)
    await settle(hass, simulator)
    assert heard.texts == ["Open the door"]


@pytest.mark.parametrize("fields", [{"Body": "x" * 50_000}, {}])
async def test_a_long_authentic_body(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    fields: dict[str, str],
) -> None:
    """It is taken up to the limit, however many fields it has."""
    heard = listen(hass)
    form = inbound(simulator) | fields
    form |= {} if fields else {f"Extra{number}": "1" for number in range(1000)}
    headers = signed(simulator, twilio_entry, form)
    answer = await client.post(path(twilio_entry), data=form, headers=headers)
    assert answer.status == 200
    await settle(hass, simulator)
    assert len(heard.received) == 1


async def test_our_fault(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What could not be written down is not acknowledged: Twilio tries again."""
    heard = listen(hass)
    gateway = twilio_entry.runtime_data.gateway
    with patch.object(gateway.store.inbound, "admit", side_effect=OSError):
        simulator.twilio.receive(SENDER, "Hello")
        await settle(hass, simulator)
    assert {each.status for each in simulator.callbacks} == {503}
    assert "could not be taken in" in caplog.text
    assert SENDER not in caplog.text

    [message] = simulator.twilio.inbound
    await simulator.twilio.post_inbound(message)
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]


async def test_caller_hangs_up(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """What is written down is told, whether or not its caller waits for the answer."""
    heard, held = listen(hass), asyncio.Event()
    records = twilio_entry.runtime_data.gateway.store.inbound
    admit = records.admit

    async def admit_slowly(*args: Any, **kwargs: Any) -> Any:
        news = await admit(*args, **kwargs)
        await held.wait()
        return news

    fields = inbound(simulator)
    headers = signed(simulator, twilio_entry, fields)
    post = client.post(path(twilio_entry), data=fields, headers=headers)
    with patch.object(records, "admit", admit_slowly):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(post, 0.2)
        await asyncio.sleep(0.1)
        held.set()
        await settle(hass, simulator)
    assert heard.texts == ["Hello"]


async def via_cloud(
    hass: HomeAssistant,
    entry: ConfigEntry,
    method: str,
    content: bytes = b"",
    headers: dict[str, str] | None = None,
    query: str | None = None,
) -> int:
    """Hand over a request as Home Assistant Cloud does."""
    request = MockRequest(
        content,
        "cloud",
        method=method,
        headers=headers,
        query_string=query,
    )
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    answer = await webhook.async_handle_webhook(hass, webhook_id, request)
    return answer.status


async def test_twilio_via_cloud(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Twilio's callbacks come through Home Assistant Cloud as well, query and all."""
    heard = listen(hass)
    [sent] = await send(hass, twilio_entry)
    simulator.automatic = False
    fields = inbound(simulator, "Hé")
    body = urlencode(fields).encode()
    headers = signed(simulator, twilio_entry, fields)
    assert await via_cloud(hass, twilio_entry, "POST", body, headers) == 200
    assert await via_cloud(hass, twilio_entry, "POST", body, FORM) == 403
    await settle(hass, simulator)
    assert heard.texts == ["Hé"]

    [message] = simulator.twilio.messages
    message.status = "delivered"
    fields = status_fields(simulator.twilio.ACCOUNT_SID, message)
    query = f"m={sent['message_id']}"
    headers = signed(simulator, twilio_entry, fields, query)
    body = urlencode(fields).encode()
    assert await via_cloud(hass, twilio_entry, "POST", body, headers, query) == 204
    await settle(hass, simulator)
    assert heard.course(sent["message_id"])[-1] == "delivered"


async def test_ovh_via_cloud(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """So do OVHcloud's, in both their forms."""
    heard = listen(hass)
    message_id = simulator.ovh.receive(SENDER, "Hello", callback=False)
    fields = {"id": message_id, "senderid": SENDER, "message": "Hello"}
    body = urlencode(fields).encode()
    assert await via_cloud(hass, ovh_entry, "POST", body, FORM) == 200
    assert await via_cloud(hass, ovh_entry, "GET", query="id=7&dlr=1&ptt=4") == 200
    assert await via_cloud(hass, ovh_entry, "GET", query="id=x") == 400
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]


async def test_two_numbers_one_url(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Two numbers of an OVHcloud account share its URL, and each gets its own."""
    second_number = simulator.ovh.SECOND_NUMBER
    second = await set_up(
        hass, simulator, "ovh", number=second_number, name="Second line"
    )
    heard = listen(hass)
    simulator.ovh.receive(SENDER, "to the first")
    simulator.ovh.receive(SENDER, "to the second", number=second_number)
    await settle(hass, simulator)
    [message] = await send(hass, second)
    await settle(hass, simulator)
    assert len({each.url for each in simulator.callbacks}) == 1
    assert {(each["text"], each["entry_id"]) for each in heard.received} == {
        ("to the first", ovh_entry.entry_id),
        ("to the second", second.entry_id),
    }
    assert heard.course(message["message_id"])[-1] == "delivered"
    assert {each["entry_id"] for each in heard.statuses} == {second.entry_id}

    assert await hass.config_entries.async_remove(ovh_entry.entry_id)
    simulator.ovh.receive(SENDER, "after", number=second_number)
    await settle(hass, simulator)
    assert heard.texts[-1] == "after"


async def test_two_numbers_at_twilio(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """A signed message goes to the entry of its number, and to no other."""
    number = simulator.twilio.SMS_ONLY_NUMBER
    second = await set_up(hass, simulator, "twilio", number=number, name="Second line")
    heard = listen(hass)
    fields = inbound(simulator)
    headers = signed(simulator, second, fields)
    assert (await client.post(path(second), data=fields, headers=headers)).ok
    assert [each["entry_id"] for each in heard.received] == [twilio_entry.entry_id]

    fields = inbound(simulator) | {"To": "+15005550099"}
    headers = signed(simulator, second, fields)
    await client.post(path(second), data=fields, headers=headers)
    assert len(heard.received) == 1


def mutate(chance: random.Random, body: bytes) -> bytes:
    """Spoil a body somewhere."""
    spoilt = bytearray(body)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(spoilt) + 1)
        match chance.randrange(3):
            case 0:
                spoilt[at:at] = chance.randbytes(chance.randrange(1, 20))
            case 1:
                del spoilt[at : at + chance.randrange(1, 20)]
            case _:
                spoilt[at : at + 1] = b"=&%+;\x00\xff"[at % 7 : at % 7 + 1]
    return bytes(spoilt)


def random_request(chance: random.Random, body: bytes) -> dict[str, Any]:
    """Make up a request."""
    types = ("application/x-www-form-urlencoded", "text/plain; charset=utf-16", "x/y")
    kinds = {
        0: lambda: chance.randbytes(chance.randrange(300)),
        1: lambda: mutate(chance, body),
        2: lambda: urlencode(
            {chr(chance.randrange(32, 0x2FFF)): "\x00" for _ in range(9)}
        ).encode(),
    }
    data = kinds[chance.randrange(3)]()
    headers = {"Content-Type": chance.choice(types)}
    if chance.random() < 0.5:
        headers["X-Twilio-Signature"] = chance.randbytes(20).hex()
    if chance.random() < 0.3:
        return {"method": "GET", "query": data.decode("latin-1"), "headers": headers}
    return {"method": "POST", "content": data, "headers": headers}


@pytest.mark.parametrize("seed", range(2))
async def test_fuzz(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    client: TestClient[Any, Any],
    seed: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing that is thrown at a webhook breaks it or becomes an event."""
    heard: Heard = listen(hass)
    chance = random.Random(seed)
    fields = {
        "id": "7",
        "senderid": SENDER,
        "message": "Believe me",
        "MessageSid": "SM1",
        "From": SENDER,
        "To": RECIPIENT,
        "Body": "Believe me",
        "AccountSid": simulator.twilio.ACCOUNT_SID,
    }
    body = urlencode(fields).encode()
    allowed = {"twilio": {400, 403}, "ovh": {200, 400}}[provider]
    with patch("custom_components.virtual_sms.core.confirmation_queue.REFILL", 0.01):
        for number in range(250):
            request = random_request(chance, body)
            if number % 2:
                status = await via_cloud(hass, entry, **request)
            else:
                status = await by_wire(client, path(entry), **request)
            assert status in allowed
        await settle(hass, simulator)
    assert not heard.received
    assert not heard.statuses
    assert not [each for each in caplog.records if each.levelno >= 40]


async def by_wire(
    client: TestClient[Any, Any],
    path: str,
    method: str,
    headers: dict[str, str],
    content: bytes = b"",
    query: str = "",
) -> int:
    """Send a request over HTTP."""
    suffix = urlencode({"q": query}) if query else ""
    answer = await client.request(
        method, f"{path}?{suffix}", data=content or None, headers=headers
    )
    return answer.status
