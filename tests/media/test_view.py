"""Who may fetch a picture: who has its token, for a while, and a few times."""

import asyncio
from contextlib import closing
from datetime import timedelta
from pathlib import Path
import random
import sqlite3
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from yarl import URL

from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.home_file import async_get_home_file
from custom_components.virtual_sms.media.shelf import SHELF, PictureShelf
from custom_components.virtual_sms.store.home import Kind
from custom_components.virtual_sms.store.pictures import MOST_BYTES, MOST_PICTURES
from tests.alarms import set_clock
from tests.home import settle

from .conftest import JPEG, Lens
from .test_outgoing import SELECTED, link_in, list_files, send

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

pytestmark = pytest.mark.usefixtures("camera")

PLACE: Final = "/api/virtual_sms/media/"
ODD: Final = (
    "..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fsecrets.yaml",
    "..%2f..%2f.storage%2fauth",
    "%00",
    "%ff",
    "%F0%9F%90%88",
    "a" * 5000,
    "{token}",
    "*",
    "%25",
    ".jpg",
    "-",
    "0",
)


@pytest.fixture
async def links(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry, home_url: str
) -> list[str]:
    """Send a link and return it, as a path."""
    await send(hass, ovh_entry, media=SELECTED)
    await settle(hass, simulator)
    return [link_in(each.text, home_url) for each in simulator.ovh.messages]


@pytest.fixture
async def door(hass_client_no_auth: Any) -> Any:
    """Return a stranger's browser."""
    return await hass_client_no_auth()


async def refused(response: ClientResponse) -> tuple[int, bytes, dict[str, str]]:
    """Return all that an answer tells, but for its time."""
    told = {name: each for name, each in response.headers.items() if name != "Date"}
    return response.status, await response.read(), told


async def test_a_picture_is_shown_as_what_it_is(door: Any, links: list[str]) -> None:
    """It is kept nowhere, found by no search, and runs nothing."""
    response = await door.get(links[0])
    assert response.status == 200
    assert response.content_type == "image/jpeg"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert "sandbox" in response.headers["Content-Security-Policy"]
    how = response.headers["Content-Disposition"]
    assert how == 'inline; filename="picture.jpg"'
    assert await response.read() == JPEG


async def test_a_thousand_fetches(door: Any, links: list[str]) -> None:
    """A few succeed; to look first counts as none."""
    for _ in range(100):
        looked = await door.head(links[0])
        assert (looked.status, await looked.read()) == (200, b"")
        assert looked.headers["Content-Length"] == str(len(JPEG))
    answers = await asyncio.gather(*(door.get(links[0]) for _ in range(1000)))
    assert [each.status for each in answers].count(200) == 10
    assert [each.status for each in answers].count(404) == 990
    assert (await door.head(links[0])).status == 404


async def test_all_refusals_are_the_same(
    hass: HomeAssistant, door: Any, links: list[str]
) -> None:
    """Guessed, odd, used up: nobody learns which pictures there are."""
    guesses = random.Random(7)  # the same in every run
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    token = links[0].rpartition("/")[2]
    near = [token[:-1], token + "A", token.swapcase(), token[::-1]]
    guessed = ["".join(guesses.choices(letters, k=22)) for _ in range(200)]
    for _ in range(10):
        assert (await door.get(links[0])).status == 200
    used_up = await refused(await door.get(links[0]))
    for each in (*near, *guessed):
        assert await refused(await door.get(PLACE + each)) == used_up
    for each in ODD:
        url = URL(PLACE + each, encoded=True)
        status, body, _ = await refused(await door.get(url))
        assert status in {400, 404}
        assert JPEG not in body
    for method in ("post", "put", "delete", "patch"):
        assert (await getattr(door, method)(links[0])).status in {404, 405}


async def test_a_clock_that_is_set_ends_no_picture(
    hass: HomeAssistant,
    simulator: Simulator,
    door: Any,
    links: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A home that gets the right time hours later serves it as long as it said."""
    set_clock(hass, monkeypatch, 2 * 86400)
    await hass.data[SHELF]._async_tidy()
    assert (await door.get(links[0])).status == 200


@pytest.mark.parametrize(
    ("provider", "minutes"), [("twilio", 15), ("ovh", 24 * 60)], ids=["mms", "link"]
)
async def test_a_picture_is_over_in_time(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    door: Any,
    freezer: FrozenDateTimeFactory,
    home_url: str,
    minutes: int,
) -> None:
    """After a quarter of an hour, as link after a day; then it is gone from the disk."""
    await send(hass, entry, media=SELECTED)
    await settle(hass, simulator)
    [message] = [*simulator.twilio.messages, *simulator.ovh.messages]
    url = message.media[0].url if message.media else message.text.partition("\n")[2]
    path = url.removeprefix(home_url)
    freezer.tick(timedelta(minutes=minutes, seconds=-30))
    assert (await door.get(path)).status == 200
    freezer.tick(timedelta(seconds=40))
    assert (await door.get(path)).status == 404
    async_fire_time_changed(hass)
    await settle(hass, simulator)
    assert await hass.async_add_executor_job(list_files, hass) == []


async def test_a_restart_ends_no_picture(
    hass: HomeAssistant, door: Any, links: list[str]
) -> None:
    """Neither its life, nor how often it was fetched."""
    assert (await door.get(links[0])).status == 200
    await hass.async_block_till_done(wait_background_tasks=True)
    again = PictureShelf(hass, async_get_home_file(hass))
    await again.async_load()
    picture = again.async_find(links[0].rpartition("/")[2])
    assert picture is not None
    assert picture.fetches_left == 9
    assert await again.async_read(picture) == JPEG


async def test_pictures_go_with_their_number(
    hass: HomeAssistant, door: Any, links: list[str]
) -> None:
    """Nothing of them is left when the number is removed."""
    [entry] = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert (await door.get(links[0])).status == 404
    folder = Path(hass.config.path(".storage", "virtual_sms.sent"))
    assert not await hass.async_add_executor_job(folder.exists)


async def test_what_is_written_down_opens_nothing(
    hass: HomeAssistant, links: list[str]
) -> None:
    """The file knows the hash of a token only."""
    token = links[0].rpartition("/")[2]

    def read() -> str:
        path = hass.config.path(".storage", "virtual_sms.home.db")
        with closing(sqlite3.connect(path)) as connection:
            return "\n".join(connection.iterdump())

    dumped = await hass.async_add_executor_job(read)
    assert "picture" in dumped
    assert token not in dumped


async def test_a_picture_that_is_gone_is_refused_like_all(
    hass: HomeAssistant, door: Any, links: list[str]
) -> None:
    """Also where the disk cannot be read."""
    [name] = await hass.async_add_executor_job(list_files, hass)
    file = Path(hass.config.path(".storage", "virtual_sms.sent", name))
    await hass.async_add_executor_job(file.unlink)
    assert (await door.head(links[0])).status == 404
    assert (await door.get(links[0])).status == 404
    await hass.async_add_executor_job(file.mkdir)
    assert (await door.get(links[0])).status == 404
    await hass.async_add_executor_job(file.rmdir)


async def test_pictures_are_bounded(
    hass: HomeAssistant,
    simulator: Simulator,
    ovh_entry: ConfigEntry,
    lens: Lens,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In number and in bytes: the oldest gives way."""
    assert MOST_PICTURES <= 500
    assert MOST_BYTES <= 50_000_000
    module = "custom_components.virtual_sms.store.pictures."
    monkeypatch.setattr(module + "MOST_PICTURES", 3)
    for size in range(5):
        lens.picture = JPEG + bytes(size)
        await send(hass, ovh_entry, message=f"{size}", media=SELECTED)
        await asyncio.sleep(0.01)
    assert len(await hass.async_add_executor_job(list_files, hass)) == 3
    monkeypatch.setattr(module + "MOST_BYTES", 2 * len(JPEG) + 10)
    await send(hass, ovh_entry, message="one more", media=SELECTED)
    assert len(await hass.async_add_executor_job(list_files, hass)) == 2
    assert len(hass.data[SHELF]._pictures) == 3
    await settle(hass, simulator)


async def test_a_damaged_file_keeps_no_other_picture(
    hass: HomeAssistant, door: Any, links: list[str]
) -> None:
    """What cannot be read any more is no picture; tidying that fails stops nothing."""
    file = async_get_home_file(hass)
    for name, content in (("a", "["), ("b", "{}"), ("c", "[]")):
        await file.async_store(Kind.PICTURE, name, content)
    again = PictureShelf(hass, file)
    keep = "custom_components.virtual_sms.store.blobs.BlobFolder.keep"
    with patch(keep, side_effect=OSError):
        await again.async_load()
    assert len(again._pictures) == 1
    assert again.async_take("unknown") is None
    again.async_prolong(["unknown"], timedelta(1))
    await again.async_withdraw(["unknown"])
    assert len(again._pictures) == 1
