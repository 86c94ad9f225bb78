"""The event entities of a number."""

from typing import TYPE_CHECKING

from homeassistant.const import STATE_UNKNOWN, Platform
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import snapshot_platform
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension

from custom_components.virtual_sms.const import DOMAIN

from .flows import set_up
from .home import RECIPIENT, SENDER, entity_id, listen, send, settle, state

if TYPE_CHECKING:
    from homeassistant.config_entries import ConfigEntry
    from homeassistant.core import HomeAssistant
    from syrupy.assertion import SnapshotAssertion

    from simulator import Simulator
