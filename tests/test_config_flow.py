"""The config flow, each path of it, against the simulator."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.base import SmsAdapter
from custom_components.virtual_sms.adapters.errors import (
    CallbackRejectedError,
    MissingRightsError,
    ProviderUnavailableError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import (
    AuthorizationState,
    AuthorizationStatus,
)
from custom_components.virtual_sms.const import (
    CONF_CALLBACK_URL,
    CONF_CREDENTIALS,
    CONF_MODE,
    CONF_NUMBER,
    CONF_PREVIOUS_CALLBACKS,
    DOMAIN,
)
from custom_components.virtual_sms.flows import credentials as flow_access
from custom_components.virtual_sms.flows.credential_form import CredentialForm
from simulator import FaultKind
from simulator.ovh import Service

from .cloud import Cloud
from .set_up import answer, credentials, set_up, start, to_callbacks, to_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezegun.api import FrozenDateTimeFactory
    from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
    from homeassistant.core import HomeAssistant
    from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

    from simulator import Simulator

PROVIDERS = sorted(ADAPTERS)
FOREIGN = "https://another.example/sms"
TROUBLE = {
    FaultKind.REFUSED: "cannot_connect",
    FaultKind.SLOW: "cannot_connect",
    FaultKind.SERVER_ERROR: "cannot_connect",
    FaultKind.BAD_GATEWAY: "cannot_connect",
    FaultKind.GARBAGE: "cannot_connect",
    FaultKind.RATE_LIMITED: "rate_limited",
}
SECRETS = {
    "twilio": {"auth_token", "api_key_secret"},
    "ovh": {"application_secret", "consumer_key"},
}


@pytest.fixture(autouse=True)
def no_setup() -> Iterator[None]:
    """Leave the entries that the flow makes alone."""
    with (
        patch("custom_components.virtual_sms.async_setup_entry", return_value=True),
        patch("custom_components.virtual_sms.async_unload_entry", return_value=True),
    ):
        yield


def unique_id(sim: Simulator, provider: str, number: str) -> str:
    """Return what a number of the simulator is known by."""
    account = {"twilio": sim.twilio.ACCOUNT_SID, "ovh": sim.ovh.SERVICE}[provider]
    return f"{provider}:{account}:{number}"


def registered(sim: Simulator, provider: str) -> set[str | None]:
    """Return the URLs that stand at the provider, for all that can be set."""
    if provider == "twilio":
        return {sim.twilio.numbers[sim.twilio.NUMBER].sms_url or None}
    return {sim.ovh.service.cgi_url or None, sim.ovh.service.call_back or None}


def place(sim: Simulator, provider: str, url: str) -> None:
    """Put a URL at the provider, as another application would."""
    if provider == "twilio":
        sim.twilio.numbers[sim.twilio.NUMBER].sms_url = url
    else:
        sim.ovh.service.response_type, sim.ovh.service.cgi_url = "cgi", url


def shown(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form suggests, its sections unfolded."""
    values: dict[str, Any] = {}
    for key, field in result["data_schema"].schema.items():
        inner = field.schema.schema if str(key) == "advanced" else {key: field}
        for each in inner:
            if each.description:
                values[str(each)] = each.description["suggested_value"]
    return values


def options(result: ConfigFlowResult) -> list[str]:
    """Return the numbers that the form offers."""
    config = result["data_schema"].schema["number"].config
    return [option["value"] for option in config["options"]]


def expect_form(
    result: ConfigFlowResult, step: str, errors: dict[str, str] | None = None
) -> None:
    """Check which form is shown, and with which errors."""
    assert result["type"] is FlowResultType.FORM, result
    assert (result["step_id"], result["errors"] or {}) == (step, errors or {})


def expect_abort(result: ConfigFlowResult, reason: str) -> None:
    """Check that the flow has ended, and why."""
    assert result["type"] is FlowResultType.ABORT, result
    assert result["reason"] == reason


async def test_menu_offers_every_provider(hass: HomeAssistant) -> None:
    """The flow begins with the question of the provider."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert (result["step_id"], sorted(result["menu_options"])) == ("user", PROVIDERS)


@pytest.mark.parametrize("mode", ["automatic", "manual", "polling"])
async def test_number_is_set_up(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str, mode: str
) -> None:
    """Each provider and way to receive makes a complete entry, and sets its URL."""
    entry = await set_up(hass, simulator, provider, mode=mode, name=" Home ")

    number = simulator.providers[provider].number
    assert (entry.title, entry.domain) == ("Home", DOMAIN)
    assert entry.unique_id == unique_id(simulator, provider, number)
    webhook_id = entry.data[CONF_WEBHOOK_ID]
    url = f"{home_url}/api/webhook/{webhook_id}"
    _, account, _ = entry.unique_id.split(":")
    assert entry.data == {
        "provider": provider,
        "credentials": {
            **simulator.providers[provider].credentials,
            "api_url": simulator.url,
        },
        "account": account,
        "number": number,
        "webhook_id": webhook_id,
        "mode": mode,
    } | ({} if mode == "polling" else {"callback_url": url})
    expected = {url} if mode == "automatic" else {None}
    assert registered(simulator, provider) == expected


@pytest.mark.parametrize("name", ["  ", " \u200b"])
async def test_number_is_the_title_without_a_name(
    hass: HomeAssistant, simulator: Simulator, provider: str, name: str
) -> None:
    """A name of which nobody sees anything is no name."""
    entry = await set_up(hass, simulator, provider, mode="polling", name=name)
    assert entry.title == simulator.providers[provider].number


async def test_what_nobody_sees_in_pasted_keys_does_no_harm(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """Blanks and invisible signs are not stored, empty fields not at all."""
    typed = credentials(simulator, provider)
    typed = {
        key: f" \u202a{value[:4]}\u200b{value[4:]}\u00a0\ufeff\n"
        if isinstance(value, str)
        else value
        for key, value in typed.items()
    }
    typed["advanced"] = dict.fromkeys(typed["advanced"], "  ")
    with patch.object(SmsAdapter, "base_url", simulator.url):
        result = await answer(hass, await start(hass, provider), **typed)
    number = simulator.providers[provider].number
    result = await answer(hass, result, number=number)
    result = await answer(hass, result, mode="polling")
    stored = result["result"].data[CONF_CREDENTIALS]
    assert stored == simulator.providers[provider].credentials


@pytest.mark.parametrize(
    ("provider", "changes", "error"),
    [
        ("twilio", {"account_sid": "AC" + "00" * 16}, "invalid_auth"),
        ("twilio", {"auth_token": "wrong"}, "invalid_auth"),
        (
            "twilio",
            {"api_key_sid": "SK" + "00" * 16, "api_key_secret": "wrong"},
            "invalid_auth",
        ),
        ("twilio", {"api_key_sid": "SK" + "1b" * 16}, "api_key_incomplete"),
        ("twilio", {"api_key_secret": "standard-key-secret"}, "api_key_incomplete"),
        ("twilio", {"api_url": "http://127.0.0.1:1"}, "cannot_connect"),
        ("twilio", {"api_url": "no address"}, "cannot_connect"),
        ("ovh", {"application_key": "wrong"}, "invalid_auth"),
        ("ovh", {"application_secret": "wrong"}, "invalid_auth"),
        ("ovh", {"consumer_key": "wrong"}, "invalid_auth"),
        ("ovh", {"consumer_key": "simconsumerkeylimited00000000000"}, "missing_rights"),
        ("ovh", {"service_name": "sms-zz99999-1"}, "not_found"),
        ("ovh", {"api_url": "http://127.0.0.1:1"}, "cannot_connect"),
        ("ovh", {"api_url": "no address"}, "cannot_connect"),
    ],
)
async def test_wrong_credentials(
    hass: HomeAssistant,
    simulator: Simulator,
    provider: str,
    changes: dict[str, str],
    error: str,
) -> None:
    """Whatever is wrong is said in the form, which can be sent again."""
    result = await to_number(hass, simulator, provider, **changes)
    expect_form(result, provider, {"base": error})
    assert changes.items() <= shown(result).items()

    result = await answer(hass, result, **credentials(simulator, provider))
    expect_form(result, "number")


@pytest.mark.parametrize("kind", TROUBLE)
async def test_provider_in_trouble(
    hass: HomeAssistant, simulator: Simulator, provider: str, kind: FaultKind
) -> None:
    """A provider that is down, slow or strange is said to be, and asked again."""
    simulator.faults.add(kind, delay=1)
    with patch.object(SmsAdapter, "timeout", 0.5):
        result = await to_number(hass, simulator, provider)
    expect_form(result, provider, {"base": TROUBLE[kind]})

    simulator.faults.clear()
    result = await answer(hass, result, **credentials(simulator, provider))
    expect_form(result, "number")


async def test_suspended_account(hass: HomeAssistant, simulator: Simulator) -> None:
    """An account that is closed is not mistaken for a wrong password."""
    simulator.twilio.suspended = True
    result = await to_number(hass, simulator, "twilio")
    expect_form(result, "twilio", {"base": "account_suspended"})

    simulator.twilio.suspended = False
    result = await answer(hass, result, **credentials(simulator, "twilio"))
    expect_form(result, "number")


async def test_account_without_numbers(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """Without a number that can text there is nothing to set up."""
    for number in simulator.twilio.numbers.values():
        number.sms = False
    simulator.ovh.service.numbers = ()
    result = await to_number(hass, simulator, provider)
    expect_form(result, provider, {"base": "no_numbers"})

    simulator.reset()
    result = await answer(hass, result, **credentials(simulator, provider))
    expect_form(result, "number")


async def test_typographic_dashes_in_a_pasted_name(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A text processor turns the dashes of a name into others."""
    name = simulator.ovh.SERVICE.replace("-", "\u2011", 1).replace("-", "\u2013")
    result = await to_number(hass, simulator, "ovh", service_name=name)
    result = await answer(hass, result, number=simulator.ovh.NUMBER)
    result = await answer(hass, result, mode="polling")
    stored = result["result"].data[CONF_CREDENTIALS]
    assert stored["service_name"] == simulator.ovh.SERVICE


async def test_key_for_one_ovh_service(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A key that may use one service works once that service is named."""
    result = await to_number(
        hass,
        simulator,
        "ovh",
        consumer_key=simulator.ovh.LIMITED_CONSUMER_KEY,
        service_name=simulator.ovh.SERVICE,
    )
    expect_form(result, "number")


async def test_twilio_api_key(hass: HomeAssistant, simulator: Simulator) -> None:
    """A whole API key is used and stored."""
    result = await to_number(
        hass,
        simulator,
        "twilio",
        api_key_sid=simulator.twilio.API_KEY_SID,
        api_key_secret=simulator.twilio.API_KEY_SECRET,
    )
    expect_form(result, "number")


@pytest.mark.parametrize("err", [RuntimeError, CallbackRejectedError])
async def test_unexpected_failure(
    hass: HomeAssistant,
    simulator: Simulator,
    caplog: pytest.LogCaptureFixture,
    err: type[Exception],
) -> None:
    """What nobody foresaw is logged, and the form stays."""
    with patch.object(ADAPTERS["twilio"], "get_account", side_effect=err):
        result = await to_number(hass, simulator, "twilio")
    expect_form(result, "twilio", {"base": "unknown"})
    assert err.__name__ in caplog.text

    result = await answer(hass, result, **credentials(simulator, "twilio"))
    expect_form(result, "number")


async def test_form_hides_advanced_fields(hass: HomeAssistant, provider: str) -> None:
    """Rare fields are folded away, and secrets are typed unseen."""
    result = await start(hass, provider)
    schema = result["data_schema"].schema
    assert schema["advanced"].options == {"collapsed": True}
    fields = {**schema, **schema["advanced"].schema.schema}
    types = {
        str(key): field.config["type"]
        for key, field in fields.items()
        if str(key) != "advanced"
    }
    assert types.pop("api_url") == "url"
    assert {key for key, kind in types.items() if kind == "password"} == SECRETS[
        provider
    ]
    assert set(types) | {"api_url"} == {
        field.key for field in ADAPTERS[provider].credential_fields
    }


async def test_what_was_typed_stays_in_sight(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """What an error may be about is not folded away again."""
    simulator.faults.add(FaultKind.SERVER_ERROR)
    result = await to_number(hass, simulator, provider)
    expect_form(result, provider, {"base": "cannot_connect"})
    schema = result["data_schema"].schema
    assert schema["advanced"].options == {"collapsed": False}


async def test_configured_numbers_are_hidden(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """Only numbers that can text and are not set up are offered; then none is left."""
    result = await to_number(hass, simulator, provider)
    first, second = options(result)
    assert simulator.twilio.VOICE_ONLY_NUMBER not in (first, second)
    hass.config_entries.flow.async_abort(result["flow_id"])

    await set_up(hass, simulator, provider, mode="polling", number=first)
    result = await to_number(hass, simulator, provider)
    assert options(result) == [second]
    with pytest.raises(InvalidData):
        await answer(hass, result, number=first)
    hass.config_entries.flow.async_abort(result["flow_id"])

    await set_up(hass, simulator, provider, mode="polling", number=second)
    expect_abort(await to_number(hass, simulator, provider), "already_configured")


async def test_number_shows_its_name(hass: HomeAssistant, simulator: Simulator) -> None:
    """A number is labelled with the name that it has at the provider."""
    simulator.twilio.numbers[simulator.twilio.NUMBER].friendly_name = "Front door"
    result = await to_number(hass, simulator, "twilio")
    labels = [
        option["label"]
        for option in result["data_schema"].schema["number"].config["options"]
    ]
    assert f"Front door ({simulator.twilio.NUMBER})" in labels
    assert simulator.twilio.SMS_ONLY_NUMBER in labels


async def test_number_set_up_meanwhile(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """Two windows do not set the same number up twice, nor touch its URL."""
    number = simulator.providers[provider].number
    result = await to_number(hass, simulator, provider)
    at_callbacks = await to_callbacks(hass, simulator, provider)
    # A window that was closed half-way does not keep the number for itself.
    result = await answer(hass, result, number=number)
    assert result["step_id"] == "callbacks"

    MockConfigEntry(
        domain=DOMAIN, unique_id=unique_id(simulator, provider, number)
    ).add_to_hass(hass)
    for flow, mode in ((at_callbacks, "automatic"), (result, "polling")):
        expect_abort(await answer(hass, flow, mode=mode), "already_configured")
    assert registered(simulator, provider) == {None}


async def test_number_configured_while_choosing(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """A number that was free when the form was shown may not be any more."""
    result = await to_number(hass, simulator, provider)
    number = simulator.providers[provider].number
    MockConfigEntry(
        domain=DOMAIN, unique_id=unique_id(simulator, provider, number)
    ).add_to_hass(hass)
    expect_abort(await answer(hass, result, number=number), "already_configured")


async def test_number_is_typed_where_listing_is_forbidden(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What cannot be listed is typed, in any spelling that can be read."""
    hass.config.country = "FR"
    adapter = ADAPTERS["ovh"]
    with patch.object(adapter, "list_numbers", side_effect=MissingRightsError):
        result = await to_number(hass, simulator, "ovh")
    expect_form(result, "number")
    result = await answer(hass, result, number="my number", name="Home")
    expect_form(result, "number", {"number": "invalid_number"})
    assert shown(result) == {"number": "my number", "name": "Home"}

    result = await answer(hass, result, number="09 00 00 00 01")
    result = await answer(hass, result, mode="polling")
    assert result["result"].data[CONF_NUMBER] == simulator.ovh.NUMBER


async def test_restricted_twilio_key(hass: HomeAssistant, simulator: Simulator) -> None:
    """A key that may send but not list works with a number that is typed."""
    result = await to_number(
        hass,
        simulator,
        "twilio",
        api_key_sid=simulator.twilio.RESTRICTED_KEY_SID,
        api_key_secret=simulator.twilio.RESTRICTED_KEY_SECRET,
    )
    expect_form(result, "number")
    assert options(result) == []
    result = await answer(hass, result, number=simulator.twilio.NUMBER)
    result = await answer(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("external_url", "mode"),
    [
        (None, "polling"),
        ("http://home.example", "polling"),
        ("https://192.0.2.1", "polling"),
        ("https://home.example", "automatic"),
    ],
)
async def test_default_way_to_receive(
    hass: HomeAssistant, simulator: Simulator, external_url: str | None, mode: str
) -> None:
    """Callbacks are proposed where the provider surely gets through."""
    hass.config.external_url = external_url
    result = await to_callbacks(hass, simulator, "twilio")
    expect_form(result, "callbacks")
    (key,) = result["data_schema"].schema
    assert key.default() == mode
    shown = result["description_placeholders"]
    assert shown == {"address": external_url or "–"}


@pytest.mark.parametrize("mode", ["automatic", "manual"])
async def test_home_without_public_url(
    hass: HomeAssistant, simulator: Simulator, provider: str, mode: str
) -> None:
    """Where nobody can call, the form says so, and polling still works."""
    result = await to_callbacks(hass, simulator, provider)
    result = await answer(hass, result, mode=mode)
    expect_form(result, "callbacks", {"base": "no_public_url"})

    result = await answer(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert CONF_CALLBACK_URL not in result["data"]


async def test_url_would_be_ignored(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """Where an application overrules the number's URL, the form explains that."""
    number = simulator.twilio.numbers[simulator.twilio.NUMBER]
    number.sms_application_sid = "AP" + "0" * 32
    result = await to_callbacks(hass, simulator, "twilio")
    result = await answer(hass, result, mode="automatic")
    expect_form(result, "callbacks", {"base": "callbacks_overruled"})
    assert not number.sms_url
    number.sms_application_sid = ""
    result = await answer(hass, result, mode="automatic")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.RATE_LIMITED])
async def test_url_cannot_be_set(
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    provider: str,
    kind: FaultKind,
) -> None:
    """Where the URL cannot be set no entry is made, until it can."""
    result = await to_callbacks(hass, simulator, provider)
    simulator.faults.add(kind)
    result = await answer(hass, result, mode="automatic")
    expect_form(result, "callbacks", {"base": TROUBLE[kind]})
    assert not hass.config_entries.async_entries(DOMAIN)

    simulator.faults.clear()
    result = await answer(hass, result, mode="automatic")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert registered(simulator, provider) == {result["data"][CONF_CALLBACK_URL]}


def rights(sim: Simulator, *left_out: str) -> str:
    """Grant a key all that a number needs, but for some methods, and return it."""
    own = f"/sms/{sim.ovh.SERVICE}"
    methods = {"GET", "POST", "PUT"}.difference(left_out)
    rules = [(each, path) for each in methods for path in (own, f"{own}/*")]
    sim.ovh.auth.add("partial", (("GET", "/sms"), ("GET", "/sms/*"), *rules))
    return "partial"


def named(result: ConfigFlowResult) -> str:
    """Return the rights that a form says are missing."""
    return (result["description_placeholders"] or {})["rights"]


async def test_key_that_may_not_send(hass: HomeAssistant, simulator: Simulator) -> None:
    """A key that can list but not send is refused at once, and what it lacks is named."""
    ovh = simulator.ovh
    for key in (ovh.READ_ONLY_CONSUMER_KEY, rights(simulator, "POST")):
        result = await to_number(hass, simulator, "ovh", consumer_key=key)
        expect_form(result, "ovh", {"base": "missing_rights"})
        send = f"POST /sms/{ovh.SERVICE}/virtualNumbers/{ovh.NUMBER}/jobs"
        assert named(result) == send
        result = await answer(hass, result, **credentials(simulator, "ovh"))
        expect_form(result, "number")


async def test_one_service_stops_no_other(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A service that has expired and sorts first leaves the others to be set up."""
    ovh, first = simulator.ovh, "sms-ab00000-1"
    ovh.services[first] = Service(name=first, numbers=("+33900000009",), expired=True)
    entry = await set_up(hass, simulator, "ovh", mode="polling")
    assert entry.data[CONF_NUMBER] == ovh.NUMBER


async def test_number_without_rights_stops_no_other(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A key that may use a later service only goes on, and its number is set up."""
    ovh, first = simulator.ovh, "sms-ab00000-1"
    ovh.services[first] = Service(name=first, numbers=("+33900000009",))
    result = await to_number(hass, simulator, "ovh", consumer_key=rights(simulator))
    expect_form(result, "number")
    refused = await answer(hass, result, number="+33900000009")
    expect_form(refused, "number", {"base": "missing_rights"})
    result = await answer(hass, refused, number=ovh.NUMBER)
    expect_form(result, "callbacks")


async def test_key_that_may_not_list_accounts(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What a refused call would have needed is named as well."""
    key = simulator.ovh.LIMITED_CONSUMER_KEY
    result = await to_number(hass, simulator, "ovh", consumer_key=key)
    expect_form(result, "ovh", {"base": "missing_rights"})
    assert named(result) == "GET /sms"


async def test_key_that_may_not_set_the_url(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """A key that may do all else is good for the other ways to receive."""
    key = rights(simulator, "PUT")
    result = await to_number(hass, simulator, "ovh", consumer_key=key)
    result = await answer(hass, result, number=simulator.ovh.NUMBER)
    result = await answer(hass, result, mode="automatic")
    expect_form(result, "callbacks", {"base": "missing_rights"})
    assert named(result) == f"PUT /sms/{simulator.ovh.SERVICE}"

    result = await answer(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_rights_of_a_number_that_is_typed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Which rights are needed is known once the number is."""
    ovh, own = simulator.ovh, f"/sms/{simulator.ovh.SERVICE}"
    line = f"{own}/virtualNumbers/{ovh.NUMBER}"
    reading = [("GET", path) for path in ("/sms", own, f"{line}/*")]
    ovh.auth.add("narrow", (*reading, ("POST", f"{line}/jobs")))
    result = await to_number(
        hass, simulator, "ovh", consumer_key="narrow", service_name=ovh.SERVICE
    )
    expect_form(result, "number")
    assert options(result) == []
    result = await answer(hass, result, number=ovh.SECOND_NUMBER)
    expect_form(result, "number", {"base": "missing_rights"})
    assert ovh.SECOND_NUMBER in named(result)
    result = await answer(hass, result, number=ovh.NUMBER)
    expect_form(result, "callbacks")


async def test_rights_that_cannot_be_looked_up(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Nobody is refused for what is not known."""
    simulator.faults.add(FaultKind.SERVER_ERROR, path="/auth/currentCredential")
    key = rights(simulator, "POST")
    result = await to_number(hass, simulator, "ovh", consumer_key=key)
    expect_form(result, "number")


async def test_restricted_key_without_the_numbers(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An API key for something else names the first right that it lacks."""
    with patch("simulator.twilio.api.RESTRICTED_TO", "/Calls"):
        result = await to_number(
            hass,
            simulator,
            "twilio",
            api_key_sid=simulator.twilio.RESTRICTED_KEY_SID,
            api_key_secret=simulator.twilio.RESTRICTED_KEY_SECRET,
        )
    expect_form(result, "twilio", {"base": "missing_rights"})
    assert named(result) == "GET /Messages.json"


async def test_manual_shows_the_url(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """The URL that is shown is the one that the entry keeps."""
    result = await to_callbacks(hass, simulator, provider)
    result = await answer(hass, result, mode="manual")
    expect_form(result, "manual")
    url = result["description_placeholders"]["callback_url"]
    assert url.startswith(f"{home_url}/api/webhook/")

    result = await answer(hass, result)
    assert result["data"][CONF_CALLBACK_URL] == url


async def test_provider_without_settable_urls(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """What a provider cannot do by machine the person does."""
    result = await to_callbacks(hass, simulator, provider)
    adapter = ADAPTERS[provider]
    with patch.object(adapter, "get_callbacks", side_effect=UnsupportedFeatureError):
        result = await answer(hass, result, mode="automatic")
    expect_form(result, "manual")
    result = await answer(hass, result)
    assert result["data"][CONF_MODE] == "manual"


async def test_foreign_url_is_not_replaced_unasked(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """Another application keeps its URL if the person says no."""
    place(simulator, provider, FOREIGN)
    result = await to_callbacks(hass, simulator, provider)
    result = await answer(hass, result, mode="automatic")
    expect_form(result, "takeover")
    assert result["description_placeholders"] == {"foreign_url": FOREIGN}

    result = await answer(hass, result, confirm=False)
    expect_form(result, "callbacks")
    result = await answer(hass, result, mode="polling")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert FOREIGN in registered(simulator, provider)


async def test_foreign_url_is_replaced_and_remembered(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """With consent our URL is set, and the other one kept to be put back."""
    place(simulator, provider, FOREIGN)
    result = await to_callbacks(hass, simulator, provider)
    result = await answer(hass, result, mode="automatic")
    simulator.faults.add(FaultKind.SERVER_ERROR)
    result = await answer(hass, result, confirm=True)
    expect_form(result, "takeover", {"base": "cannot_connect"})

    simulator.faults.clear()
    result = await answer(hass, result, confirm=True)
    assert result["data"][CONF_PREVIOUS_CALLBACKS] == {
        "inbound": FOREIGN,
        "status": None,
    }
    assert registered(simulator, provider) == {result["data"][CONF_CALLBACK_URL]}


async def test_replaced_url_outlives_an_answer_that_is_lost(
    hass: HomeAssistant, simulator: Simulator, home_url: str, provider: str
) -> None:
    """A URL that was replaced is put back, though the provider's answer never came."""
    place(simulator, provider, FOREIGN)
    before = registered(simulator, provider)
    result = await to_callbacks(hass, simulator, provider)
    result = await answer(hass, result, mode="automatic")
    write = ADAPTERS[provider].set_callbacks

    async def write_in_silence(*arguments: Any) -> None:
        await write(*arguments)
        raise ProviderUnavailableError

    with patch.object(ADAPTERS[provider], "set_callbacks", write_in_silence):
        result = await answer(hass, result, confirm=True)
    expect_form(result, "takeover", {"base": "cannot_connect"})
    result = await answer(hass, result, confirm=True)
    assert await hass.config_entries.async_remove(result["result"].entry_id)
    assert registered(simulator, provider) == before


async def test_numbers_of_one_ovh_service_share_its_url(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """The URL of another number of the account is no foreign one, and stays."""
    first = await set_up(hass, simulator, "ovh")
    second = await set_up(hass, simulator, "ovh", number=simulator.ovh.SECOND_NUMBER)
    assert CONF_PREVIOUS_CALLBACKS not in second.data
    assert registered(simulator, "ovh") == {first.data[CONF_CALLBACK_URL]}


async def test_url_of_another_account_is_foreign(
    hass: HomeAssistant, simulator: Simulator, home_url: str
) -> None:
    """An entry elsewhere does not make this account's URL ours."""
    twilio = await set_up(hass, simulator, "twilio")
    place(simulator, "ovh", twilio.data[CONF_CALLBACK_URL])
    result = await to_callbacks(hass, simulator, "ovh")
    result = await answer(hass, result, mode="automatic")
    expect_form(result, "takeover")


async def test_cloud_url(
    hass: HomeAssistant, simulator: Simulator, cloud: Cloud, provider: str
) -> None:
    """With a subscription the provider calls the cloud, which stays so."""
    entry = await set_up(hass, simulator, provider)
    assert registered(simulator, provider) == {Cloud.URL}
    assert list(cloud.hooks) == [entry.data[CONF_WEBHOOK_ID]]


async def test_abandoned_cloud_url_is_deleted(
    hass: HomeAssistant, simulator: Simulator, cloud: Cloud
) -> None:
    """A flow that is closed, or ends without callbacks, leaves nothing in the cloud."""
    result = await to_callbacks(hass, simulator, "ovh")
    result = await answer(hass, result, mode="manual")
    assert cloud.hooks
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()
    assert not cloud.hooks

    place(simulator, "ovh", FOREIGN)
    result = await to_callbacks(hass, simulator, "ovh")
    result = await answer(hass, result, mode="automatic")
    result = await answer(hass, result, confirm=False)
    assert cloud.hooks
    result = await answer(hass, result, mode="polling")
    await hass.async_block_till_done()
    assert not cloud.hooks


@pytest.fixture
def short_consent() -> Iterator[None]:
    """Ask for the person's consent again at once, and not for long."""
    with (
        patch.object(flow_access, "CONSENT_PAUSE", 0.01),
        patch.object(flow_access, "CONSENT_TIMEOUT", 0.5),
    ):
        yield


async def to_authorize(
    hass: HomeAssistant, sim: Simulator, **changes: str
) -> ConfigFlowResult:
    """Leave the consumer key empty."""
    result = await to_number(hass, sim, "ovh", consumer_key="", **changes)
    assert result["type"] is FlowResultType.SHOW_PROGRESS, result
    assert (result["step_id"], result["progress_action"]) == ("authorize", "authorize")
    return result


def pending_key(sim: Simulator) -> str:
    """Return the consumer key that waits for its user."""
    keys = sim.ovh.auth.consumers.values()
    return next(each.key for each in keys if each.status == "pendingValidation")


async def go_on(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Let the progress end, and ask what is shown next."""
    await hass.async_block_till_done(wait_background_tasks=True)
    return await hass.config_entries.flow.async_configure(result["flow_id"])


@pytest.mark.usefixtures("short_consent")
async def test_access_is_allowed_by_a_click(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Without a consumer key the flow gives a link, and goes on after the click."""
    result = await to_authorize(hass, simulator)
    assert result["description_placeholders"]["url"].startswith(simulator.url)
    simulator.faults.add(FaultKind.SERVER_ERROR, times=1)
    key = pending_key(simulator)
    simulator.ovh.auth.authorize_click(key)

    result = await go_on(hass, result)
    expect_form(result, "number")
    result = await answer(hass, result, number=simulator.ovh.NUMBER)
    result = await answer(hass, result, mode="polling")
    assert result["data"][CONF_CREDENTIALS]["consumer_key"] == key


@pytest.mark.usefixtures("short_consent")
async def test_access_is_never_allowed(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Who does not click gets the form back, and a new link from it."""
    result = await to_authorize(hass, simulator)
    result = await go_on(hass, result)
    expect_form(result, "ovh", {"base": "authorization_expired"})

    typed = credentials(simulator, "ovh", consumer_key="")
    result = await answer(hass, result, **typed)
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    hass.config_entries.flow.async_abort(result["flow_id"])


@pytest.mark.usefixtures("short_consent")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (AuthorizationStatus.REFUSED, "authorization_refused"),
        (AuthorizationStatus.EXPIRED, "authorization_expired"),
    ],
)
async def test_access_is_refused(
    hass: HomeAssistant, simulator: Simulator, status: AuthorizationStatus, error: str
) -> None:
    """A refusal is shown as one, and pasting a key remains."""
    states = [
        AuthorizationState(status=each)
        for each in (AuthorizationStatus.PENDING, status)
    ]
    with patch.object(ADAPTERS["ovh"], "authorization_state", side_effect=states):
        result = await to_authorize(hass, simulator)
        result = await go_on(hass, result)
    expect_form(result, "ovh", {"base": error})
    result = await answer(hass, result, **credentials(simulator, "ovh"))
    expect_form(result, "number")


@pytest.mark.usefixtures("short_consent")
async def test_click_while_the_provider_wants_fewer_questions(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Who asks on would be refused for as long as there is a link."""
    path = "/auth/currentCredential"
    simulator.faults.add(FaultKind.RATE_LIMITED, path=path, retry_after=60)
    result = await go_on(hass, await to_authorize(hass, simulator))
    expect_form(result, "ovh", {"base": "authorization_expired"})
    assert sum(each.path.endswith(path) for each in simulator.requests) == 1


@pytest.mark.usefixtures("short_consent")
async def test_click_with_a_wrong_secret(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """The link needs no secret, so a wrong one is found after the click."""
    result = await to_authorize(hass, simulator, application_secret="wrong")
    simulator.ovh.auth.authorize_click(pending_key(simulator))
    result = await go_on(hass, result)
    expect_form(result, "ovh", {"base": "invalid_auth"})


@pytest.mark.usefixtures("short_consent")
async def test_click_that_grants_too_little(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What was taken out of the rights at the provider is named after the click."""
    result = await to_authorize(hass, simulator)
    consumer = simulator.ovh.auth.consumers[pending_key(simulator)]
    consumer.rules = tuple(rule for rule in consumer.rules if rule[0] != "POST")
    simulator.ovh.auth.authorize_click(consumer.key)
    result = await go_on(hass, result)
    expect_form(result, "ovh", {"base": "missing_rights"})
    assert named(result).startswith("POST /sms/")
    result = await answer(hass, result, **credentials(simulator, "ovh"))
    expect_form(result, "number")


async def test_link_cannot_be_had(hass: HomeAssistant, simulator: Simulator) -> None:
    """A wrong application key is found before there is a link."""
    result = await to_number(
        hass, simulator, "ovh", consumer_key="", application_key="wrong"
    )
    expect_form(result, "ovh", {"base": "invalid_auth"})


async def begin_again(
    hass: HomeAssistant, entry: ConfigEntry, source: str
) -> ConfigFlowResult:
    """Open the form of an entry that exists."""
    if source == "reauth":
        entry.async_start_reauth(hass)
        await hass.async_block_till_done()
        (flow,) = hass.config_entries.flow.async_progress()
        return await hass.config_entries.flow.async_configure(flow["flow_id"])
    return await MockConfigEntry.start_reconfigure_flow(entry, hass)


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_new_credentials(
    hass: HomeAssistant, simulator: Simulator, provider: str, source: str
) -> None:
    """The same form, pre-filled except for secrets, renews an entry."""
    entry = await set_up(hass, simulator, provider, mode="polling")
    result = await begin_again(hass, entry, source)
    expect_form(result, provider)
    filled = {
        key: value
        for key, value in entry.data[CONF_CREDENTIALS].items()
        if key not in SECRETS[provider]
    }
    assert shown(result) == filled

    simulator.faults.add(FaultKind.SERVER_ERROR)
    result = await answer(hass, result, **credentials(simulator, provider))
    expect_form(result, provider, {"base": "cannot_connect"})

    simulator.faults.clear()
    before = dict(entry.data)
    result = await answer(hass, result, **credentials(simulator, provider))
    expect_abort(result, f"{source}_successful")
    assert entry.data == before


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_rotated_token_is_kept_for_a_day(
    hass: HomeAssistant,
    simulator: Simulator,
    freezer: FrozenDateTimeFactory,
    source: str,
) -> None:
    """Callbacks signed with the old token may be under way, but not for ever."""
    freezer.move_to("2026-05-01T12:00:00+00:00")
    entry = await set_up(hass, simulator, "twilio", mode="polling")
    old = simulator.twilio.auth_token
    ends = iter(["2026-05-02T12:00:00+00:00", "2026-05-02T13:00:00+00:00"])
    for new, previous in (("88" * 16, old), ("99" * 16, "88" * 16)):
        simulator.twilio.auth_token, until = new, next(ends)
        for minutes in (0, 60):
            result = await begin_again(hass, entry, source)
            await answer(hass, result, **credentials(simulator, "twilio"))
            await hass.async_block_till_done()
            stored = entry.data[CONF_CREDENTIALS]
            assert stored["auth_token"] == new
            assert stored["previous_auth_token"] == previous
            assert stored["previous_auth_token_until"] == until
            freezer.tick(timedelta(minutes=minutes))


async def test_previous_token_without_an_end_is_over(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What an older version kept for ever goes when the form is sent again."""
    entry = await set_up(hass, simulator, "twilio", mode="polling")
    stored = {**entry.data[CONF_CREDENTIALS], "previous_auth_token": "77" * 16}
    data = {**entry.data, CONF_CREDENTIALS: stored}
    hass.config_entries.async_update_entry(entry, data=data)
    result = await begin_again(hass, entry, "reconfigure")
    await answer(hass, result, **credentials(simulator, "twilio"))
    assert "previous_auth_token" not in entry.data[CONF_CREDENTIALS]


def test_token_of_another_account_is_not_kept() -> None:
    """It signs nothing that is meant for the new one."""
    fields = ADAPTERS["twilio"].credential_fields
    stored = {"account_sid": "AC1", "auth_token": "old"}
    typed = {"account_sid": "AC2", "auth_token": "new"}
    form = CredentialForm(fields=fields, stored=stored)
    assert form.complete(typed, renews=False) == typed


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_folded_fields_stay(
    hass: HomeAssistant, simulator: Simulator, provider: str, source: str
) -> None:
    """Who does not send the folded section at all has changed nothing in it."""
    entry = await set_up(hass, simulator, provider, mode="polling")
    before = dict(entry.data)
    typed = credentials(simulator, provider)
    del typed["advanced"]
    result = await begin_again(hass, entry, source)
    expect_abort(await answer(hass, result, **typed), f"{source}_successful")
    assert entry.data == before


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_empty_secrets_stay(
    hass: HomeAssistant, simulator: Simulator, provider: str, source: str
) -> None:
    """Who changes something else need not type the secrets again.

    At OVHcloud a key that is refused is renewed by a click.
    """
    entry = await set_up(hass, simulator, provider, mode="polling")
    before = dict(entry.data)
    typed = credentials(simulator, provider)
    for key in SECRETS[provider]:
        typed.pop(key, None)
    result = await begin_again(hass, entry, source)
    result = await answer(hass, result, **typed)
    if (provider, source) == ("ovh", "reauth"):
        assert result["type"] is FlowResultType.SHOW_PROGRESS, result
        hass.config_entries.flow.async_abort(result["flow_id"])
        return
    expect_abort(result, f"{source}_successful")
    assert entry.data == before


async def test_empty_secrets_are_not_another_accounts(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """With another key or account its own secret must be typed."""
    entry = await set_up(hass, simulator, provider, mode="polling")
    field = {"twilio": "account_sid", "ovh": "application_key"}[provider]
    typed = credentials(simulator, provider, **{field: "another"})
    for key in SECRETS[provider]:
        typed.pop(key, None)
    result = await begin_again(hass, entry, "reconfigure")
    before = len(simulator.requests)
    result = await answer(hass, result, **typed)
    expect_form(result, provider, {"base": "invalid_auth"})
    assert len(simulator.requests) == before


async def test_new_secret_asks_for_a_new_click(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An empty consumer key starts the click where the other secret is typed."""
    entry = await set_up(hass, simulator, "ovh", mode="polling")
    result = await begin_again(hass, entry, "reconfigure")
    typed = credentials(simulator, "ovh", consumer_key="")
    result = await answer(hass, result, **typed)
    assert result["type"] is FlowResultType.SHOW_PROGRESS, result
    hass.config_entries.flow.async_abort(result["flow_id"])


async def test_secret_of_the_same_api_key_is_kept(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An API key need not be typed again, and goes when it is taken out."""
    key = {
        "api_key_sid": simulator.twilio.API_KEY_SID,
        "api_key_secret": simulator.twilio.API_KEY_SECRET,
    }
    result = await to_number(hass, simulator, "twilio", **key)
    result = await answer(hass, result, number=simulator.twilio.NUMBER)
    result = await answer(hass, result, mode="polling")
    entry = result["result"]

    sid_only = credentials(simulator, "twilio", api_key_sid=key["api_key_sid"])
    result = await begin_again(hass, entry, "reconfigure")
    await answer(hass, result, **sid_only)
    assert key.items() <= entry.data[CONF_CREDENTIALS].items()

    other = credentials(simulator, "twilio", api_key_sid="SK" + "77" * 16)
    result = await begin_again(hass, entry, "reconfigure")
    result = await answer(hass, result, **other)
    expect_form(result, "twilio", {"base": "api_key_incomplete"})

    await answer(hass, result, **credentials(simulator, "twilio"))
    assert key.keys().isdisjoint(entry.data[CONF_CREDENTIALS])


@pytest.mark.usefixtures("short_consent")
async def test_expired_ovh_key_is_renewed_by_a_click(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Reauthentication needs no console either."""
    entry = await set_up(hass, simulator, "ovh", mode="polling")
    result = await begin_again(hass, entry, "reauth")
    typed = credentials(simulator, "ovh", consumer_key="")
    result = await answer(hass, result, **typed)
    key = pending_key(simulator)
    simulator.ovh.auth.authorize_click(key)
    expect_abort(await go_on(hass, result), "reauth_successful")
    assert entry.data[CONF_CREDENTIALS]["consumer_key"] == key


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
@pytest.mark.parametrize("mode", ["automatic", "manual", "polling"])
async def test_new_key_with_fewer_rights(  # one case each
    hass: HomeAssistant,
    simulator: Simulator,
    home_url: str,
    mode: str,
    source: str,
) -> None:
    """A new key must do for what the entry does with it."""
    entry = await set_up(hass, simulator, "ovh", mode=mode)
    before = dict(entry.data)
    result = await begin_again(hass, entry, source)
    lame = credentials(simulator, "ovh", consumer_key=rights(simulator, "POST"))
    result = await answer(hass, result, **lame)
    expect_form(result, "ovh", {"base": "missing_rights"})
    assert f"POST /sms/{simulator.ovh.SERVICE}" in named(result)
    assert entry.data == before

    typed = credentials(simulator, "ovh", consumer_key=rights(simulator, "PUT"))
    result = await answer(hass, result, **typed)
    if mode == "automatic":
        expect_form(result, "ovh", {"base": "missing_rights"})
        assert named(result) == f"PUT /sms/{simulator.ovh.SERVICE}"
        assert entry.data == before
    else:
        expect_abort(result, f"{source}_successful")


@pytest.mark.parametrize("source", ["reauth", "reconfigure"])
async def test_number_that_the_credentials_do_not_open(
    hass: HomeAssistant, simulator: Simulator, provider: str, source: str
) -> None:
    """Credentials that no longer reach the number are refused."""
    entry = await set_up(hass, simulator, provider, mode="polling")
    before = dict(entry.data)
    simulator.twilio.numbers.pop(simulator.twilio.NUMBER)
    simulator.ovh.service.numbers = (simulator.ovh.SECOND_NUMBER,)
    result = await begin_again(hass, entry, source)
    result = await answer(hass, result, **credentials(simulator, provider))
    expect_abort(result, "wrong_account")
    assert entry.data == before


@pytest.mark.parametrize(
    ("account", "reason"),
    [(None, "reauth_successful"), ("sms-zz99999-1", "wrong_account")],
)
async def test_account_counts_where_listing_is_forbidden(
    hass: HomeAssistant, simulator: Simulator, account: str | None, reason: str
) -> None:
    """Without a list of numbers the account tells whether it is the same."""
    entry = await set_up(hass, simulator, "ovh", mode="polling")
    if account is not None:
        data = {**entry.data, "account": account}
        hass.config_entries.async_update_entry(entry, data=data)
    result = await begin_again(hass, entry, "reauth")
    adapter = ADAPTERS["ovh"]
    with patch.object(adapter, "list_numbers", side_effect=MissingRightsError):
        result = await answer(hass, result, **credentials(simulator, "ovh"))
    expect_abort(result, reason)


async def test_flow_over_http(
    hass: HomeAssistant,
    simulator: Simulator,
    hass_client: ClientSessionGenerator,
    provider: str,
) -> None:
    """Every form can be sent to a browser, and what it sends back is understood."""
    for component in ("webhook", "config"):
        assert await async_setup_component(hass, component, {})
    hass.config.external_url = "https://home.example"
    client, path = await hass_client(), "/api/config/config_entries/flow"

    async def post(where: str, **body: Any) -> dict[str, Any]:
        response = await client.post(where, json=body)
        assert response.status == 200, await response.text()
        result: dict[str, Any] = await response.json()
        return result

    place(simulator, provider, FOREIGN)
    result = await post(path, handler=DOMAIN)
    step = f"{path}/{result['flow_id']}"
    result = await post(step, next_step_id=provider)
    fields = {each["name"]: each for each in result["data_schema"]}
    assert fields["advanced"]["type"] == "expandable"
    assert result["description_placeholders"]
    await post(step, **credentials(simulator, provider))
    await post(step, number=simulator.providers[provider].number)
    result = await post(step, mode="automatic")
    assert result["step_id"] == "takeover"
    result = await post(step, confirm=True)
    assert result["type"] == "create_entry"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_its_step(provider: str) -> None:
    """A provider in the menu has a step behind it, under its own name."""
    from custom_components.virtual_sms.config_flow import VirtualSmsConfigFlow

    assert hasattr(VirtualSmsConfigFlow, f"async_step_{provider}")


async def test_removed_entry_can_be_set_up_again(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """A number is free again once its entry is gone."""
    entry = await set_up(hass, simulator, provider, mode="polling")
    await hass.config_entries.async_remove(entry.entry_id)
    again = await set_up(hass, simulator, provider, mode="polling")
    assert again.unique_id == entry.unique_id
