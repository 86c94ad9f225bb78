"""Give a home its own phone number, to send and to receive SMS.

A config entry is a number. This module wires its parts together and decides
nothing itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
import logging
import random
import sqlite3

from homeassistant.const import (
    EVENT_HOMEASSISTANT_FINAL_WRITE,
    Platform,
)
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

from .accounts import async_get_account, async_join
from .adapters import ADAPTERS
from .adapters.errors import SmsError
from .assist_setup import async_setup_assist
from .assist_user import async_remove_guest
from .bus import async_publish, get_days_kept
from .callbacks.public_url import async_forget_callback_url
from .callbacks.registrar import Registrar, async_release_callbacks
from .callbacks.resting import async_answer_at_rest, async_stop_answering
from .callbacks.retired_secrets import RetiredSecrets
from .callbacks.voice import async_read_greeting
from .callbacks.webhook import async_register as async_register_webhook
from .card import async_offer_card, async_setup_card, async_withdraw_card
from .const import DOMAIN
from .conversations import async_forget_with_people
from .coordinator import VirtualSmsCoordinator
from .core.gateway import Gateway, GatewayHooks
from .core.limits import month_of
from .core.line import Dependencies, Line
from .entities.contact_platforms import async_add_people
from .entry_data import EntryData
from .error_messages import (
    async_create_adapter,
    async_load_adapter,
    wants_new_credentials,
)
from .home_file import async_get_home_file
from .issues import async_clear_issues
from .media.incoming import (
    async_create_attachments,
    async_follow_media,
    async_tidy,
)
from .media.setup import async_forget_media, async_setup_media
from .monitoring.monitor import Monitor
from .notify import async_setup_notify
from .number_tables import async_load_own_tables
from .outbox_timer import OutboxTimer, Timers
from .people.contacts import async_setup_people
from .people.trust import async_trust
from .replies.desks import async_erase_home, async_keep_back, async_setup_desks
from .runtime import Runtime, VirtualSmsConfigEntry
from .services import async_setup_services
from .storage import (
    async_follow_disk,
    async_open_storage,
    create_database,
    explained,
)
from .store.changes import Change
from .store.database import DatabaseClosedError
from .store.store import Store
from .texts import async_follow_language
from .websocket import async_setup_websocket

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = (Platform.BUTTON, Platform.EVENT, Platform.NOTIFY, Platform.SENSOR)
_PRUNE_INTERVAL = timedelta(days=1)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what exists whether a number is loaded or not."""
    async_follow_language(hass)
    async_setup_people(hass)
    await async_load_own_tables(hass)
    async_trust(hass)
    await async_setup_desks(hass)
    await async_setup_assist(hass)
    await async_setup_media(hass)
    async_setup_services(hass)
    async_setup_websocket(hass)
    await async_setup_card(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        await async_load_adapter(hass, EntryData.of(entry).provider)
        async_answer_at_rest(hass, entry)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> bool:
    """Bring a number to life.

    Its webhook opens before the provider is asked for anything, so that an
    outage there costs no inbound message.
    """
    async_answer_at_rest(hass, entry)
    timers = Timers(OutboxTimer(hass, entry), OutboxTimer(hass, entry))
    gateway = await _async_create_gateway(hass, entry, timers)
    gateway.calls.greeting = await async_read_greeting(hass, entry)
    # From when the door is open, a callback may want the coordinator.
    coordinator = VirtualSmsCoordinator(hass, entry, gateway)
    entry.runtime_data = Runtime(
        gateway=gateway,
        coordinator=coordinator,
        registrar=Registrar(hass, entry, gateway.line),
        retired_secrets=RetiredSecrets(hass, entry, gateway.line.adapter),
        attachments=async_create_attachments(hass, entry, gateway),
    )
    entry.runtime_data.retired_secrets.async_watch()
    await _async_open(hass, entry, gateway)
    try:
        with explained(hass, entry):
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
    async_add_people(hass, entry)
    try:
        with explained(hass, entry):
            await async_setup_notify(hass, entry)
            await _async_start(hass, entry, timers)
    except BaseException:
        # Platforms that stay would keep the number from ever being set up again.
        await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
        raise
    entry.async_create_background_task(hass, async_offer_card(hass), f"{DOMAIN} card")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> bool:
    """Put a number to rest; what it still has to send waits on disk."""
    if entry.disabled_by is not None:
        async_clear_issues(hass, entry)
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Leave nothing behind: neither on disk, nor at the provider, nor in the cloud.

    What is here goes first, for nobody else can keep us from that, and none of the
    three keeps the others from being cleared.
    """
    async_clear_issues(hass, entry)
    async_stop_answering(hass, entry)
    await _async_clear(create_database(hass, entry).erase(), "on disk")
    await _async_clear(async_forget_media(hass, entry.entry_id), "on disk")
    if not hass.config_entries.async_entries(DOMAIN):
        await _async_clear(async_erase_home(hass), "on disk")
    await _async_clear(async_release_callbacks(hass, entry), "at the provider")
    webhook_id = EntryData.of(entry).webhook_id
    await _async_clear(async_forget_callback_url(hass, webhook_id), "in the cloud")
    if not hass.config_entries.async_entries(DOMAIN):
        await _async_clear(async_withdraw_card(hass), "on the dashboards")
        await _async_clear(async_remove_guest(hass), "among the users")


async def _async_clear(clearing: Awaitable[None], place: str) -> None:
    try:
        await clearing
    except Exception:
        _LOGGER.exception("Something of a removed number was left %s", place)


async def _async_create_gateway(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, timers: Timers
) -> Gateway:
    """Compose a number's parts, with the adapter that its account shares."""
    account = async_get_account(hass, entry)
    data = EntryData.of(entry)
    create = partial(async_create_adapter, hass, data.provider, data.credentials)
    line = Line(
        number=data.number,
        adapter=await account.get_adapter(data.credentials, create),
        callback_url=data.callback_url,
    )
    hooks = GatewayHooks(
        publish=_create_publish(hass, entry),
        wake=timers.messages.async_wake,
        wake_calls=timers.calls.async_wake,
        catch_up_soon=account.catch_up_soon,
        pending=async_get_home_file(hass).async_get_pending,
        follow_disk=partial(async_follow_disk, hass, entry),
    )
    dependencies = Dependencies(
        now=dt_util.utcnow,
        jitter=random.uniform,
        spawn=partial(entry.async_create_background_task, hass),
        guard=async_trust(hass).create_guard(entry),
    )
    store = Store(create_database(hass, entry), dt_util.utcnow)
    store.outbound.name_month = _name_month
    return Gateway(line, store, hooks, dependencies)


def _name_month(time: datetime) -> str:
    """Name the calendar month of a time where this home is."""
    return month_of(dt_util.as_local(time)).name


def _create_publish(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry
) -> Callable[[Change], None]:
    """Let the core speak to this Home Assistant."""
    return partial(async_publish, hass, entry, _create_device(hass, entry))


def _create_device(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> str:
    data = EntryData.of(entry)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, entry.entry_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer=ADAPTERS[data.provider].name,
        model=data.number.number,
        name=entry.title,
    )
    return device.id


async def _async_open(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, gateway: Gateway
) -> None:
    """Open the store, then the door; both close with the entry or with the home."""
    await async_open_storage(hass, entry, gateway)
    entry.async_on_unload(gateway.close)
    with explained(hass, entry):
        days = get_days_kept(entry)
        await gateway.store.conversations.keep(days, dt_util.utcnow())
        await async_trust(hass).async_load(entry, gateway)
    await async_tidy(entry)
    entry.async_on_unload(async_follow_media(hass, entry))
    entry.async_on_unload(async_forget_with_people(hass, entry))
    entry.async_on_unload(async_join(hass, entry, gateway))
    entry.async_on_unload(async_register_webhook(hass, entry, gateway))

    async def close(_: Event) -> None:
        await gateway.close()

    entry.async_on_unload(
        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, close)
    )


async def _async_start(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, timers: Timers
) -> None:
    """Go to work once Home Assistant has started, for only then automations hear."""
    gateway, coordinator = entry.runtime_data.gateway, entry.runtime_data.coordinator

    async def start() -> None:
        care = Monitor(hass, entry)
        care.async_listen()
        gateway.start()
        await async_keep_back(hass, entry.entry_id, gateway)
        timers.messages.async_start(gateway.outbox)
        timers.calls.async_start(gateway.calls)
        await entry.runtime_data.registrar.async_follow()
        entry.runtime_data.registrar.async_watch()
        await coordinator.async_refresh()
        await care.async_start()
        _async_finish_later(hass, entry)

    _async_prune_daily(hass, entry)
    if hass.state is CoreState.running:
        await start()
    else:
        _async_start_with_home(hass, entry, start)


@callback
def _async_start_with_home(
    hass: HomeAssistant,
    entry: VirtualSmsConfigEntry,
    start: Callable[[], Coroutine[None, None, None]],
) -> None:
    """Start once the home has started, unless the entry is unloaded before or then.

    An entry that is reloaded meanwhile has a start of its own.
    """

    async def begin(_: HomeAssistant) -> None:
        task = entry.async_create_background_task(hass, start(), f"{DOMAIN} start")

        def stop() -> None:
            task.cancel()

        entry.async_on_unload(stop)
        await asyncio.wait([task])
        if not task.cancelled() and (err := task.exception()):
            _LOGGER.error("A number could not go to work", exc_info=err)

    entry.async_on_unload(async_at_started(hass, begin))


@callback
def _async_finish_later(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    """Do what a number at work need not wait for, and takes long with a large store."""

    async def finish() -> None:
        await _async_prune(entry)
        entry.runtime_data.coordinator.async_ask_for_receipts()

    task = entry.async_create_task(hass, finish(), f"{DOMAIN} tidying")

    def stop() -> None:
        task.cancel()

    entry.async_on_unload(stop)


@callback
def _async_prune_daily(hass: HomeAssistant, entry: VirtualSmsConfigEntry) -> None:
    async def work() -> None:
        # How old a message is, the provider's time tells, if it was read lately.
        await entry.runtime_data.coordinator.async_refresh()
        await _async_prune(entry)

    @callback
    def begin(_: datetime) -> None:
        # It ends with the entry, whose store would be closed under it.
        entry.async_create_background_task(hass, work(), f"{DOMAIN} pruning")

    entry.async_on_unload(
        async_track_time_interval(hass, begin, _PRUNE_INTERVAL, cancel_on_shutdown=True)
    )


async def _async_prune(entry: VirtualSmsConfigEntry) -> None:
    """Forget what is old; a disk that fails now is no reason not to work."""
    try:
        await entry.runtime_data.gateway.store.prune()
    except (sqlite3.Error, DatabaseClosedError) as err:
        _LOGGER.warning("Old messages are kept a day longer: %s", type(err).__name__)
    await async_tidy(entry)
