"""Find in whose name a contact's assistant acts.

What an action may do is decided by the rights of a user. Without one, Home Assistant
would ask nobody: so whoever has no user of their own may look, and not touch.
"""

from typing import TYPE_CHECKING, Final

from homeassistant.auth.const import GROUP_ID_READ_ONLY
from homeassistant.core import HomeAssistant

from .core.contacts import Contact
from .people.contacts import async_find_person

if TYPE_CHECKING:
    from homeassistant.auth.models import User

GUEST: Final = "Virtual SMS (read only)"


class NotAllowedError(Exception):
    """The contact's user is not active, or may not come from outside the home."""


async def async_find_user(hass: HomeAssistant, contact: Contact) -> User:
    """Return the user of a contact's person, or one who may only read."""
    person = async_find_person(hass, contact)
    state = hass.states.get(person) if person else None
    user_id = state.attributes.get("user_id") if state else None
    user = await hass.auth.async_get_user(user_id) if user_id else None
    if user is None:
        return await _async_find_guest(hass) or await _async_create_guest(hass)
    # A text message comes from anywhere in the world.
    if not user.is_active or user.local_only:
        raise NotAllowedError
    return user


async def async_remove_guest(hass: HomeAssistant) -> None:
    """Remove the user who may only read, when nobody needs it any more."""
    if guest := await _async_find_guest(hass):
        await hass.auth.async_remove_user(guest)


async def _async_find_guest(hass: HomeAssistant) -> User | None:
    for user in await hass.auth.async_get_users():
        groups = [each.id for each in user.groups]
        is_guest = user.system_generated and user.name == GUEST
        if is_guest and groups == [GROUP_ID_READ_ONLY]:
            return user
    return None


async def _async_create_guest(hass: HomeAssistant) -> User:
    return await hass.auth.async_create_system_user(
        GUEST, group_ids=[GROUP_ID_READ_ONLY]
    )
