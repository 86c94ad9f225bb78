"""Who may use the actions."""

from collections.abc import Callable, Coroutine

from homeassistant.core import ServiceCall
from homeassistant.helpers.service import verify_domain_control

from ..const import DOMAIN


def for_who_may_control[T](
    handle: Callable[[ServiceCall], Coroutine[object, object, T]],
) -> Callable[[ServiceCall], Coroutine[object, object, T]]:
    """Refuse an action to a user who may control nothing of this integration.

    What an automation does is asked of nobody. Raises Unauthorized or UnknownUser.
    """
    handle_checked = verify_domain_control(DOMAIN)(handle)

    async def handle_if_permitted(call: ServiceCall) -> T:
        # Without a number nobody controls anything, and the action itself says why.
        has_number = bool(call.hass.config_entries.async_entries(DOMAIN))
        result: T = await (handle_checked if has_number else handle)(call)
        return result

    return handle_if_permitted
