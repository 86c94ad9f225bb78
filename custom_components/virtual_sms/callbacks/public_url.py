"""Find the URL at which the internet reaches this home."""

from collections.abc import Callable

from homeassistant.components import webhook
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.network import NoURLAvailableError, get_url

from ..const import DOMAIN

CLOUD = "cloud"


class NoPublicUrlError(HomeAssistantError):
    """This home has neither an external URL nor a cloud subscription."""

    def __init__(self) -> None:
        """Say so in the person's language."""
        super().__init__(translation_domain=DOMAIN, translation_key="no_public_url")


class CloudAwayError(NoPublicUrlError):
    """There is a subscription, but the cloud gives no URL at the moment."""


async def async_callback_url(hass: HomeAssistant, webhook_id: str) -> str:
    """Return the URL that leads to a webhook from outside.

    An external URL is taken as it stands, an address or plain http included: it
    is what the person chose. Raises NoPublicUrlError where there is none, and its
    child CloudAwayError where there may be one again soon.
    """
    if async_has_subscription(hass):
        return await _async_cloudhook(hass, webhook_id)
    base = _find_url(hass, allow_ip=True)
    if base is None:
        raise NoPublicUrlError
    return base + webhook.async_generate_path(webhook_id)


@callback
def async_find_public_url(hass: HomeAssistant, path: str) -> str | None:
    """Return the URL that leads to a path of this home from outside, if there is one.

    A relayed webhook gives text only, so it is the external URL, taken as it stands, or
    the address under which the cloud lets the home be controlled.
    """
    base = _find_url(hass, allow_ip=True) or _find_remote_url(hass)
    return base and base + path


async def async_forget_callback_url(hass: HomeAssistant, webhook_id: str) -> None:
    """Delete the webhook's place in the cloud, if it has one."""
    if CLOUD not in hass.config.components:
        return
    from homeassistant.components import cloud

    try:
        await cloud.async_delete_cloudhook(hass, webhook_id)
    except cloud.CloudNotAvailable, ValueError:
        return


@callback
def async_listen_to_address(
    hass: HomeAssistant, webhook_id: str, changed: Callable[[], None]
) -> CALLBACK_TYPE:
    """Call a listener whenever the URL of a webhook may have changed."""

    @callback
    def handle(*_: object) -> None:
        changed()

    stops = [hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, handle)]
    if CLOUD in hass.config.components:
        from homeassistant.components import cloud

        stops += [
            cloud.async_listen_connection_change(hass, handle),
            cloud.async_listen_cloudhook_change(hass, webhook_id, handle),
        ]

    def stop() -> None:
        for each in stops:
            each()

    return stop


@callback
def async_has_url(hass: HomeAssistant) -> bool:
    """Say whether this home has an address of its own on the internet."""
    return async_has_subscription(hass) or _find_url(hass) is not None


@callback
def async_has_secure_url(hass: HomeAssistant) -> bool:
    """Say whether a provider can surely reach this home over https."""
    return async_has_subscription(hass) or _find_url(hass, require_ssl=True) is not None


@callback
def async_describe_address(hass: HomeAssistant) -> str:
    """Return where this home is on the internet, in no language; a dash for nowhere.

    Nothing is tried, and no place in the cloud is taken before it is wanted.
    """
    if async_has_subscription(hass):
        return "Home Assistant Cloud"
    return _find_url(hass, allow_ip=True) or "\N{EN DASH}"


@callback
def async_has_subscription(hass: HomeAssistant) -> bool:
    """Say whether Home Assistant Cloud relays callbacks to this home."""
    if CLOUD not in hass.config.components:
        return False
    from homeassistant.components import cloud

    return cloud.async_active_subscription(hass)


async def _async_cloudhook(hass: HomeAssistant, webhook_id: str) -> str:
    from hass_nabucasa import NabuCasaBaseError
    from homeassistant.components import cloud

    try:
        return await cloud.async_get_or_create_cloudhook(hass, webhook_id)
    except (
        cloud.CloudNotAvailable,
        NabuCasaBaseError,
        TimeoutError,
        ValueError,
    ) as err:
        raise CloudAwayError from err


def _find_remote_url(hass: HomeAssistant) -> str | None:
    if not async_has_subscription(hass):
        return None
    from homeassistant.components import cloud

    try:
        return cloud.async_remote_ui_url(hass).rstrip("/")
    except cloud.CloudNotAvailable:
        return None


def _find_url(hass: HomeAssistant, **rules: bool) -> str | None:
    try:
        return get_url(hass, allow_internal=False, allow_cloud=False, **rules)
    except NoURLAvailableError:
        return None
