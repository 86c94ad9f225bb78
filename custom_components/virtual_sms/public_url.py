"""Find the URL at which the internet reaches this home."""

from homeassistant.components import webhook
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .const import DOMAIN

CLOUD = "cloud"


class NoPublicUrlError(HomeAssistantError):
    """This home has neither an external URL nor a cloud subscription."""

    def __init__(self) -> None:
        """Say so in the person's language."""
        super().__init__(translation_domain=DOMAIN, translation_key="no_public_url")


async def async_callback_url(hass: HomeAssistant, webhook_id: str) -> str:
    """Return the URL that leads to a webhook from outside.

    An external URL is taken as it stands, an address or plain http included: it
    is what the person chose. Raises NoPublicUrlError where there is none.
    """
    if _has_subscription(hass):
        return await _async_cloudhook(hass, webhook_id)
    try:
        base = get_url(hass, allow_internal=False, allow_cloud=False, allow_ip=True)
    except NoURLAvailableError as err:
        raise NoPublicUrlError from err
    return base + webhook.async_generate_path(webhook_id)


async def async_forget_callback_url(hass: HomeAssistant, webhook_id: str) -> None:
    """Delete the webhook's place in the cloud, if it has one."""
    if CLOUD not in hass.config.components:
        return
    from homeassistant.components import cloud  # noqa: PLC0415 heavy, and optional

    try:
        await cloud.async_delete_cloudhook(hass, webhook_id)
    except cloud.CloudNotAvailable, ValueError:
        return


@callback
def async_has_secure_url(hass: HomeAssistant) -> bool:
    """Say whether a provider can surely reach this home over https."""
    if _has_subscription(hass):
        return True
    try:
        get_url(hass, allow_internal=False, allow_cloud=False, require_ssl=True)
    except NoURLAvailableError:
        return False
    return True


def _has_subscription(hass: HomeAssistant) -> bool:
    if CLOUD not in hass.config.components:
        return False
    from homeassistant.components import cloud  # noqa: PLC0415 heavy, and optional

    return cloud.async_active_subscription(hass)


async def _async_cloudhook(hass: HomeAssistant, webhook_id: str) -> str:
    from hass_nabucasa import NabuCasaBaseError  # noqa: PLC0415 comes with cloud
    from homeassistant.components import cloud  # noqa: PLC0415 heavy, and optional

    try:
        return await cloud.async_get_or_create_cloudhook(hass, webhook_id)
    except (
        cloud.CloudNotAvailable,
        NabuCasaBaseError,
        TimeoutError,
        ValueError,
    ) as err:
        raise NoPublicUrlError from err
