"""Pictures in: what is fetched and kept, where it is offered, and when it is gone."""

from datetime import timedelta
from pathlib import Path
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from aiohttp import web
from homeassistant.components.media_source import (
    Unresolvable,
    async_browse_media,
    async_resolve_media,
)
from homeassistant.config_entries import ConfigSubentry
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.const import (
    DOMAIN,
    OPTION_KEEP_CONVERSATIONS,
    OPTION_PRIVACY,
)
from simulator import Media
from tests.home import SENDER, listen, settle

from .conftest import JPEG, PDF, draw

if TYPE_CHECKING:
    from aiohttp.test_utils import TestServer
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import WebSocketGenerator

    from simulator import Simulator

PICTURE = Media("image/jpeg", JPEG)


@pytest.fixture(autouse=True)
async def sources(hass: HomeAssistant, home_url: str) -> None:
    """Give the home its media browser."""
    assert await async_setup_component(hass, "media_source", {})


async def receive(
    hass: HomeAssistant, sim: Simulator, *files: Media, text: str = "Look"
) -> str:
    """Receive a message with files, and return its id."""
    message_id: str = sim.twilio.receive(SENDER, text, files)
    await settle(hass, sim)
    return message_id


def item(entry: ConfigEntry, message_id: str, part: int = 0) -> str:
    """Return the media item of a file."""
    return f"media-source://virtual_sms/{entry.entry_id}/{message_id}/{part}"


def list_files(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """List the files that came in at a number."""
    folder = Path(hass.config.path(".storage", f"virtual_sms.{entry.entry_id}.media"))
    return [each.name for each in folder.iterdir()] if folder.exists() else []


async def count(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Count the files on disk."""
    return len(await hass.async_add_executor_job(list_files, hass, entry))


async def test_an_event_names_what_is_kept(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """At once, before it is fetched; a picture without text too."""
    heard = listen(hass)
    message_id = await receive(
        hass, simulator, PICTURE, Media("text/html", PDF), text=""
    )
    [event] = heard.received
    assert [each["media_content_id"] for each in event["media"]] == [
        item(twilio_entry, message_id, part) for part in range(2)
    ]
    assert [each["content_type"] for each in event["media"]] == [
        "image/jpeg",
        "text/html",
    ]
    assert all(each["url"].startswith(simulator.url) for each in event["media"])


async def test_a_file_is_kept_as_what_it_is(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_client: Any,
) -> None:
    """Whatever the provider calls it: its type is looked for in it."""
    message_id = await receive(hass, simulator, Media("text/html", PDF))
    found = await async_resolve_media(hass, item(twilio_entry, message_id), None)
    assert found.mime_type == "application/pdf"
    assert found.path is not None
    assert await hass.async_add_executor_job(found.path.read_bytes) == PDF
    client = await hass_client()
    response = await client.get(found.url)
    assert response.content_type == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert await response.read() == PDF


async def test_one_missing_part_of_ten_keeps_no_other(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """It is looked for again when somebody wants to see it."""
    parts = [Media("image/jpeg", JPEG + bytes([part])) for part in range(10)]
    simulator.faults.add("server_error", path="cdn", times=1)
    message_id = await receive(hass, simulator, *parts)
    assert await count(hass, twilio_entry) == 9
    for part in range(10):
        found = await async_resolve_media(
            hass, item(twilio_entry, message_id, part), None
        )
        assert found.mime_type == "image/jpeg"
    assert await count(hass, twilio_entry) == 10


@pytest.mark.parametrize(
    "data",
    [b"", b"<script>alert(1)</script>", b"MZ\x90", JPEG + bytes(5_000_000)],
    ids=["empty", "markup", "program", "large"],
)
async def test_what_is_no_file_to_be_shown_is_not_kept(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, data: bytes
) -> None:
    """Nor what has more than 5 MB, nor what comes after the tenth part."""
    message_id = await receive(hass, simulator, Media("image/jpeg", data), PICTURE)
    assert await count(hass, twilio_entry) == 1
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, item(twilio_entry, message_id), None)
    many = [Media("image/jpeg", JPEG + bytes([part])) for part in range(12)]
    await receive(hass, simulator, *many)
    assert await count(hass, twilio_entry) == 11


@pytest.mark.parametrize("privacy", ["masked", "metadata"])
async def test_without_full_privacy_nothing_is_kept(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, privacy: str
) -> None:
    """No file, no word, no address, in no table; what was there is deleted."""
    await receive(hass, simulator, PICTURE)
    assert await count(hass, twilio_entry) == 1
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_PRIVACY: privacy}
    )
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    await settle(hass, simulator)
    assert await count(hass, twilio_entry) == 0
    heard = listen(hass)
    message_id = await receive(hass, simulator, PICTURE, text="Secret words")
    assert await count(hass, twilio_entry) == 0
    assert [each.get("media_content_id") for each in heard.received[0]["media"]] == [
        None
    ]
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, item(twilio_entry, message_id), None)
    await hass.config_entries.async_unload(twilio_entry.entry_id)

    def dump() -> str:
        path = hass.config.path(".storage", f"virtual_sms.{twilio_entry.entry_id}.db")
        connection = sqlite3.connect(path)
        dumped = "\n".join(connection.iterdump())
        connection.close()
        return dumped

    dumped = await hass.async_add_executor_job(dump)
    for secret in ("Secret words", "/Media/", "image/jpeg"):
        assert secret not in dumped


async def test_nothing_is_kept_for_no_days(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """The event has no item then, but the provider's own address."""
    hass.config_entries.async_update_entry(
        twilio_entry, options={OPTION_KEEP_CONVERSATIONS: 0}
    )
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    heard = listen(hass)
    await receive(hass, simulator, PICTURE)
    assert await count(hass, twilio_entry) == 0
    [media] = heard.received[0]["media"]
    assert media["media_content_id"] is None
    assert media["url"].startswith(simulator.url)


async def test_files_are_gone_with_their_conversation(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """After the days for which it is kept."""
    await receive(hass, simulator, PICTURE)
    freezer.tick(timedelta(days=31))
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert await count(hass, twilio_entry) == 0


async def test_files_are_gone_with_their_contact(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """As all that was written with them."""
    contact = ConfigSubentry(
        data={"numbers": [SENDER], "name": "Bob"},  # type: ignore[arg-type]
        subentry_type="contact",
        title="Bob",
        unique_id="bob",
    )
    hass.config_entries.async_add_subentry(twilio_entry, contact)
    await receive(hass, simulator, PICTURE)
    assert await count(hass, twilio_entry) == 1
    hass.config_entries.async_remove_subentry(twilio_entry, contact.subentry_id)
    await settle(hass, simulator)
    assert await count(hass, twilio_entry) == 0


async def test_files_are_gone_with_their_number(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """And nothing can be browsed any more."""
    message_id = await receive(hass, simulator, PICTURE)
    await hass.config_entries.async_remove(twilio_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await count(hass, twilio_entry) == 0
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, item(twilio_entry, message_id), None)


async def test_media_is_browsed_by_number_and_person(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Then come the files, the newest first."""
    first = await receive(hass, simulator, PICTURE)
    second = await receive(hass, simulator, Media("application/pdf", PDF))
    root = await async_browse_media(hass, "media-source://virtual_sms")
    [number] = root.children or []
    assert number.title == "Twilio line"
    [person] = (await async_browse_media(hass, number.media_content_id)).children or []
    assert person.title == SENDER
    shown = await async_browse_media(hass, person.media_content_id)
    assert shown.title == SENDER
    files = shown.children or []
    assert {each.media_content_id for each in files} == {
        item(twilio_entry, first),
        item(twilio_entry, second),
    }
    assert {each.media_class for each in files} == {"image", "url"}
    assert all(each.can_play and not each.can_expand for each in files)


@pytest.mark.parametrize(
    "place",
    [
        "gone",
        "gone/SM1/0",
        "{entry}/SM1/0",
        "{entry}/SM1/x",
        "{entry}/{message}/1",
        "{entry}/{message}/-1",
        "{entry}/{message}/99",
        "{entry}/{message}/99999999999999999999",
        "{entry}",
        "{entry}/..%2F../0",
    ],
)
async def test_what_does_not_exist_is_not_resolved(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, place: str
) -> None:
    """It is said in words."""
    message_id = await receive(hass, simulator, PICTURE)
    place = place.format(entry=twilio_entry.entry_id, message=message_id)
    with pytest.raises(Unresolvable):
        await async_resolve_media(hass, f"media-source://virtual_sms/{place}", None)


@pytest.mark.parametrize("place", ["gone", "{entry}/SM1/0"])
async def test_what_does_not_exist_is_not_browsed(
    hass: HomeAssistant, twilio_entry: ConfigEntry, place: str
) -> None:
    """A number that was removed, and what is no folder."""
    place = place.format(entry=twilio_entry.entry_id)
    with pytest.raises(Unresolvable):
        await async_browse_media(hass, f"media-source://virtual_sms/{place}")


async def test_a_disk_that_fails_is_said_to_fail(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_client: Any,
) -> None:
    """Whoever browses, resolves or looks gets an answer."""
    message_id = await receive(hass, simulator, PICTURE)
    found = await async_resolve_media(hass, item(twilio_entry, message_id), None)
    client = await hass_client()
    table = "custom_components.virtual_sms.store.attachments.AttachmentTable."
    with (
        patch(table + "get", side_effect=sqlite3.OperationalError),
        patch(table + "list_all", side_effect=sqlite3.OperationalError),
        patch(table + "list_blobs", side_effect=sqlite3.OperationalError),
    ):
        with pytest.raises(Unresolvable):
            await async_resolve_media(hass, item(twilio_entry, message_id), None)
        place = f"media-source://virtual_sms/{twilio_entry.entry_id}"
        with pytest.raises(Unresolvable):
            await async_browse_media(hass, place)
        assert (await client.get(found.url)).status == 404
        await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert (await client.get(found.url)).status == 200
    assert found.path is not None
    await hass.async_add_executor_job(found.path.unlink)
    assert (await client.get(found.url)).status == 404


async def test_only_who_may_read_the_number_sees_its_files(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_client: Any,
    hass_client_no_auth: Any,
    hass_admin_user: Any,
) -> None:
    """For all others there are none."""
    message_id = await receive(hass, simulator, PICTURE)
    found = await async_resolve_media(hass, item(twilio_entry, message_id), None)
    stranger = await hass_client_no_auth()
    assert (await stranger.get(found.url)).status == 401
    client = await hass_client()
    assert (await client.get(found.url)).status == 200
    for place in ("gone/SM1/0", f"{twilio_entry.entry_id}/SM1/0"):
        other = f"/api/virtual_sms/attachment/{place}"
        assert (await client.get(other)).status == 404
    hass_admin_user.groups = []
    assert (await client.get(found.url)).status == 404


async def test_only_who_may_read_the_number_browses_it(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: Any,
    hass_admin_user: Any,
) -> None:
    """Nobody else learns who wrote."""
    await receive(hass, simulator, PICTURE)
    client = await hass_ws_client(hass)

    async def browse(place: str) -> Any:
        item = f"media-source://virtual_sms{place}"
        await client.send_json_auto_id(
            {"type": "media_source/browse_media", "media_content_id": item}
        )
        return await client.receive_json()

    number = f"/{twilio_entry.entry_id}"
    assert len((await browse(""))["result"]["children"]) == 1
    assert (await browse(number))["success"]
    hass_admin_user.groups = []
    assert (await browse(""))["result"]["children"] == []
    assert not (await browse(number))["success"]


async def test_a_local_user_sees_nothing_from_afar(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_client: Any,
) -> None:
    """Not by a signed path either."""
    message_id = await receive(hass, simulator, PICTURE)
    found = await async_resolve_media(hass, item(twilio_entry, message_id), None)
    client = await hass_client()
    module = "custom_components.virtual_sms.media.attachment_view."
    with patch(module + "async_user_not_allowed_do_auth", return_value="local only"):
        assert (await client.get(found.url)).status == 404


async def test_a_conversation_shows_its_pictures(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: Any,
) -> None:
    """The card resolves the item, and any browser that is logged in shows it."""
    await receive(hass, simulator, PICTURE)
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": f"{DOMAIN}/conversation",
            "entry_id": twilio_entry.entry_id,
            "correspondent": SENDER,
        }
    )
    [message] = (await client.receive_json())["result"]["messages"]
    [media] = message["media"]
    await client.send_json_auto_id(
        {
            "type": "media_source/resolve_media",
            "media_content_id": media["media_content_id"],
        }
    )
    resolved = (await client.receive_json())["result"]
    assert resolved["mime_type"] == "image/jpeg"
    browser = await hass_client_no_auth()
    assert await (await browser.get(resolved["url"])).read() == JPEG


async def test_a_received_picture_can_be_sent_on(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Its item is one like any other."""
    message_id = await receive(hass, simulator, Media("image/png", draw("PNG")))
    await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"to": SENDER, "message": "Yours", "media": item(twilio_entry, message_id)},
        blocking=True,
    )
    await settle(hass, simulator)
    [sent] = simulator.twilio.messages
    assert sent.media[0].data == draw("PNG")


async def test_a_redirect_gets_no_credentials(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    aiohttp_server: Any,
) -> None:
    """Another host that the provider names is asked, and gets none of our secrets."""
    asked: list[dict[str, str]] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(dict(request.headers))
        return web.Response(body=JPEG, content_type="text/plain")

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    server: TestServer = await aiohttp_server(app)
    simulator.twilio.cdn = str(server.make_url("")).rstrip("/")
    await receive(hass, simulator, PICTURE)
    assert await count(hass, twilio_entry) == 1
    assert len(asked) == 1
    assert not {"Authorization", "Cookie"} & set(asked[0])
