"""What a home may send: as the options say, and no word of it is lost."""

from contextlib import suppress
from datetime import timedelta
import sqlite3
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util, slugify
import pytest

from custom_components.virtual_sms.actions.limits import get_limits
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.issues import Problem, issue_id
from custom_components.virtual_sms.store.usage import Limits
from tests.home import RECIPIENT, listen, send, settle

if TYPE_CHECKING:
    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.components.repairs import RepairsFlowManager
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

OTHERS = [f"+3361234{number}" for number in range(5000, 5006)]
FANCY = "\u00ab\u00a0L\u2019eau monte\u2026\u00a0\u00bb \u2014 \u00e9\u00e0"
PLAIN = '"L\'eau monte..." - éà'


async def limit(hass: HomeAssistant, entry: ConfigEntry, **limits: int) -> None:
    """Set limits in the options."""
    flow = hass.config_entries.options
    result = await flow.async_init(entry.entry_id)
    result = await flow.async_configure(result["flow_id"], {"limits": limits})
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done(wait_background_tasks=True)


def has_issue(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Say whether the repair is shown."""
    found = issue_id(entry, Problem.LIMIT_REACHED)
    return ir.async_get(hass).async_get_issue(DOMAIN, found) is not None


def texts(sim: Simulator, provider: str) -> list[str]:
    """List what was sent."""
    return [each.text for each in sim.providers[provider].messages]


async def test_limits_have_defaults(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """100 segments an hour, 300 a day, any number a month, 5 equal texts."""
    assert get_limits(entry) == Limits(hour=100, day=300, month=None, repeats=5)
    await limit(hass, entry, limit_hour=7, limit_month=9)
    assert get_limits(entry) == Limits(hour=7, day=300, month=9, repeats=5)
    assert type(entry.options["limits"]["limit_hour"]) is int


async def test_limits_stay_where_none_are_sent(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """Who changes another option, and does not unfold the limits, keeps them."""
    await limit(hass, entry, limit_hour=7, limit_month=9)
    flow = hass.config_entries.options
    result = await flow.async_init(entry.entry_id)
    await flow.async_configure(result["flow_id"], {"privacy": "masked"})
    await hass.async_block_till_done()
    assert entry.options["privacy"] == "masked"
    assert get_limits(entry) == Limits(hour=7, day=300, month=9, repeats=5)


async def test_the_options_show_the_limits(
    hass: HomeAssistant, entry: ConfigEntry
) -> None:
    """Those that were chosen are suggested the next time."""
    await limit(hass, entry, limit_hour=7)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    section = result["data_schema"].schema["limits"]
    suggested = {
        str(key): (key.description or {}).get("suggested_value")
        for key in section.schema.schema
    }
    assert suggested["limit_hour"] == 7
    assert suggested["limit_day"] == 300


async def test_what_fits_is_sent(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """The rest is refused as limited, before anything is written down or asked."""
    await limit(hass, entry, limit_hour=4)
    heard = listen(hass)
    answers = await send(hass, entry, to=OTHERS)
    await settle(hass, simulator)
    refused = [each for each in answers if "error" in each]
    assert [each["to"] for each in refused] == OTHERS[4:]
    assert {each["reason"] for each in refused} == {"limited"}
    assert "per hour" in refused[0]["error"]
    assert len(texts(simulator, provider)) == 4
    assert {each["recipient"] for each in heard.statuses} == set(OTHERS[:4])
    assert has_issue(hass, entry)


async def test_beyond_a_limit_the_action_fails(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It names which limit it is, and until when."""
    await limit(hass, entry, limit_repeats=1)
    await send(hass, entry)
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, entry)
    assert caught.value.translation_key == "limit_reached"
    details = (caught.value.translation_placeholders or {})["details"]
    assert "the same text too often" in details
    end = dt_util.now() + timedelta(minutes=10)
    assert f"{end:%H:%M}" in details or f"{end:%Y-%m-%d}" in details
    await settle(hass, simulator)


async def test_a_month_ends_where_the_home_is(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """The error names the day."""
    await limit(hass, entry, limit_month=1)
    await send(hass, entry)
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, entry, message="Again")
    first = (dt_util.now().replace(day=1) + timedelta(days=32)).replace(day=1)
    details = (caught.value.translation_placeholders or {})["details"]
    assert f"{first:%Y-%m-%d} 00:00" in details
    await settle(hass, simulator)


async def test_what_never_fits_says_so(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """There is nothing to wait for."""
    await limit(hass, entry, limit_day=1)
    with pytest.raises(HomeAssistantError) as caught:
        await send(hass, entry, message="x" * 200)
    assert "Shorten it" in str(caught.value.translation_placeholders)


async def test_critical_messages_have_a_reserve(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Each limit a second time; the classic action is limited like ours."""
    await limit(hass, entry, limit_hour=1)
    await send(hass, entry, message="a")
    action = slugify(entry.title)
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "notify", action, {"message": "b", "target": RECIPIENT}, blocking=True
        )
    await send(hass, entry, message="c", critical=True)
    assert has_issue(hass, entry)
    with pytest.raises(HomeAssistantError):
        await send(hass, entry, message="d", critical=True)
    await settle(hass, simulator)
    assert sorted(texts(simulator, provider)) == ["a", "c"]


async def test_the_repair_opens_the_window_anew(
    hass: HomeAssistant,
    manager: RepairsFlowManager,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
) -> None:
    """Submit lets the number send again; a message that goes out takes it back too."""
    await limit(hass, entry, limit_hour=1)
    await send(hass, entry, message="a")
    with pytest.raises(HomeAssistantError):
        await send(hass, entry, message="b")
    issue = issue_id(entry, Problem.LIMIT_REACHED)
    context: Any = {"issue_id": issue}
    result = await manager.async_init(DOMAIN, context=context, data={"issue_id": issue})
    assert "per hour" in result["description_placeholders"]["sentence"]
    result = await manager.async_configure(result["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not has_issue(hass, entry)
    await send(hass, entry, message="c")
    await settle(hass, simulator)
    assert sorted(texts(simulator, provider)) == ["a", "c"]


async def test_the_repair_says_that_the_disk_is_full(
    hass: HomeAssistant, manager: RepairsFlowManager, entry: ConfigEntry
) -> None:
    """It stays, and the number stays closed, until Submit can be written down."""
    await limit(hass, entry, limit_repeats=1)
    for _ in range(2):
        with suppress(HomeAssistantError):
            await send(hass, entry)
    issue = issue_id(entry, Problem.LIMIT_REACHED)
    context: Any = {"issue_id": issue}
    result = await manager.async_init(DOMAIN, context=context, data={"issue_id": issue})
    with patch(
        "custom_components.virtual_sms.store.usage_rows._open_anew",
        side_effect=sqlite3.OperationalError("database or disk is full"),
    ):
        result = await manager.async_configure(result["flow_id"], {})
    assert result["errors"] == {"base": "failed"}
    assert "disk" in result["description_placeholders"]["reason"]
    assert has_issue(hass, entry)
    with pytest.raises(HomeAssistantError):
        await send(hass, entry)


async def test_a_reached_limit_comes_and_goes(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry
) -> None:
    """The repair goes when a message finds room again."""
    await limit(hass, entry, limit_repeats=1)
    await send(hass, entry, message="a")
    with pytest.raises(HomeAssistantError):
        await send(hass, entry, message="a")
    assert has_issue(hass, entry)
    await send(hass, entry, message="b")
    assert not has_issue(hass, entry)
    await settle(hass, simulator)


# What a text costs


@pytest.mark.parametrize(
    ("option", "asked", "text"),
    [
        (None, None, PLAIN),
        (True, False, FANCY),
        (False, None, FANCY),
        (False, True, PLAIN),
    ],
)
async def test_texts_are_simplified(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: ConfigEntry,
    provider: str,
    *,
    option: bool | None,
    asked: bool | None,
    text: str,
) -> None:
    """As asked, else as the option says, which is on."""
    if option is not None:
        hass.config_entries.async_update_entry(entry, options={"simplify": option})
    more = {} if asked is None else {"simplify": asked}
    [answer] = await send(hass, entry, message=FANCY, **more)
    await settle(hass, simulator)
    assert texts(simulator, provider) == [text]
    assert answer["encoding"] == ("GSM-7" if text == PLAIN else "UCS-2")


async def test_no_more_segments_than_wanted(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """A longer text is refused for all, before anything is sent."""
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, entry, message="x" * 161, max_segments=1)
    assert caught.value.translation_key == "too_many_segments"
    assert caught.value.translation_placeholders == {"segments": "2", "most": "1"}
    await send(hass, entry, message="x" * 160, max_segments=1)
    await settle(hass, simulator)
    assert len(texts(simulator, provider)) == 1


async def test_a_dry_run_sends_nothing(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """It tells what a text costs, what makes it dear, and who would be refused."""
    await limit(hass, entry, limit_hour=1)
    to = [RECIPIENT, "grandma", OTHERS[0]]
    answers = await send(
        hass, entry, to=to, message=FANCY, simplify=False, dry_run=True
    )
    cost = {
        "contact": None,
        "line": entry.entry_id,
        "segments": 1,
        "encoding": "UCS-2",
        "offending": ["«", "\u00a0", "\u2019", "\u2026", "»", "\u2014"],
    }
    assert answers[0] == {"to": RECIPIENT, "refusal": None, **cost}
    assert [each["refusal"] for each in answers] == [None, "invalid_number", "limited"]
    assert "per hour" in answers[2]["error"]
    for _ in range(3):
        [answer] = await send(
            hass, entry, message="x" * 161, max_segments=1, dry_run=True, critical=True
        )
        assert answer["refusal"] == "too_long"
    [answer] = await send(hass, entry, message="x" * 5000, dry_run=True)
    assert answer["refusal"] == "other"
    await settle(hass, simulator)
    assert not texts(simulator, provider)
    assert not has_issue(hass, entry)
    await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"config_entry_id": entry.entry_id, "to": to, "message": "a", "dry_run": True},
        blocking=True,
    )
    assert not texts(simulator, provider)


# Consent


async def test_who_has_opted_out_is_not_texted(
    hass: HomeAssistant, simulator: Simulator, entry: ConfigEntry, provider: str
) -> None:
    """Refused before it costs, critical or not, until they want to be again."""
    heard = listen(hass)
    simulator.providers[provider].receive(RECIPIENT, " arrêt ")
    await settle(hass, simulator)
    assert heard.texts == [" arrêt "]
    [answer, other] = await send(hass, entry, to=[RECIPIENT, OTHERS[0]], critical=True)
    assert answer["reason"] == "opted_out"
    assert "error" not in other
    [foreseen] = await send(hass, entry, dry_run=True)
    assert foreseen["refusal"] == "opted_out"
    simulator.providers[provider].receive(RECIPIENT, "Start")
    await settle(hass, simulator)
    await send(hass, entry)
    await settle(hass, simulator)
    assert [each.to for each in simulator.providers[provider].messages] == [
        OTHERS[0],
        RECIPIENT,
    ]
