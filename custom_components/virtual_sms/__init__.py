"""Give a home its own phone number, to send and to receive SMS.

A config entry is a number. This module wires its parts together and decides
nothing itself.
"""

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
import random

from homeassistant.const import (
    CONF_WEBHOOK_ID,
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    Platform,
)
from homeassistant.core import CoreState, Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from .adapters import ADAPTERS
from .adapters.errors import SmsError
from .adapters.models import PhoneNumber
from .care import Care
from .const import (
    CONF_ACCOUNT,
    CONF_CALLBACK_URL,
    CONF_CREDENTIALS,
    CONF_NUMBER,
    CONF_PROVIDER,
    DOMAIN,
)
from .coordinator import VirtualSmsCoordinator
from .events import async_publish, get_privacy
from .gateway import Gateway, Host
from .helpers import async_create_adapter, wants_new_credentials
from .issues import async_clear_issues
from .journal import Journal
from .ledger import MIGRATIONS, Ledger
from .line import Line, Surroundings
from .notify import async_setup_notify
from .public_url import async_forget_callback_url
from .registration import Registrar, async_release_callbacks
from .runtime import GATEWAYS, Runtime, VirtualSmsConfigEntry
from .services import async_setup_services
from .webhook import async_register as async_register_webhook
from .worker import Worker

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = (Platform.BUTTON, Platform.EVENT, Platform.SENSOR)
_PRUNE_INTERVAL = timedelta(days=1)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions: they exist whether a number is loaded or not."""
    hass.data[GATEWAYS] = {}
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> bool:
    """Bring a number to life.

    Its webhook opens before the provider is asked for anything, so that an
    outage there costs no inbound message.
    """
    worker = Worker(hass, entry)
    gateway = await _async_create_gateway(hass, entry, worker)
    # From when the door is open, a callback may want the coordinator.
    coordinator = VirtualSmsCoordinator(hass, entry, gateway)
    entry.runtime_data = Runtime(
        gateway=gateway,
        coordinator=coordinator,
        registrar=Registrar(hass, entry, gateway.line),
    )
    await _async_open(hass, entry, gateway)
    try:
        await gateway.inbox.begin()
    except SmsError as err:
        if wants_new_credentials(err):
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key=err.code
            ) from err
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key=err.code
        ) from err
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    await async_setup_notify(hass, entry)
    await _async_start(hass, entry, worker)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> bool:
    """Put a number to rest; what it still has to send waits on disk."""
    if entry.disabled_by is not None:
        async_clear_issues(hass, entry)
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Leave nothing behind: neither at the provider, nor in the cloud, nor on disk."""
    async_clear_issues(hass, entry)
    await async_release_callbacks(hass, entry)
    await async_forget_callback_url(hass, entry.data[CONF_WEBHOOK_ID])
    await _create_journal(hass, entry).erase()


async def _async_create_gateway(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, worker: Worker
) -> Gateway:
    provider, credentials = entry.data[CONF_PROVIDER], entry.data[CONF_CREDENTIALS]
    number = PhoneNumber(
        account=entry.data[CONF_ACCOUNT], number=entry.data[CONF_NUMBER]
    )
    line = Line(
        number=number,
        adapter=await async_create_adapter(hass, provider, credentials),
        callback_url=entry.data.get(CONF_CALLBACK_URL),
    )
    surroundings = Surroundings(
        now=dt_util.utcnow,
        jitter=random.uniform,
        spawn=partial(entry.async_create_background_task, hass),
    )
    ledger = Ledger(_create_journal(hass, entry), dt_util.utcnow)
    return Gateway(line, ledger, _create_host(hass, entry, worker), surroundings)


def _create_journal(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> Journal:
    path = Path(hass.config.path(".storage", f"{DOMAIN}.{entry.entry_id}.db"))
    return Journal(path, MIGRATIONS, hass.async_add_executor_job)


def _create_host(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, worker: Worker
) -> Host:
    """Let the core speak to this Home Assistant."""
    common = {
        "entry_id": entry.entry_id,
        "device_id": _create_device(hass, entry),
        "provider": entry.data[CONF_PROVIDER],
        "number": entry.data[CONF_NUMBER],
    }

    def siblings() -> list[Gateway]:
        gateways, lines = hass.data[GATEWAYS], _list_lines(hass, entry)
        return [gateways[each.entry_id] for each in lines if each.entry_id in gateways]

    def ask_later() -> None:
        for each in _list_lines(hass, entry):
            if each.entry_id in hass.data[GATEWAYS]:
                each.async_create_background_task(
                    hass,
                    each.runtime_data.coordinator.async_request_refresh(),
                    f"{DOMAIN} catch-up",
                )

    def lines_away() -> list[str]:
        return [
            each.data[CONF_NUMBER]
            for each in _list_lines(hass, entry)
            if each.disabled_by is None and each.entry_id not in hass.data[GATEWAYS]
        ]

    return Host(
        publish=partial(async_publish, hass, common, get_privacy(entry)),
        wake=worker.async_wake,
        ask_later=ask_later,
        siblings=siblings,
        lines_away=lines_away,
    )


def _list_lines(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> list[VirtualSmsConfigEntry]:
    """List the numbers of an entry's account, its own among them."""
    account = (entry.data[CONF_PROVIDER], entry.data[CONF_ACCOUNT])
    return [
        each
        for each in hass.config_entries.async_entries(DOMAIN)
        if (each.data[CONF_PROVIDER], each.data[CONF_ACCOUNT]) == account
    ]


def _create_device(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> str:
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer=ADAPTERS[entry.data[CONF_PROVIDER]].name,
        model=entry.data[CONF_NUMBER],
        name=entry.title,
    )
    return device.id


async def _async_open(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> None:
    """Open the ledger, then the door; both close with the entry or with the home."""
    await gateway.open()
    entry.async_on_unload(gateway.close)
    entry.async_on_unload(async_register_webhook(hass, entry, gateway))

    hass.data[GATEWAYS][entry.entry_id] = gateway

    def leave() -> None:
        del hass.data[GATEWAYS][entry.entry_id]

    async def close(_: Event) -> None:
        await gateway.close()

    entry.async_on_unload(leave)

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, close)
    )


async def _async_start(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, worker: Worker
) -> None:
    """Go to work once Home Assistant has started, for only then automations hear."""
    gateway, coordinator = entry.runtime_data.gateway, entry.runtime_data.coordinator

    async def start(hass: HomeAssistant) -> None:
        gateway.start()
        worker.async_start(gateway.outbox)
        await entry.runtime_data.registrar.async_follow()
        entry.runtime_data.registrar.async_watch()
        await coordinator.async_refresh()
        await Care(hass, entry).async_start()
        await gateway.ledger.prune()
        coordinator.async_ask_for_receipts()

    if hass.state is CoreState.running:
        await start(hass)
    else:
        entry.async_on_unload(async_at_started(hass, start))
    # A coordinator that nobody listens to does not poll, and all entities may be
    # disabled.
    entry.async_on_unload(coordinator.async_add_listener(lambda: None))

    async def prune(_: datetime) -> None:
        await gateway.ledger.prune()

    entry.async_on_unload(
        async_track_time_interval(hass, prune, _PRUNE_INTERVAL, cancel_on_shutdown=True)
    )
