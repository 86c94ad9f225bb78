"""How adapters are made, and what their errors say."""

from typing import TYPE_CHECKING

from homeassistant.helpers.translation import async_load_integrations
import pytest

from custom_components.virtual_sms.adapters import ADAPTERS
from custom_components.virtual_sms.adapters.errors import (
    AccountSuspendedError,
    AuthenticationError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    ProviderUnavailableError,
    RateLimitedError,
    SmsError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import RejectReason
from custom_components.virtual_sms.const import DOMAIN
from custom_components.virtual_sms.core.phone_numbers import InvalidNumberError
from custom_components.virtual_sms.error_messages import (
    Failure,
    async_create_adapter,
    explain,
    refuse,
    wants_new_credentials,
)

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant

    from simulator import Simulator

OPTED_OUT = RejectReason.OPTED_OUT


@pytest.mark.parametrize("provider", sorted(ADAPTERS))
async def test_adapter_is_ready(
    hass: HomeAssistant, simulator: Simulator, provider: str
) -> None:
    """The adapter that is made can be asked at once."""
    credentials = {
        **simulator.providers[provider].credentials,
        "api_url": simulator.url,
    }
    adapter = await async_create_adapter(hass, provider, credentials)
    assert isinstance(adapter, ADAPTERS[provider])
    assert (await adapter.get_account()).id


@pytest.mark.parametrize(
    ("err", "key"),
    [
        (AuthenticationError(provider_code="20003"), "twilio_20003"),
        (AuthenticationError(provider_code="1"), "invalid_auth"),
        (AuthenticationError(), "invalid_auth"),
        (ProviderUnavailableError(), "cannot_connect"),
        (RateLimitedError(), "rate_limited"),
        (InvalidResponseError(), "invalid_response"),
        (SmsError(), "unknown"),
        (MessageRejectedError(), "rejected"),
        (MessageRejectedError(reason=OPTED_OUT), "rejected_opted_out"),
        (
            MessageRejectedError(reason=OPTED_OUT, provider_code="21610"),
            "twilio_21610",
        ),
        (UnsupportedFeatureError(), "unsupported"),
        (InvalidNumberError("{x}"), "invalid_number"),
    ],
)
def test_most_telling_sentence(err: Failure, key: str) -> None:
    """The provider's code is worth most, then the reason, then the kind."""
    error = refuse("twilio", err)
    assert (error.translation_domain, error.translation_key) == (DOMAIN, key)


def test_words_are_keys() -> None:
    """A provider whose codes are words is understood as well."""
    err = AuthenticationError(provider_code="invalid_key")
    assert refuse("ovh", err).translation_key == "ovh_invalid_key"
    assert refuse("twilio", err).translation_key == "invalid_auth"


@pytest.mark.parametrize(
    ("err", "wanted"),
    [
        (AuthenticationError(), True),
        (MissingRightsError(), True),
        (AccountSuspendedError(), False),
        (ProviderUnavailableError(), False),
        (InvalidNumberError("x"), False),
    ],
)
def test_who_is_asked_for_new_credentials(err: Failure, *, wanted: bool) -> None:
    """New credentials open no account that is closed."""
    assert wants_new_credentials(err) is wanted


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "is not a phone number"), ("fr", "pas un numéro de téléphone")],
)
async def test_explained_in_the_language_of_the_home(
    hass: HomeAssistant, language: str, sentence: str
) -> None:
    """A sentence names the value, whatever is in it."""
    hass.config.language = language
    await async_load_integrations(hass, {DOMAIN})
    text = explain(hass, "twilio", InvalidNumberError("{x} %s"))
    assert text.startswith("{x} %s ")
    assert sentence in text


async def test_explained_without_words(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no sentence the developers' text must do."""
    monkeypatch.setattr(SmsError, "code", "nowhere")
    assert explain(hass, "twilio", SmsError("no {answer}")) == "no {answer}"
