"""Which URL a provider is given."""

from typing import TYPE_CHECKING

from hass_nabucasa import NabuCasaBaseError
import pytest

from custom_components.virtual_sms.callbacks.public_url import (
    NoPublicUrlError,
    async_callback_url,
    async_describe_address,
    async_find_public_url,
    async_forget_callback_url,
    async_has_secure_url,
)
from tests.cloud import Cloud

if TYPE_CHECKING:
    from homeassistant.core import HomeAssistant


@pytest.mark.parametrize(
    ("external_url", "secure"),
    [
        ("https://home.example", True),
        ("https://home.example:8443", True),
        ("https://192.0.2.1", False),
        ("http://home.example:8123", False),
        ("http://127.0.0.1:8123", False),
    ],
)
async def test_external_url(
    hass: HomeAssistant, external_url: str, *, secure: bool
) -> None:
    """The external URL is taken as it is, though not every one is trusted."""
    hass.config.external_url = external_url
    assert await async_callback_url(hass, "abc") == f"{external_url}/api/webhook/abc"
    assert async_has_secure_url(hass) is secure
    assert async_describe_address(hass) == external_url


@pytest.mark.parametrize("internal_url", [None, "http://192.168.1.2:8123"])
async def test_home_without_url(hass: HomeAssistant, internal_url: str | None) -> None:
    """An internal URL leads nowhere from outside."""
    hass.config.internal_url = internal_url
    with pytest.raises(NoPublicUrlError) as caught:
        await async_callback_url(hass, "abc")
    assert caught.value.translation_key == "no_public_url"
    assert not async_has_secure_url(hass)
    assert async_describe_address(hass) == "–"
    await async_forget_callback_url(hass, "abc")


async def test_cloud_comes_first(hass: HomeAssistant, cloud: Cloud) -> None:
    """A subscription beats the external URL; its webhook can be given up."""
    hass.config.external_url = "http://home.example"
    assert async_has_secure_url(hass)
    assert async_describe_address(hass) == "Home Assistant Cloud"
    assert not cloud.hooks
    assert await async_callback_url(hass, "abc") == Cloud.URL
    assert await async_callback_url(hass, "abc") == Cloud.URL
    assert list(cloud.hooks) == ["abc"]

    await async_forget_callback_url(hass, "abc")
    assert not cloud.hooks
    await async_forget_callback_url(hass, "abc")


async def test_cloud_without_subscription(hass: HomeAssistant, cloud: Cloud) -> None:
    """Being logged in is not enough."""
    cloud.subscribed = False
    hass.config.external_url = "http://home.example"
    url = await async_callback_url(hass, "abc")
    assert url == "http://home.example/api/webhook/abc"
    assert not cloud.hooks


@pytest.mark.parametrize(
    "failure",
    [
        Cloud.CloudNotAvailable(),
        NabuCasaBaseError(),
        TimeoutError(),
        ValueError("Cloud is not connected"),
    ],
)
async def test_cloud_in_trouble(
    hass: HomeAssistant, cloud: Cloud, failure: Exception
) -> None:
    """A cloud that gives no webhook is no public URL."""
    cloud.failure = failure
    with pytest.raises(NoPublicUrlError):
        await async_callback_url(hass, "abc")


async def test_cloud_gone_when_forgetting(hass: HomeAssistant, cloud: Cloud) -> None:
    """What can no longer be deleted does no harm."""
    cloud.failure = Cloud.CloudNotAvailable()
    await async_forget_callback_url(hass, "abc")


async def test_a_path_is_reached_at_the_external_url(
    hass: HomeAssistant, cloud: Cloud
) -> None:
    """Else where the cloud lets the home be controlled, if that is switched on."""
    assert async_find_public_url(hass, "/x") is None
    cloud.remote = "https://abc.ui.example/"
    assert async_find_public_url(hass, "/x") == "https://abc.ui.example/x"
    cloud.subscribed = False
    assert async_find_public_url(hass, "/x") is None
    hass.config.external_url = "http://home.example:8123"
    assert async_find_public_url(hass, "/x") == "http://home.example:8123/x"
