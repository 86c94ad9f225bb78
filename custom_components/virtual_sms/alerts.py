"""Alarm people step by step, until one of them acknowledges."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Final
from uuid import uuid4

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalType

from .answering import Incoming, Match
from .bus import EventData, get_privacy
from .const import DOMAIN
from .core.alerts import Alerts
from .core.escalation import (
    Alert,
    AlertChange,
    AlertMessage,
    AlertState,
    Notice,
    Plan,
    advance,
    start,
)
from .core.person import Person
from .core.privacy import Privacy
from .core.waiting import has_ended_badly
from .deadline_timer import DeadlineTimer
from .home_file import HomeFile, async_is_written
from .lines import async_look_up, async_withdraw
from .planned import (
    async_is_unsent,
    async_may_answer,
    async_say_to,
    async_send_planned,
)
from .runtime import VirtualSmsConfigEntry
from .store.changes import StatusChanged
from .store.home import Kind

EVENT_ALERT: Final = f"{DOMAIN}_alert"
SIGNAL_ALERT: Final[SignalType[EventData]] = SignalType(f"{DOMAIN}_alert")
"""Sent with the whole data of the event, whatever the privacy option."""
_KEEP: Final = timedelta(days=1)
"""How long an ended alert is known, for a message that is published again."""


class AlertDesk:
    """The alerts of a home: who is texted when, and who takes them."""

    def __init__(self, hass: HomeAssistant, file: HomeFile) -> None:
        """Know none before `async_load`."""
        self._hass = hass
        self._file = file
        self._alerts = Alerts()
        self._loaded: Sequence[Alert] = ()
        self._is_ready = False
        """Nothing goes on before the numbers are there: it would reach nobody."""
        self._timer = DeadlineTimer(hass, file.clock, self._async_advance)

    async def async_load(self) -> None:
        """Take up what an earlier run left."""
        rows = await self._file.async_load(Kind.ALERT)
        self._loaded = tuple(map(Alert.read, rows))
        self._alerts = Alerts(self._loaded)

    async def async_resume(self) -> None:
        """Go on with it, once the home has started, and its numbers are set up."""
        self._async_forget_old()
        loaded, self._loaded = self._loaded, ()
        for alert in loaded:
            if alert.is_open or alert.is_unfinished:
                await self._async_resume(alert.alert_id)
        self._is_ready = True
        self._async_advance()

    async def async_start(self, plan: Plan) -> None:
        """Begin an alert: it is on disk when this returns, and texts go out then."""
        await self._file.async_open()
        code, now = self._alerts.next_code, self._file.clock.now()
        alert = self._alerts.put(start(plan, code, now, _new_id))
        try:
            await self._file.async_store(Kind.ALERT, alert.alert_id, alert.write())
        except BaseException:
            self._alerts.forget(alert.alert_id)
            raise
        self._async_put(alert, [*alert.messages])

    @callback
    def async_cancel(self, alert_id: str | None, tag: str | None) -> bool:
        """End alerts by their id or tag; say whether any has such an id."""
        found = [
            each
            for each in self._alerts.everything
            if each.alert_id == alert_id or (tag is not None and each.plan.tag == tag)
        ]
        now = self._file.clock.now()
        for alert in found:
            if alert.is_open:
                self._async_put(alert.move(AlertState.CANCELED, now))
        return bool(found)

    @callback
    def async_count(self, line: str) -> int:
        """Count the open alerts that use the line of an entry."""
        return sum(line in each.lines for each in self._alerts.open)

    @callback
    def async_find_taken(self, message_id: str) -> str | None:
        """Return the alert that a message has acknowledged already."""
        alert = self._alerts.find_taken(message_id)
        return alert.alert_id if alert else None

    @callback
    def async_find(self, incoming: Incoming) -> Match | None:
        """Return the alert that a message acknowledges."""
        found = self._alerts.find_meant(
            incoming.text, incoming.sender, incoming.contact_id
        )
        if found is None or not incoming.may_answer(found[1].at):
            return None
        alert, message = found

        def take() -> None:
            now = self._file.clock.now()
            message_id = incoming.message_id
            self._async_put(alert.acknowledge(message.person, message_id, now, _new_id))

        return Match(item_id=alert.alert_id, at=message.at, take=take)

    @callback
    def async_miss(self, incoming: Incoming) -> None:
        """Leave any other message to whoever it is for."""

    async def _async_resume(self, alert_id: str) -> None:
        """See to what a crash has cut short, by what the lines know of it."""
        before = self._alerts.get(alert_id)
        unsent = [
            each
            for each in before.pending
            if await async_is_unsent(self._hass, each.person, each.message_id)
        ]
        ended = [
            each.message_id for each in before.current if await self._has_ended(each)
        ]
        # Somebody may have taken it meanwhile.
        alert = self._alerts.get(alert_id)
        unsent = [each for each in unsent if each in alert.pending]
        if alert.is_open:
            for message_id in ended:
                alert = alert.fail(message_id)
            if unsent:
                # It could not be sent before: its step begins now.
                alert = alert.restart_step(self._file.clock.now())
        self._async_put(alert, unsent)

    async def _has_ended(self, message: AlertMessage) -> bool:
        line = message.person.line
        state = await async_look_up(self._hass, line, message.message_id)
        return state is not None and has_ended_badly(state.status)

    @callback
    def _async_put(
        self, alert: Alert, planned: list[AlertMessage | Notice] | None = None
    ) -> None:
        """Remember an alert as it is now, write it, and do what follows from it."""
        if planned is None:
            before = _list_planned(self._alerts.get(alert.alert_id))
            planned = [each for each in _list_planned(alert) if each not in before]
        writing = self._async_save(alert)
        self._async_spawn(self._async_follow(alert, writing, planned))
        self._timer.async_set(self._alerts.next_due)

    async def _async_follow(
        self,
        alert: Alert,
        writing: asyncio.Future[None],
        planned: list[AlertMessage | Notice],
    ) -> None:
        """Publish what is on disk, and send what it plans."""
        if not await async_is_written(writing):
            return
        self._async_publish(alert)
        sends = [self._async_send(alert, each) for each in planned]
        if not alert.is_open:
            sends += [self._async_withdraw(each) for each in alert.messages]
        await asyncio.gather(*sends)
        if not alert.is_open:
            self._async_save(self._alerts.get(alert.alert_id).strip())

    @callback
    def _async_publish(self, alert: Alert) -> None:
        """Publish what is on disk of the changes, then note that."""
        current = self._alerts.get(alert.alert_id)
        changes = [each for each in current.unpublished if each in alert.unpublished]
        if not changes:
            return
        for change in changes:
            data = _describe(alert, change)
            async_dispatcher_send(self._hass, SIGNAL_ALERT, data)
            self._hass.bus.async_fire(EVENT_ALERT, self._redact(alert, data))
        self._async_save(current.publish(changes))

    def _redact(self, alert: Alert, data: EventData) -> dict[str, object]:
        """Return what an event may tell, by the privacy of the line that was answered."""
        line = alert.taken_by.line if alert.taken_by else ""
        entry = self._hass.config_entries.async_get_entry(line)
        privacy = get_privacy(entry) if entry else Privacy.METADATA
        return dict(privacy.redact(data))

    async def _async_send(self, alert: Alert, planned: AlertMessage | Notice) -> None:
        """Send something that is planned, unless it is too late for it."""
        if isinstance(planned, Notice):
            await self._async_send_notice(alert, planned)
        elif self._alerts.get(alert.alert_id).is_open:
            text = await self._async_write_text(alert, planned.person)
            failed = await async_send_planned(
                self._hass, planned.person, planned.message_id, text
            )
            if failed is not None:
                self._async_fail(alert.alert_id, planned.message_id)

    async def _async_send_notice(self, alert: Alert, notice: Notice) -> None:
        """Let somebody who was alerted know who took it."""
        person, taker = notice.person, alert.taken_by
        if taker is None or not await async_may_answer(self._hass, person):
            return
        is_own = taker.key == person.key
        key = "alert_taken_by_you" if is_own else "alert_taken"
        words = {"message": alert.plan.text, **({} if is_own else {"who": taker.shown})}
        text = await async_say_to(self._hass, person, key, words)
        await async_send_planned(self._hass, person, notice.message_id, text)

    async def _async_write_text(self, alert: Alert, person: Person) -> str:
        """Return what somebody is texted: which answer is meant for which of several."""
        text = alert.plan.text
        if len(self._alerts.list_texted(person)) <= 1:
            return text
        words = {"answer": f"{alert.plan.words[0]} {alert.code}"}
        return (
            f"{text}\n{await async_say_to(self._hass, person, 'alert_answer', words)}"
        )

    async def _async_withdraw(self, message: AlertMessage) -> None:
        """Keep a text that waits for its provider from going out when it is over."""
        await async_withdraw(self._hass, message.person.line, message.message_id)

    @callback
    def async_follow(self, entry: VirtualSmsConfigEntry, change: StatusChanged) -> None:
        """Move on where nobody is reached."""
        if has_ended_badly(change.status):
            alert = self._alerts.find_by_message(change.message_id)
            if alert is not None:
                self._async_fail(alert.alert_id, change.message_id)

    @callback
    def _async_fail(self, alert_id: str, message_id: str) -> None:
        self._async_put(self._alerts.get(alert_id).fail(message_id))
        self._async_advance()

    @callback
    def _async_advance(self) -> None:
        """Bring each alert to where it has to be now."""
        if not self._is_ready:
            return
        now = self._file.clock.now()
        for alert in self._alerts.open:
            later = advance(alert, now, _new_id)
            if later is not alert:
                self._async_put(later)
        self._async_forget_old()
        self._timer.async_set(self._alerts.next_due)

    @callback
    def _async_forget_old(self) -> None:
        """Forget what nobody can take, or ask for, any more."""
        for alert in self._alerts.take_old(self._file.clock.now() - _KEEP):
            self._file.async_delete(Kind.ALERT, alert.alert_id)

    @callback
    def _async_save(self, alert: Alert) -> asyncio.Future[None]:
        """Remember an alert as it is now, and begin to write it."""
        self._alerts.put(alert)
        return self._file.async_save(Kind.ALERT, alert.alert_id, alert.write())

    @callback
    def _async_spawn(self, work: Coroutine[object, object, None]) -> None:
        self._hass.async_create_background_task(work, f"{DOMAIN} alert")


ALERTS: HassKey[AlertDesk] = HassKey(f"{DOMAIN}_alerts")


def _describe(alert: Alert, change: AlertChange) -> dict[str, object]:
    """Return the data of the event of a change."""
    taker = alert.taken_by
    return {
        "alert_id": alert.alert_id,
        "tag": alert.plan.tag,
        "state": change.state.value,
        "step": change.step,
        "round": change.round,
        "contact": taker and taker.name,
        "contact_id": taker and taker.contact_id,
    }


def _list_planned(alert: Alert) -> list[AlertMessage | Notice]:
    return [*alert.messages, *alert.notices]


def _new_id() -> str:
    return uuid4().hex
