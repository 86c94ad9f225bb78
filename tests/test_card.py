"""The card gets to the dashboards, in the version that is installed, and leaves them."""

from http import HTTPStatus
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from homeassistant.components.lovelace import LovelaceData
from homeassistant.components.lovelace.resources import (
    ResourceStorageCollection,
    ResourceYAMLCollection,
)
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.virtual_sms.adapters.segments import count_segments
from custom_components.virtual_sms.card import ISSUE, URL
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.core.simplify import simplify

from .set_up import set_up

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from simulator import Simulator

ROOT = Path(__file__).parents[1]
FILE = ROOT / "custom_components" / "virtual_sms" / "frontend" / "virtual-sms-card.js"
OTHER = {"url": "/local/other.js", "type": "module"}


def use(
    hass: HomeAssistant, mode: str, resources: Any
) -> ResourceStorageCollection | ResourceYAMLCollection:
    """Give the home dashboards with resources."""
    hass.data["lovelace"] = LovelaceData(
        resource_mode=mode, dashboards={}, resources=resources, yaml_dashboards={}
    )
    return resources


async def store(hass: HomeAssistant, *urls: str) -> ResourceStorageCollection:
    """Give the home dashboards whose resources are stored."""
    resources = use(hass, "storage", ResourceStorageCollection(hass, None))
    hass.data["lovelace"].resources.ll_config = _NoConfig()
    for url in urls:
        await resources.async_create_item({"res_type": "module", "url": url})
    return resources


class _NoConfig:
    async def async_load(self, force: bool) -> dict[str, Any]:
        return {}


async def begin(hass: HomeAssistant, simulator: Simulator, provider: str) -> Any:
    """Set a number up, and wait until all that follows was done."""
    entry = await set_up(hass, simulator, provider)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


def urls(resources: Any) -> list[str]:
    """List what dashboards load."""
    return [each["url"] for each in resources.async_items()]


@pytest.mark.usefixtures("home_url")
async def test_dashboards_load_the_card_of_this_version(
    hass: HomeAssistant,
    simulator: Simulator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Once for all numbers, beside what else they load; nobody has to log in for it."""
    resources = await store(hass, OTHER["url"])
    await begin(hass, simulator, "twilio")
    await begin(hass, simulator, "ovh")
    other, ours = urls(resources)
    assert other == OTHER["url"]
    assert ours.startswith("/virtual_sms/virtual-sms-card-")
    assert resources.async_items()[1]["type"] == "module"
    client = await hass_client_no_auth()
    for url in (ours, URL):
        response = await client.get(url)
        assert response.status == HTTPStatus.OK
        assert "javascript" in response.content_type
        assert await response.read() == FILE.read_bytes()
        is_cached = "max-age" in response.headers.get("Cache-Control", "")
        assert is_cached is (url == ours)


@pytest.mark.usefixtures("home_url")
async def test_a_card_of_an_earlier_version_is_replaced(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Also when it is there twice."""
    old = "/virtual_sms/virtual-sms-card-0123456789ab.js"
    resources = await store(hass, old, OTHER["url"], URL)
    entry = await begin(hass, simulator, "twilio")
    ours, other = urls(resources)
    assert ours not in {old, URL}
    assert other == OTHER["url"]
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert urls(resources) == [ours, other]


@pytest.mark.usefixtures("home_url")
async def test_the_card_goes_with_the_last_number(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """And comes back with the next."""
    resources = await store(hass, OTHER["url"])
    first = await begin(hass, simulator, "twilio")
    second = await begin(hass, simulator, "ovh")
    await hass.config_entries.async_remove(first.entry_id)
    assert len(urls(resources)) == 2
    await hass.config_entries.async_remove(second.entry_id)
    assert urls(resources) == [OTHER["url"]]
    await begin(hass, simulator, "twilio")
    assert len(urls(resources)) == 2


@pytest.mark.usefixtures("home_url")
async def test_where_resources_are_written_by_hand_a_repair_gives_the_lines(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Until they are there, or the last number has gone."""
    issues = ir.async_get(hass)
    use(hass, "yaml", ResourceYAMLCollection([OTHER]))
    entry = await begin(hass, simulator, "twilio")
    issue = issues.async_get_issue(DOMAIN, ISSUE)
    assert issue is not None
    assert issue.translation_placeholders == {"lines": f"- url: {URL}\n  type: module"}

    use(hass, "yaml", ResourceYAMLCollection([OTHER, {"url": URL, "type": "module"}]))
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues.async_get_issue(DOMAIN, ISSUE) is None

    use(hass, "yaml", ResourceYAMLCollection([]))
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert issues.async_get_issue(DOMAIN, ISSUE) is not None
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues.async_get_issue(DOMAIN, ISSUE) is None


@pytest.mark.usefixtures("home_url")
async def test_a_home_without_dashboards_needs_no_card(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """And nothing fails for it."""
    entry = await begin(hass, simulator, "twilio")
    await hass.config_entries.async_remove(entry.entry_id)
    assert ir.async_get(hass).async_get_issue(DOMAIN, ISSUE) is None


def test_the_card_is_small() -> None:
    """A dashboard on a phone loads it."""
    assert FILE.stat().st_size <= 60_000


def test_the_card_counts_what_the_integration_counts() -> None:
    """The card's own tests compare it with this file."""
    counted = json.loads((ROOT / "frontend/test/segments.json").read_text("utf-8"))
    for each in counted:
        expected = count_segments(each["text"])
        assert (each["segments"], each["foreign"]) == (
            expected.segments,
            expected.foreign,
        )


def test_the_card_simplifies_what_the_integration_simplifies() -> None:
    """Each character is in the file that the card's own tests compare it with."""
    known = json.loads((ROOT / "frontend/test/simplified.json").read_text("utf-8"))
    assert {each["text"]: each["plain"] for each in known} == {
        each["text"]: simplify(each["text"]) for each in known
    }
    changed = {each for each in map(chr, range(0x10000)) if simplify(each) != each}
    assert changed <= set("".join(each["text"] for each in known))


def test_the_lock_file_names_no_registry() -> None:
    """Who builds the card may have another."""
    assert "resolved" not in (ROOT / "frontend/package-lock.json").read_text("utf-8")
