"""The webhook under attack: strangers cost no log, no memory and no true callback."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
import gzip
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
import zlib

from aiohttp import StreamReader
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.accounts import async_get_account
from custom_components.virtual_sms.callbacks.webhook import (
    BODY_LIMIT,
    MOST_READ,
    BodyReader,
)
from custom_components.virtual_sms.core.account import LineAwayError
from custom_components.virtual_sms.diagnostics import async_get_config_entry_diagnostics
from tests.home import listen, settle

from .test_webhook import FORM, client, inbound, path, signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from aiohttp.test_utils import TestClient
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

__all__ = ["client"]

FORGED = FORM | {"X-Twilio-Signature": "forged"}
STRANGER = "+15005550142"
BOMB = b"x" * 50_000_000

type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Connect = Callable[[], Awaitable[Connection]]


@pytest.fixture
async def connect(client: TestClient[Any, Any]) -> AsyncIterator[Connect]:
    """Open connections on which anything may be written."""
    opened: list[asyncio.StreamWriter] = []

    async def connect() -> Connection:
        server = client.server
        reader, writer = await asyncio.open_connection(server.host, server.port)
        opened.append(writer)
        return reader, writer

    yield connect
    for writer in opened:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def head(entry: ConfigEntry, *lines: str) -> bytes:
    """Return the beginning of a forged callback."""
    headers = [f"{name}: {value}" for name, value in FORGED.items()]
    start = f"POST {path(entry)} HTTP/1.1"
    return "\r\n".join((start, "Host: home", *headers, *lines, "", "")).encode()


async def status_of(reader: asyncio.StreamReader) -> int:
    """Read the status of an answer."""
    async with asyncio.timeout(5):
        return int((await reader.readline()).split()[1])


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List what of the log nobody should find there."""
    return [each.message for each in caplog.records if each.exc_info]


@pytest.mark.parametrize(
    ("lines", "pieces"),
    [
        (["Content-Length: 9", "Content-Encoding: zstd"], [b"no", b"t zstd!"]),
        (["Content-Length: 9", "Content-Encoding: gzip"], [b"no", b"t gzip!"]),
        (["Content-Length: 6", "Content-Encoding: deflate"], [b"x\x9c", b"KLJN"]),
        (["Transfer-Encoding: chunked"], [b"2\r\nid\r\n", b"zz\r\n"]),
    ],
)
async def test_body_that_breaks_off(
    hass: HomeAssistant,
    entry: ConfigEntry,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    lines: Sequence[str],
    pieces: Sequence[bytes],
) -> None:
    """What cannot be read is refused, whatever it is, and is no traceback.

    The web server tells of some at once, and of others only that no more comes.
    """
    reader, writer = await connect()
    with patch("custom_components.virtual_sms.callbacks.webhook.BODY_TIMEOUT", 0.5):
        for piece in (head(entry, *lines), *pieces):
            writer.write(piece)
            await asyncio.sleep(0.05)
        assert await status_of(reader) in {400, 403}
    await asyncio.sleep(0.05)
    assert not complaints(caplog)


async def test_caller_who_leaves_in_the_middle(
    hass: HomeAssistant,
    entry: ConfigEntry,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A connection that breaks is nothing to write home about."""
    for lines in (["Content-Length: 100"], ["Transfer-Encoding: chunked"]):
        _, writer = await connect()
        writer.write(head(entry, *lines) + b"5\r\nab")
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await asyncio.sleep(0.05)
    assert not complaints(caplog)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [("gzip", gzip.compress(BOMB)), ("deflate", zlib.compress(BOMB))],
)
async def test_bomb(
    hass: HomeAssistant,
    entry: ConfigEntry,
    provider: str,
    client: TestClient[Any, Any],
    encoding: str,
    bomb: bytes,
) -> None:
    """A body that swells is inflated no further than it is read."""
    inflated, feed = Counter[str](), StreamReader.feed_data

    def count(stream: StreamReader, data: bytes, *size: int) -> Any:
        inflated["bytes"] += len(data)
        return feed(stream, data, *size)

    headers = FORGED | {"Content-Encoding": encoding}
    with patch.object(StreamReader, "feed_data", count):
        answer = await client.post(path(entry), data=bomb, headers=headers)
    assert answer.status == {"twilio": 403, "ovh": 400}[provider]
    assert inflated["bytes"] < 64 * BODY_LIMIT


async def test_slow_bodies_and_a_true_callback(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    connect: Connect,
    client: TestClient[Any, Any],
) -> None:
    """However many bodies dawdle, a true callback is taken in within a second."""
    strangers = [await connect() for _ in range(MOST_READ + 44)]
    for _, writer in strangers:
        writer.write(head(twilio_entry, "Content-Length: 9") + b"Body")
    await asyncio.sleep(0.5)

    fields, begun = inbound(simulator), time.monotonic()
    headers = signed(simulator, twilio_entry, fields)
    answer = await client.post(path(twilio_entry), data=fields, headers=headers)
    assert answer.status == 200
    assert time.monotonic() - begun < 1
    # Those that dawdled longest were given up.
    assert await status_of(strangers[0][0]) == 403


async def test_burst_of_forgeries(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    connect: Connect,
    client: TestClient[Any, Any],
) -> None:
    """Forgeries that come all at once take no true callback's turn."""
    strangers = [await connect() for _ in range(200)]
    fields = inbound(simulator)
    headers = signed(simulator, twilio_entry, fields)
    for _, writer in strangers:
        writer.write(head(twilio_entry, "Content-Length: 4") + b"Body")
    answer = await client.post(path(twilio_entry), data=fields, headers=headers)
    assert answer.status == 200
    assert {await status_of(reader) for reader, _ in strangers} == {403}


async def test_room_while_one_gives_up(hass: HomeAssistant) -> None:
    """A body whose time is up at this moment is not told to end once more."""
    reader, never = BodyReader(), asyncio.Event()

    class Dawdler:
        """A request whose body never comes."""

        content: Dawdler

        async def read(self, _: int) -> bytes:
            """Wait for ever."""
            await never.wait()
            return b""

    dawdler = Dawdler()
    dawdler.content = dawdler
    troubles: list[dict[str, Any]] = []
    hass.loop.set_exception_handler(lambda _, context: troubles.append(context))
    with (
        patch("custom_components.virtual_sms.callbacks.webhook.BODY_TIMEOUT", 0.05),
        patch("custom_components.virtual_sms.callbacks.webhook.MOST_READ", 1),
    ):
        request: Any = dawdler
        reading = asyncio.create_task(reader.read(request))
        await asyncio.sleep(0)
        hass.loop.call_later(0.06, reader._make_room)
        # Both are due when the loop comes round again.
        time.sleep(0.1)  # noqa: ASYNC251
        assert await reading == (b"", "too_slow")
    assert not troubles


async def test_60_kb_in_1000_fields(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """What Twilio signed is taken up to the limit, however many fields it has."""
    heard = listen(hass)
    fields = inbound(simulator) | {f"Extra{each:03}": "x" * 50 for each in range(1000)}
    headers = signed(simulator, twilio_entry, fields)
    answer = await client.post(path(twilio_entry), data=fields, headers=headers)
    assert answer.status == 200
    await settle(hass, simulator)
    assert heard.texts == ["Hello"]


async def test_number_of_no_line(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A number of the account that is not set up is named once, by its last digits."""
    for number in (STRANGER, STRANGER, "+15005550177", STRANGER):
        fields = inbound(simulator) | {"To": number}
        headers = signed(simulator, twilio_entry, fields)
        answer = await client.post(path(twilio_entry), data=fields, headers=headers)
        assert answer.status == 400
    assert caplog.text.count("number that ends in 42") == 1
    assert caplog.text.count("number that ends in 77") == 1
    assert STRANGER[1:] not in caplog.text


async def test_line_away(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a line about to come back should get is to come again, and no trouble."""
    account, fields = async_get_account(hass, twilio_entry), inbound(simulator)
    headers = signed(simulator, twilio_entry, fields)
    with patch.object(account, "receive", side_effect=LineAwayError):
        answer = await client.post(path(twilio_entry), data=fields, headers=headers)
    assert answer.status == 503
    assert not complaints(caplog)
    assert "could not be taken in" not in caplog.text


@pytest.mark.parametrize("trouble", [None, RuntimeError])
async def test_trouble_of_ours(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
    caplog: pytest.LogCaptureFixture,
    trouble: type[Exception] | None,
) -> None:
    """It is logged once and counted, and the provider is asked now and then."""
    account, fields = async_get_account(hass, twilio_entry), inbound(simulator)
    headers = signed(simulator, twilio_entry, fields)

    async def call() -> int:
        answer = await client.post(path(twilio_entry), data=fields, headers=headers)
        return answer.status

    def wait(seconds: int) -> None:
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=seconds))

    with (
        patch.object(account, "receive", side_effect=OSError),
        patch.object(account, "catch_up_soon", side_effect=trouble) as catch_up_soon,
    ):
        assert {await call() for _ in range(10)} == {503}
        assert catch_up_soon.call_count == 1
        wait(11)
        assert catch_up_soon.call_count == 2
        wait(22)
        assert catch_up_soon.call_count == 2
        assert await call() == 503
        assert catch_up_soon.call_count == 3
    assert caplog.text.count("A callback could not be taken in") == 1
    assert len(complaints(caplog)) == 1
    assert await call() == 200
    assert "taken in again; 11 were not" in caplog.text


async def test_diagnostics_say_why(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    client: TestClient[Any, Any],
) -> None:
    """Each kind of refusal is counted, so that a helper sees what is going on."""

    async def call(fields: Any, headers: dict[str, str]) -> None:
        await client.post(path(twilio_entry), data=fields, headers=headers)

    other, empty = (
        inbound(simulator) | {"To": STRANGER},
        {"AccountSid": simulator.twilio.ACCOUNT_SID},
    )
    await call({}, FORM)
    await call({"Body": "x"}, FORGED)
    await call({"Body": "x" * BODY_LIMIT}, FORGED)
    await call(b"garbage", FORGED | {"Content-Encoding": "zstd"})
    await call(other, signed(simulator, twilio_entry, other))
    await call(empty, signed(simulator, twilio_entry, empty))
    with patch.object(
        async_get_account(hass, twilio_entry), "receive", side_effect=OSError
    ):
        await call({"Body": "x"}, FORGED)
    found = await async_get_config_entry_diagnostics(hass, twilio_entry)
    assert found["callback_refusals"] == {
        "forged": 1,
        "other_line": 1,
        "ours": 1,
        "too_long": 1,
        "unreadable": 2,
        "unsigned": 1,
    }
    assert found["callback_answers"] == {"400": 3, "403": 3, "503": 1}
