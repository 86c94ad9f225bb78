"""Pictures out: what is taken, how it travels, and who may fetch it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.components.media_source import PlayMedia
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.virtual_sms.const import DOMAIN, OPTION_PRIVACY
from custom_components.virtual_sms.media.shelf import SHELF
from tests.home import RECIPIENT, listen, settle
from tests.set_up import set_up

from .conftest import CAMERA, IMAGE, JPEG, LOCAL, PDF, Lens, draw, draw_noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator
    from tests.cloud import Cloud

pytestmark = pytest.mark.usefixtures("camera")

SELECTED = {"media_content_id": CAMERA, "media_content_type": "image/jpeg"}
PUBLIC = "https://example.com/door.jpg"


async def send(hass: HomeAssistant, entry: ConfigEntry, **data: Any) -> Any:
    """Call the action and return its whole response."""
    defaults = {"to": RECIPIENT, "message": "Somebody rang"}
    return await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"config_entry_id": entry.entry_id} | defaults | data,
        blocking=True,
        return_response=True,
    )


def link_in(text: str, home_url: str) -> str:
    """Return the link that a text ends with, as a path of the home."""
    words, _, link = text.partition("\n")
    assert words == "Somebody rang"
    assert link.startswith(f"{home_url}/api/virtual_sms/media/")
    assert len(link.rpartition("/")[2]) >= 22
    return link.removeprefix(home_url)


@pytest.mark.parametrize("media", [SELECTED, [SELECTED], CAMERA, [CAMERA]])
async def test_a_camera_travels_as_picture_message(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, media: Any
) -> None:
    """As the selector gives it, or its id alone; Twilio fetches it here, HEAD then GET."""
    response = await send(hass, twilio_entry, media=media)
    await settle(hass, simulator)
    [message] = simulator.twilio.messages
    assert message.text == "Somebody rang"
    assert message.fetches == [("HEAD", 200), ("GET", 200)]
    assert message.media[0].data == JPEG
    assert message.media[0].content_type == "image/jpeg"
    assert response["messages"][0]["media"] == "mms"
    assert "media_errors" not in response


async def test_each_kind_of_item_is_taken(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Images and local files too, beside public URLs, in the order given."""
    await send(hass, twilio_entry, media=[IMAGE, PUBLIC, LOCAL])
    await settle(hass, simulator)
    [message] = simulator.twilio.messages
    picture, public, note = message.media
    assert (picture.content_type, picture.data) == ("image/png", draw("PNG"))
    assert public.url == PUBLIC
    assert (note.content_type, note.data) == ("application/pdf", PDF)


async def test_a_line_without_picture_messages_sends_a_link(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    home_url: str,
    hass_client_no_auth: Any,
) -> None:
    """It opens the picture for who has it, and counts as text."""
    response = await send(hass, ovh_entry, media=SELECTED)
    await settle(hass, simulator)
    [message] = simulator.ovh.messages
    client = await hass_client_no_auth()
    got = await client.get(link_in(message.text, home_url))
    assert got.status == 200
    assert await got.read() == JPEG
    assert response["messages"][0]["media"] == "link"


async def test_a_link_alone(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry, home_url: str
) -> None:
    """Without a text there is no empty line before it."""
    await send(hass, ovh_entry, media=SELECTED, message="")
    await settle(hass, simulator)
    [message] = simulator.ovh.messages
    assert message.text.startswith(f"{home_url}/api/virtual_sms/media/")


async def test_a_number_without_picture_messages_sends_a_link(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """The provider can, the number cannot: that is asked once."""
    number = simulator.twilio.SMS_ONLY_NUMBER
    entry = await set_up(hass, simulator, "twilio", number=number)
    asked: list[int] = []
    for _ in range(2):
        response = await send(hass, entry, media=SELECTED)
        assert response["messages"][0]["media"] == "link"
        asked.append(sum("PhoneNumber" in each.query for each in simulator.requests))
    await settle(hass, simulator)
    link_in(simulator.twilio.messages[0].text, home_url)
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("provider", "wish", "way"),
    [
        ("twilio", "always", "link"),
        ("twilio", "never", "mms"),
        ("ovh", "always", "link"),
        ("ovh", "never", "none"),
    ],
)
async def test_links_as_it_is_wished(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, wish: str, way: str
) -> None:
    """Where no picture message goes and no link is wanted, the text goes alone."""
    response = await send(hass, entry, media=SELECTED, media_as_link=wish)
    await settle(hass, simulator)
    [answer] = response["messages"]
    assert answer["media"] == way
    [message] = [*simulator.twilio.messages, *simulator.ovh.messages]
    assert ("/api/virtual_sms/media/" in message.text) is (way == "link")
    assert len(message.media) == (way == "mms")


async def test_a_camera_that_is_off_does_not_keep_the_text(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, lens: Lens
) -> None:
    """The others travel too; the response says in words what is missing, and why."""
    lens.error = RuntimeError("off")
    response = await send(hass, twilio_entry, media=[SELECTED, PUBLIC])
    await settle(hass, simulator)
    [message] = simulator.twilio.messages
    assert (message.text, [each.url for each in message.media]) == (
        "Somebody rang",
        [PUBLIC],
    )
    [error] = response["media_errors"]
    assert error["media_content_id"] == CAMERA
    assert error["reason"] == "unavailable"
    assert "left out" in error["error"]


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (None, "unavailable"),
        (b"", "unavailable"),
        (b"<html>no picture</html>", "unreadable"),
        (b"\xff\xd8\xff" + bytes(20_000_000), "unreadable"),
        (bytes(26_000_000), "too_large"),
        (b"RIFF\0\0\0\0WEBP broken", "unreadable"),
        (b"%PDF-" + bytes(5_000_000), "too_large"),
    ],
    ids=["none", "empty", "markup", "20 MB", "26 MB", "webp", "document"],
)
async def test_a_picture_that_cannot_travel_is_left_out(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    lens: Lens,
    picture: bytes | None,
    reason: str,
) -> None:
    """Broken, or of 20 MB: the text goes alone, and nothing is served."""
    lens.picture = picture
    response = await send(hass, twilio_entry, media=SELECTED)
    await settle(hass, simulator)
    assert [each.media for each in simulator.twilio.messages] == [()]
    assert [each["reason"] for each in response["media_errors"]] == [reason]
    assert response["messages"][0]["media"] == "none"


@pytest.mark.parametrize(
    "make", [partial(draw, "WEBP"), draw_noise], ids=["webp", "large"]
)
async def test_a_picture_that_phones_do_not_show_becomes_jpeg(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    lens: Lens,
    make: Callable[[], bytes],
) -> None:
    """Webp first of all."""
    lens.picture = make()
    await send(hass, twilio_entry, media=SELECTED)
    await settle(hass, simulator)
    [file] = simulator.twilio.messages[0].media
    assert file.content_type == "image/jpeg"
    assert file.data.startswith(b"\xff\xd8\xff")


async def test_a_slow_camera_is_not_waited_for(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, lens: Lens
) -> None:
    """After a bounded time the text goes alone."""
    lens.wait.append(asyncio.Event())
    with patch("custom_components.virtual_sms.media.snapshots.TIMEOUT", 0.05):
        response = await send(hass, twilio_entry, media=SELECTED)
    await settle(hass, simulator)
    assert len(simulator.twilio.messages) == 1
    assert [each["reason"] for each in response["media_errors"]] == ["too_slow"]


@pytest.mark.parametrize(
    "item",
    [
        "media-source://camera/camera.gone",
        "media-source://image/image.gone",
        "media-source://camera/../../secrets.yaml",
        "media-source://media_source/local/../secrets.yaml",
        "media-source://media_source/local/gone.jpg",
        "media-source://gone/x",
        "media-source://",
    ],
)
async def test_an_item_that_does_not_exist_is_left_out(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, item: str
) -> None:
    """Nothing beyond the media of the home is read."""
    response = await send(hass, twilio_entry, media=item)
    await settle(hass, simulator)
    assert [each["reason"] for each in response["media_errors"]] == ["unavailable"]
    assert [each.media for each in simulator.twilio.messages] == [()]


@pytest.mark.parametrize("media", [[None], [7], [{}], [""], [PUBLIC] * 11])
async def test_what_is_no_item_is_refused(
    hass: HomeAssistant, twilio_entry: ConfigEntry, media: Any
) -> None:
    """Before anything is sent."""
    with pytest.raises(Exception, match=r"(?i)media|length"):
        await send(hass, twilio_entry, media=media)


async def test_an_address_that_is_none_becomes_no_link(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """A public URL is written as it is; anything else is refused."""
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, ovh_entry, media="door.jpg")
    assert caught.value.translation_key == "invalid_media"
    await send(hass, ovh_entry, media=PUBLIC)
    await settle(hass, simulator)
    texts = [each.text for each in simulator.ovh.messages]
    assert texts == [f"Somebody rang\n{PUBLIC}"]


@pytest.mark.parametrize("media", ["door.jpg", "file:///etc/passwd", "ftp://a/b.jpg"])
async def test_an_address_that_is_none_is_not_asked_for(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, media: str
) -> None:
    """It is refused in our words, before the provider sees it."""
    simulator.requests.clear()
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, twilio_entry, media=media)
    assert caught.value.translation_key == "invalid_media"
    assert [each for each in simulator.requests if each.method == "POST"] == []


async def test_a_dry_run_says_that_the_home_has_no_address(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """For each recipient, as it says whatever else would be refused."""
    hass.config.external_url = None
    to = [RECIPIENT, "12"]
    response = await send(hass, entry, to=to, media=SELECTED, dry_run=True)
    refusals = {each["to"]: each["refusal"] for each in response["messages"]}
    assert refusals == {RECIPIENT: "other", "12": "invalid_number"}
    (fine,) = [each for each in response["messages"] if each["to"] == RECIPIENT]
    assert "no address" in fine["error"]


async def test_a_home_without_address_refuses_before_anything_is_sent(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Public URLs need none."""
    hass.config.external_url = None
    hass.config.internal_url = "http://192.168.1.2:8123"
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, entry, media=[PUBLIC, SELECTED])
    assert caught.value.translation_key == "no_url_for_media"
    assert not simulator.providers[provider].messages
    await send(hass, entry, media=[PUBLIC])
    await settle(hass, simulator)
    assert len(simulator.providers[provider].messages) == 1


async def test_no_address_is_needed_for_what_never_travels(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """No link is wanted, and no number of the home sends picture messages."""
    hass.config.external_url = None
    response = await send(hass, ovh_entry, media=SELECTED, media_as_link="never")
    await settle(hass, simulator)
    assert response["messages"][0]["media"] == "none"


async def test_the_remote_address_of_the_cloud_will_do(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry, cloud: Cloud
) -> None:
    """A subscription alone will not: a relayed webhook serves no picture."""
    hass.config.external_url = None
    with pytest.raises(ServiceValidationError):
        await send(hass, ovh_entry, media=SELECTED)
    cloud.remote = "https://abc.ui.example"
    await send(hass, ovh_entry, media=SELECTED)
    cloud.subscribed = False
    with pytest.raises(ServiceValidationError):
        await send(hass, ovh_entry, media=SELECTED)
    await settle(hass, simulator)
    [message] = simulator.ovh.messages
    link_in(message.text, "https://abc.ui.example")


async def test_the_link_counts_as_text(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """In segments, in what may be spent, and in what is foreseen."""
    text = "Somebody rang" + "!" * 140
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, ovh_entry, message=text, media=SELECTED, max_segments=1)
    assert caught.value.translation_key == "too_many_segments"
    data = {"message": text, "media": SELECTED}
    [foreseen] = (await send(hass, ovh_entry, dry_run=True, **data))["messages"]
    [sent] = (await send(hass, ovh_entry, **data))["messages"]
    await settle(hass, simulator)
    assert foreseen["segments"] == sent["segments"] == 2


async def test_nothing_is_looked_at_for_a_dry_run(
    hass: HomeAssistant, twilio_entry: ConfigEntry, lens: Lens
) -> None:
    """Nor served."""
    lens.error = RuntimeError("looked at")
    response = await send(hass, twilio_entry, media=SELECTED, dry_run=True)
    assert response["messages"][0]["refusal"] is None
    assert await hass.async_add_executor_job(list_files, hass) == []


async def test_the_classic_action_takes_items_too(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry, home_url: str
) -> None:
    """In its data."""
    await hass.services.async_call(
        "notify",
        "ovh_line",
        {
            "message": "Somebody rang",
            "target": RECIPIENT,
            "data": {"media": SELECTED, "media_as_link": "auto"},
        },
        blocking=True,
    )
    await settle(hass, simulator)
    link_in(simulator.ovh.messages[0].text, home_url)


async def test_each_line_has_its_own_way(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    ovh_entry: ConfigEntry,
    lens: Lens,
) -> None:
    """One look at the camera is enough for all attempts of a request."""
    looks = 0

    class Counted:
        async def wait(self) -> None:
            nonlocal looks
            looks += 1

    lens.wait.append(Counted())
    simulator.twilio.suspended = True
    response = await send(
        hass, twilio_entry, media=SELECTED, fallback=[ovh_entry.entry_id]
    )
    await settle(hass, simulator)
    assert response["messages"][0]["media"] == "link"
    assert len(simulator.ovh.messages) == 1
    assert looks == 1


async def test_a_request_that_fails_leaves_no_picture(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """What nobody is sent to is not served."""
    with pytest.raises(HomeAssistantError):
        await send(hass, twilio_entry, to="+15005550001", media=SELECTED)
    await settle(hass, simulator)
    assert await hass.async_add_executor_job(list_files, hass) == []


async def test_a_message_that_waits_keeps_its_picture(
    hass: HomeAssistant,
    simulator: Simulator,
    twilio_entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It is served for as long as the message may wait, and a quarter of an hour more."""
    simulator.faults.add("rate_limited", method="POST", path="Messages")
    heard = listen(hass)
    await send(hass, twilio_entry, media=SELECTED, retry_for={"minutes": 30})
    freezer.tick(timedelta(minutes=20))
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert len(await hass.async_add_executor_job(list_files, hass)) == 1
    freezer.tick(timedelta(minutes=30))
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert await hass.async_add_executor_job(list_files, hass) == []
    assert heard.statuses


async def test_a_full_disk_refuses_the_request(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Nobody is sent to a picture that is nowhere."""
    with (
        patch(
            "custom_components.virtual_sms.store.blobs.BlobFolder.put",
            side_effect=OSError,
        ),
        pytest.raises(HomeAssistantError) as caught,
    ):
        await send(hass, twilio_entry, media=SELECTED)
    assert caught.value.translation_key == "storage_failed"
    assert not simulator.twilio.messages


@pytest.mark.parametrize("provider", ["twilio", "ovh"])
async def test_what_was_sent_is_seen_in_the_conversation(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    hass_ws_client: Any,
    hass_client_no_auth: Any,
) -> None:
    """For as long as the message is kept, when its link leads nowhere any more."""
    await send(hass, entry, media=[PUBLIC, SELECTED])
    await settle(hass, simulator)
    await hass.data[SHELF].async_forget(entry.entry_id)
    assert await hass.async_add_executor_job(list_files, hass) == []
    client = await hass_ws_client(hass)
    question = {"type": f"{DOMAIN}/conversation", "correspondent": RECIPIENT}
    await client.send_json_auto_id({**question, "entry_id": entry.entry_id})
    [message] = (await client.receive_json())["result"]["messages"]
    *public, kept = message["media"]
    assert [each["url"] for each in public] == [PUBLIC] * (provider == "twilio")
    assert all(each["media_content_id"] is None for each in public)
    assert kept["content_type"] == "image/jpeg"
    item = {"media_content_id": kept["media_content_id"]}
    await client.send_json_auto_id({"type": "media_source/resolve_media", **item})
    url = (await client.receive_json())["result"]["url"]
    browser = await hass_client_no_auth()
    assert await (await browser.get(url)).read() == JPEG


@pytest.mark.parametrize("provider", ["twilio", "ovh"])
async def test_what_is_being_sent_is_seen_at_once(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    hass_ws_client: Any,
    hass_client_no_auth: Any,
) -> None:
    """By a card that is open: the event names the files as the page does later."""
    client = await hass_ws_client(hass)
    question = {"type": f"{DOMAIN}/subscribe", "entry_id": entry.entry_id}
    await client.send_json_auto_id(question)
    assert (await client.receive_json())["success"]
    await send(hass, entry, media=[PUBLIC, SELECTED])
    event = (await client.receive_json())["event"]
    assert event["kind"] == "message"
    item = {"media_content_id": event["media"][-1]["media_content_id"]}
    assert event["media"][-1]["content_type"] == "image/jpeg"
    shown = await show(client, item)
    browser = await hass_client_no_auth()
    assert await (await browser.get(shown["result"]["url"])).read() == JPEG
    await settle(hass, simulator)
    client = await hass_ws_client(hass)
    question = {"type": f"{DOMAIN}/conversation", "correspondent": RECIPIENT}
    await client.send_json_auto_id({**question, "entry_id": entry.entry_id})
    [message] = (await client.receive_json())["result"]["messages"]
    assert message["media"] == event["media"]


async def show(client: Any, item: dict[str, Any]) -> Any:
    """Return where a media item is shown, past the events of the message."""
    await client.send_json_auto_id({"type": "media_source/resolve_media", **item})
    while (said := await client.receive_json())["type"] == "event":
        pass
    return said


async def test_what_was_refused_has_no_picture(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Whoever waited for it learns that there is none."""
    refused = "+33600000001"
    with pytest.raises(HomeAssistantError):
        await send(hass, ovh_entry, to=refused, media=SELECTED)
    await settle(hass, simulator)
    conversations = ovh_entry.runtime_data.gateway.store.conversations
    page = await conversations.read(refused, None, 10)
    assert page.messages
    attachments = ovh_entry.runtime_data.attachments
    for each in page.messages:
        assert attachments.add_promised(each.message_id, {}) == {}
        assert await attachments.obtain(each.message_id, 0) is None


@pytest.mark.usefixtures("twilio_entry")
async def test_what_was_sent_is_not_kept_without_full_privacy(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """It is served, and then it is gone."""
    options = {OPTION_PRIVACY: "masked"}
    hass.config_entries.async_update_entry(ovh_entry, options=options)
    await hass.config_entries.async_reload(ovh_entry.entry_id)
    await send(hass, ovh_entry, media=SELECTED)
    await settle(hass, simulator)
    folder = Path(
        hass.config.path(".storage", f"virtual_sms.{ovh_entry.entry_id}.media")
    )
    assert not await hass.async_add_executor_job(folder.exists)
    assert len(await hass.async_add_executor_job(list_files, hass)) == 1


def list_files(hass: HomeAssistant) -> list[str]:
    """List the pictures on disk."""
    folder = Path(hass.config.path(".storage", "virtual_sms.sent"))
    return [each.name for each in folder.iterdir()] if folder.exists() else []


async def test_what_is_only_streamed_is_left_out(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """As is a file that is too large to be read."""
    resolve = "homeassistant.components.media_source.async_resolve_media"
    stream = PlayMedia("/api/tts_proxy/x", "audio/mpeg")
    with patch(resolve, return_value=stream):
        response = await send(hass, twilio_entry, media=LOCAL)
    assert [each["reason"] for each in response["media_errors"]] == ["unavailable"]
    large = Path(hass.config.path("media", "large.pdf"))
    await hass.async_add_executor_job(large.write_bytes, bytes(26_000_000))
    item = LOCAL.replace("note", "large")
    response = await send(hass, twilio_entry, media=item)
    assert [each["reason"] for each in response["media_errors"]] == ["too_large"]
    await settle(hass, simulator)


async def test_a_camera_that_fails_late_harms_nobody(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """It is not waited for any more, and does not stop when it is told to."""

    async def fail(*_: object, **__: object) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        raise RuntimeError("late")

    with (
        patch("custom_components.virtual_sms.media.snapshots.TIMEOUT", 0.01),
        patch("homeassistant.components.camera.async_get_image", fail),
    ):
        response = await send(hass, twilio_entry, media=SELECTED)
        await settle(hass, simulator)
    assert [each["reason"] for each in response["media_errors"]] == ["too_slow"]


async def test_a_picture_that_fills_the_memory_is_left_out(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry, lens: Lens
) -> None:
    """Small as a file, and too large when it is opened."""
    fast = {"lossless": True, "quality": 0, "method": 0}
    lens.picture = draw("WEBP", 8000, 8000, **fast)
    response = await send(hass, twilio_entry, media=SELECTED)
    await settle(hass, simulator)
    assert [each["reason"] for each in response["media_errors"]] == ["too_large"]


async def test_a_provider_that_does_not_say_what_a_number_can(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Then a picture message is tried."""
    simulator.faults.add("slow", path="IncomingPhoneNumbers", delay=0.2)
    with patch("custom_components.virtual_sms.media.outgoing._LOOK_UP", 0.01):
        response = await send(hass, twilio_entry, media=SELECTED)
    await settle(hass, simulator)
    assert response["messages"][0]["media"] == "mms"
    await asyncio.sleep(0.3)
