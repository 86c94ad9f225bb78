"""The classic notify action of a number."""

from typing import TYPE_CHECKING, Any

from homeassistant.components.notify.legacy import NOTIFY_SERVICES
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.service import async_get_cached_service_description
import pytest

from .home import RECIPIENT, listen, settle
from .set_up import set_up

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator


async def notify(hass: HomeAssistant, name: str = "my_line", **data: Any) -> None:
    """Call a notify action."""
    await hass.services.async_call(
        "notify", name, {"message": "Hello"} | data, blocking=True
    )


async def test_send(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """One text goes to many, below its title, and its delivery is told."""
    heard = listen(hass)
    await notify(hass, target=[RECIPIENT, 33687654321], title="Home")
    await settle(hass, simulator)
    messages = simulator.providers[provider].messages
    assert {each.to for each in messages} == {RECIPIENT, "+33687654321"}
    assert {each.text for each in messages} == {"Home\nHello"}
    assert [each["status"] for each in heard.statuses].count("delivered") == 2


async def test_media(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Files go along; what other platforms want beside them does no harm."""
    data = {"media": [f"{simulator.url}/door.jpg"], "push": {"sound": "none"}}
    await notify(hass, "twilio_line", target=RECIPIENT, data=data)
    await settle(hass, simulator)
    [message] = simulator.twilio.messages
    assert len(message.media) == 1
    with pytest.raises(ServiceValidationError) as caught:
        await notify(hass, "twilio_line", target=RECIPIENT, data={"media": [{}]})
    assert caught.value.translation_key == "invalid_media"


async def test_refused(
    hass: HomeAssistant, simulator: Simulator, ovh_entry: ConfigEntry
) -> None:
    """Whoever got nothing is named, and why."""
    with pytest.raises(ServiceValidationError) as caught:
        await notify(hass, "ovh_line")
    assert caught.value.translation_key == "no_recipient"
    with pytest.raises(HomeAssistantError, match=r": nobody is not a phone"):
        await notify(hass, "ovh_line", target=["nobody", RECIPIENT])
    await settle(hass, simulator)
    assert [each.to for each in simulator.ovh.messages] == [RECIPIENT]


async def test_a_number_that_yaml_reads_as_another_one(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """0612345670 without quotes is 103402424, which would be somebody else's number."""
    hass.config.country = "FR"
    with pytest.raises(ServiceValidationError, match="quotes"):
        await notify(hass, "twilio_line", target=0o612345670)
    assert not simulator.twilio.messages
    await notify(hass, "twilio_line", target=[33612345678, "06 87 65 43 21"])
    with pytest.raises(ServiceValidationError, match="is not a phone number"):
        await notify(hass, "twilio_line", target="9" * 5000)
    sent = {each.to for each in simulator.twilio.messages}
    assert sent == {RECIPIENT, "+33687654321"}


@pytest.mark.parametrize(
    ("language", "name", "recipient"),
    [
        ("en", "Send SMS from Twilio line", "To"),
        ("fr", "Envoyer un SMS depuis Twilio line", "À"),
    ],
)
async def test_explained(
    hass: HomeAssistant,
    twilio_entry: ConfigEntry,
    language: str,
    name: str,
    recipient: str,
) -> None:
    """The editor asks for recipients, and says what each field is."""
    hass.config.language = language
    await hass.config_entries.async_reload(twilio_entry.entry_id)
    shown = async_get_cached_service_description(hass, "notify", "twilio_line")
    assert shown
    assert shown["name"] == name
    assert shown["description"]
    fields = shown["fields"]
    assert fields["target"]["name"] == recipient
    assert {key for key in fields if fields[key].get("required")} == {
        "message",
        "target",
    }
    assert all(each["description"] for each in fields.values())


async def test_names(
    hass: HomeAssistant, simulator: Simulator, twilio_entry: ConfigEntry
) -> None:
    """Namesakes are numbered by age, whichever of them starts first."""
    second = await set_up(hass, simulator, "ovh", name="Twilio line")
    assert hass.services.has_service("notify", "twilio_line")
    assert hass.services.has_service("notify", "twilio_line_2")

    for each in (twilio_entry, second):
        assert await hass.config_entries.async_unload(each.entry_id)
    for each in (second, twilio_entry):
        assert await hass.config_entries.async_setup(each.entry_id)
    await notify(hass, "twilio_line", target=RECIPIENT)
    await settle(hass, simulator)
    assert len(simulator.twilio.messages) == 1
    assert not simulator.ovh.messages


async def test_not_ours(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """An action of someone else's is neither taken over nor removed."""
    calls = []
    hass.services.async_register("notify", "my_line", calls.append)
    entry = await set_up(hass, simulator, "twilio", name="My line")
    await notify(hass, "my_line")
    await notify(hass, "my_line_2", target=RECIPIENT)
    await settle(hass, simulator)
    assert len(calls) == len(simulator.twilio.messages) == 1
    assert await hass.config_entries.async_remove(entry.entry_id)
    assert hass.services.has_service("notify", "my_line")
    assert not hass.services.has_service("notify", "my_line_2")


async def test_goes_with_its_entry(
    hass: HomeAssistant, twilio_entry: ConfigEntry
) -> None:
    """Nothing is left of it after unloading, and it returns under its name."""
    assert await hass.config_entries.async_unload(twilio_entry.entry_id)
    assert not hass.services.has_service("notify", "twilio_line")
    assert not hass.data.get(NOTIFY_SERVICES)
    assert await hass.config_entries.async_setup(twilio_entry.entry_id)
    assert hass.services.has_service("notify", "twilio_line")
    assert await hass.config_entries.async_reload(twilio_entry.entry_id)
    assert not hass.services.has_service("notify", "twilio_line_2")
