"""The blueprints of this project load, import, and do what they say."""

import json
from pathlib import Path
import re
from typing import TYPE_CHECKING, Any
from unittest.mock import PropertyMock, patch
from urllib.parse import quote

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import importer
from homeassistant.components.blueprint.models import Blueprint, DomainBlueprints
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import selector
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
import yarl

from .alarms import pass_time, texts
from .contacts import OTHER_NUMBER, add_contact, entity_of
from .home import RECIPIENT, entity_id, settle
from .media.conftest import JPEG
from .people.test_trust import PIN, add_bob
from .set_up import set_up

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry

    from simulator import Simulator

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / "blueprints" / "automation" / "virtual_sms"
FILES = {each.stem: each for each in sorted(FOLDER.iterdir())}
NAMES = {
    "alarm": "Alarm until somebody answers",
    "camera": "Camera picture on request",
    "garage": "Open the garage on a trusted command",
    "house_question": "Answer a question about the house",
    "low_balance": "Low balance",
    "strangers": "Pass on what strangers write",
}
MANIFEST = json.loads(
    (PROJECT / "custom_components/virtual_sms/manifest.json").read_text()
)
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def load(name: str) -> Blueprint:
    """Load a blueprint as Home Assistant does."""
    return Blueprint(
        load_yaml_dict(FILES[name]),
        expected_domain="automation",
        path=f"virtual_sms/{name}.yaml",
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


def url(name: str) -> str:
    """Return where a blueprint can be imported from."""
    where = f"blob/main/{FILES[name].relative_to(PROJECT)}"
    return f"{MANIFEST['documentation']}/{where}"


def test_which_there_are() -> None:
    """There are six, each under its name."""
    assert {name: load(name).name for name in FILES} == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_blueprint_is_described(name: str) -> None:
    """It says what it does, from which version on, and each input has a form."""
    blueprint = load(name)
    assert blueprint.validate() is None
    told = blueprint.data["blueprint"]
    floor = json.loads((PROJECT / "hacs.json").read_text())["homeassistant"]
    assert told["homeassistant"]["min_version"] == floor
    assert told["source_url"] == url(name)
    assert told["description"].endswith(".")
    for each in blueprint.inputs.values():
        assert each["name"]
        assert selector(each["selector"])
    assert blueprint.data["mode"] in {"queued", "single"}
    text = FILES[name].read_text(encoding="utf-8")
    assert "config_entry_id: !input" not in text
    for form in (each["selector"] for each in blueprint.inputs.values()):
        # People are chosen from our own, doors and cameras are not ours.
        filters = json.dumps(form)
        if '"notify"' in filters or '"event"' in filters:
            assert '"integration": "virtual_sms"' in filters


@pytest.mark.parametrize("name", NAMES)
def test_a_button_imports_it(name: str) -> None:
    """The README has a button for each."""
    link = quote(url(name), safe="")
    found = re.findall(r"blueprint_import/\?blueprint_url=([^)]+)\)", README)
    assert found.count(link) == 1
    assert len(found) == len(NAMES)
    assert NAMES[name] in README


@pytest.mark.parametrize("name", NAMES)
async def test_it_can_be_imported(
    hass: HomeAssistant, aioclient_mock: AiohttpClientMocker, name: str
) -> None:
    """Home Assistant's own importer takes what the button names."""
    raw = url(name).replace("github.com", "raw.githubusercontent.com")
    text = FILES[name].read_text(encoding="utf-8")
    aioclient_mock.get(raw.replace("/blob/", "/"), text=text)
    imported = await importer.fetch_blueprint_from_url(hass, str(yarl.URL(url(name))))
    assert imported.suggested_filename == f"virtual-sms/{name}"
    assert imported.blueprint.name == NAMES[name]
    assert imported.blueprint.metadata["source_url"] == url(name)


@pytest.fixture
async def home(hass: HomeAssistant, simulator: Simulator, home_url: str) -> ConfigEntry:
    """Make a home with Bob, who may command by a PIN, and Ann, who may not."""
    entry = await set_up(hass, simulator, "twilio", name="Home")
    await add_bob(hass, entry)
    await add_contact(hass, entry, "Ann", [OTHER_NUMBER])
    return entry


async def use(hass: HomeAssistant, name: str, **inputs: Any) -> None:
    """Make an automation from a blueprint, as the editor stores it."""
    config = {"use_blueprint": {"path": f"virtual_sms/{name}.yaml", "input": inputs}}
    automation = {"id": name, "alias": name, **config}
    folder = PropertyMock(return_value=FOLDER.parent)
    with patch.object(DomainBlueprints, "blueprint_folder", folder):
        assert await async_setup_component(
            hass, "automation", {"automation": [automation]}
        )
        await hass.async_block_till_done()
    state = hass.states.get(f"automation.{name}")
    assert state is not None
    assert state.state == "on"


async def write(
    hass: HomeAssistant, simulator: Simulator, sender: str, text: str
) -> list[str]:
    """Text the home, and return what it texts back."""
    before = len(texts(simulator))
    simulator.twilio.receive(sender, text)
    await settle(hass, simulator)
    return [text for to, text in texts(simulator)[before:] if to == sender]


async def turn_on(hass: HomeAssistant, simulator: Simulator, sensor: str) -> None:
    """Let a sensor find something."""
    hass.states.async_set(sensor, "off", {"friendly_name": "Cellar leak"})
    await hass.async_block_till_done()
    hass.states.async_set(sensor, "on", {"friendly_name": "Cellar leak"})
    await settle(hass, simulator)


STRANGER = "+33611111111"
LEAK = "binary_sensor.leak"
ALARM = "Alarm: Cellar leak! Answer ok if you see to it."


async def test_alarm(
    hass: HomeAssistant,
    simulator: Simulator,
    home: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It texts, phones, goes on to others, and rests when somebody takes it."""
    taken = async_mock_service(hass, "light", "turn_on")
    await use(
        hass,
        "alarm",
        sensors=[LEAK],
        people=["notify.bob"],
        others=["notify.ann"],
        somebody=[
            {"action": "light.turn_on", "data": {"who": "{{ trigger.contact }}"}}
        ],
    )
    await turn_on(hass, simulator, LEAK)
    assert texts(simulator) == [(RECIPIENT, ALARM)]
    await pass_time(hass, simulator, freezer, 301)
    assert [each.to for each in simulator.twilio.phones.calls] == [RECIPIENT]
    await simulator.twilio.phones.use(simulator.twilio.phones.calls[0].id, "busy")
    await settle(hass, simulator)
    assert texts(simulator)[1:] == [(OTHER_NUMBER, ALARM)]
    await write(hass, simulator, OTHER_NUMBER, "ok")
    assert sorted(texts(simulator)[2:]) == [
        (RECIPIENT, f"Ann has taken it: {ALARM}"),
        (OTHER_NUMBER, f"You have taken it: {ALARM}"),
    ]
    assert [each.data["who"] for each in taken] == ["Ann"]


async def test_alarm_that_nobody_takes(
    hass: HomeAssistant,
    simulator: Simulator,
    home: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """When all rounds are over it does what is left to do; others' alarms are not its."""
    left = async_mock_service(hass, "siren", "turn_on")
    await use(
        hass,
        "alarm",
        sensors=[LEAK],
        people=["notify.bob"],
        phone=False,
        step_after={"minutes": 1},
        rounds=2,
        message="Fire!",
        nobody=[{"action": "siren.turn_on"}],
    )
    other = {"message": "Other", "steps": [{"contacts": "notify.ann"}], "rounds": 1}
    await hass.services.async_call(
        "virtual_sms", "alert", {**other, "step_after": 30}, blocking=True
    )
    await turn_on(hass, simulator, LEAK)
    await pass_time(hass, simulator, freezer, 31)
    assert left == []
    await pass_time(hass, simulator, freezer, 61)
    await pass_time(hass, simulator, freezer, 61)
    assert len(left) == 1
    sent = [text for to, text in texts(simulator) if to == RECIPIENT]
    assert sent == ["Fire!", "Fire!"]
    assert simulator.twilio.phones.calls == []


@pytest.mark.parametrize(
    ("sender", "text", "opens"),
    [
        (RECIPIENT, f"Open garage {PIN}", True),
        (RECIPIENT, "open garage", False),
        (OTHER_NUMBER, f"open garage {PIN}", False),
        (STRANGER, f"open garage {PIN}", False),
    ],
)
async def test_garage(
    hass: HomeAssistant,
    simulator: Simulator,
    home: ConfigEntry,
    sender: str,
    text: str,
    *,
    opens: bool,
) -> None:
    """It opens for the word with the code of somebody who may command, and says so."""
    opened = async_mock_service(hass, "cover", "open_cover")
    await use(hass, "garage", door="cover.garage")
    answers = await write(hass, simulator, sender, text)
    assert answers == (["The garage is opening."] if opens else [])
    doors = [each.data["entity_id"] for each in opened]
    assert doors == ([["cover.garage"]] if opens else [])


async def test_garage_for_some(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """Where people are chosen, it opens for them only."""
    opened = async_mock_service(hass, "cover", "open_cover")
    ann = next(each for each in home.subentries.values() if each.title == "Ann")
    target = {"entity_id": entity_of(hass, home, ann, "message")}
    await use(hass, "garage", door="cover.garage", people=target)
    assert not await write(hass, simulator, RECIPIENT, f"open garage {PIN}")
    assert not opened


async def test_house_question(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """Contacts get an answer from the sensors, strangers none."""
    hass.states.async_set("sensor.room", "20.5", {"unit_of_measurement": "°C"})
    answer = "Room {{ states('sensor.room', with_unit=True) }}"
    await use(hass, "house_question", answer=answer)
    assert await write(hass, simulator, OTHER_NUMBER, " Status ") == ["Room 20.5 °C"]
    assert await write(hass, simulator, RECIPIENT, "status") == ["Room 20.5 °C"]
    assert not await write(hass, simulator, STRANGER, "status")
    assert not await write(hass, simulator, OTHER_NUMBER, "other")


@pytest.fixture
async def camera(hass: HomeAssistant, tmp_path: Path) -> str:
    """Install a camera of Home Assistant's own, which shows a file."""
    picture = tmp_path / "door.jpg"
    picture.write_bytes(JPEG)
    options = {"name": "Door", "file_path": str(picture)}
    entry = MockConfigEntry(domain="local_file", title="Door", options=options)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await async_setup_component(hass, "media_source", {})
    await hass.async_block_till_done()
    return "camera.door"


async def test_camera(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry, camera: str
) -> None:
    """A real camera's picture travels to who may command, and to nobody else."""
    await use(hass, "camera", camera=camera, answer="Here it is")
    for sender, text in ((STRANGER, "picture"), (RECIPIENT, "picture")):
        assert not await write(hass, simulator, sender, text)
    assert await write(hass, simulator, RECIPIENT, f"Picture {PIN}") == ["Here it is"]
    [message] = simulator.twilio.messages
    [picture] = message.media
    assert (picture.data, picture.content_type) == (JPEG, "image/jpeg")
    assert message.fetches == [("HEAD", 200), ("GET", 200)]


async def test_camera_as_a_link(
    hass: HomeAssistant, simulator: Simulator, camera: str, home_url: str
) -> None:
    """Where the number has no picture messages, whoever asked opens the picture."""
    entry = await set_up(hass, simulator, "ovh", name="Home")
    await add_bob(hass, entry)
    await use(hass, "camera", camera=camera, answer="Here it is")
    simulator.ovh.receive(RECIPIENT, f"picture {PIN}")
    await settle(hass, simulator)
    [message] = simulator.ovh.messages
    words, _, link = message.text.partition("\n")
    assert words == "Here it is"
    assert link.startswith(home_url)
    async with async_get_clientsession(hass).get(link) as shown:
        assert await shown.read() == JPEG


async def test_low_balance(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """It texts once when the balance falls below what is chosen."""
    balance = entity_id(hass, home, "balance")
    await use(hass, "low_balance", balance=balance, people=["notify.ann"])
    shown = hass.states.get(balance)
    assert shown is not None
    for value in ("12.0", "4.5", "4.4"):
        hass.states.async_set(balance, value, shown.attributes)
        await settle(hass, simulator)
    name = shown.attributes["friendly_name"]
    [(to, text)] = texts(simulator)
    assert to == OTHER_NUMBER
    assert text.startswith(f"{name} is down to 4.5")
    assert text.endswith(". Top it up.")


async def test_strangers(
    hass: HomeAssistant, simulator: Simulator, home: ConfigEntry
) -> None:
    """What strangers write is passed on once, what contacts write is not."""
    await use(hass, "strangers", people=["notify.ann"])
    await write(hass, simulator, STRANGER, "Your parcel is here")
    await write(hass, simulator, RECIPIENT, "hello")
    assert texts(simulator) == [(OTHER_NUMBER, f"From {STRANGER}: Your parcel is here")]
