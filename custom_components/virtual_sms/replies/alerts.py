"""Alarm people step by step, until one of them acknowledges."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.signal_type import SignalType

from ..actions.planned import (
    Planned,
    Spoken,
    async_call_planned,
    async_find_planned,
    async_may_answer,
    async_refuse_locked,
    async_send_planned,
    new_message_id,
)
from ..actions.sending import Failed
from ..adapters.call_models import CallState
from ..bus import EventData, Unquoted
from ..const import DOMAIN
from ..core.alerts import Alerts
from ..core.escalation import (
    Alert,
    AlertMessage,
    AlertState,
    Notice,
    Plan,
    advance,
    start,
)
from ..core.person import Person
from ..core.waiting import has_ended_badly
from ..home_file import KEEP, HomeFile, async_is_written, read_all
from ..lines import async_find_gateway, async_is_resting, async_withdraw
from ..runtime import VirtualSmsConfigEntry
from ..store.changes import CallChanged, StatusChanged
from ..store.home import Kind
from .alert_report import async_describe_shown, describe_change
from .alert_texts import async_write_alert, async_write_notice
from .answering import Incoming, Match
from .deadline_timer import DeadlineTimer

EVENT_ALERT: Final = f"{DOMAIN}_alert"
SIGNAL_ALERT: Final[SignalType[Unquoted[EventData]]] = SignalType(f"{DOMAIN}_alert")
"""Sent with the whole data of the event, whatever the privacy option."""

type ToSend = AlertMessage | Notice

_NO_KEY: Final = "not_acknowledged"


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
        self._begun: set[str] = set()
        """What this run has begun to send, by the ids: that is done once only."""
        self._waiting: set[str] = set()
        """What is for a line at rest: nobody knows whether an earlier run sent it."""
        self._timer = DeadlineTimer(hass, file.clock, self._async_advance)

    async def async_load(self) -> None:
        """Take up what an earlier run left."""
        rows = await self._file.async_load(Kind.ALERT)
        self._loaded = read_all(rows, Alert.read)
        self._alerts = Alerts(self._loaded)

    async def async_resume(self) -> None:
        """Go on with it, once the home has started, and its numbers are set up."""
        self._async_forget_old()
        loaded, self._loaded = {each.alert_id for each in self._loaded}, ()
        for alert in self._alerts.everything:
            is_left = alert.is_open or alert.is_unfinished
            if is_left and alert.alert_id in loaded:
                await self._async_resume(alert, alert.pending)

    @callback
    def async_begin(self) -> None:
        """Let alerts go on to their next steps, once it is known who has answered."""
        self._is_ready = True
        self._async_advance()

    @callback
    def async_list_over(self, line: str) -> Sequence[str]:
        """List the messages by a line whose alert is over."""
        return self._alerts.list_over(line)

    @callback
    def async_resume_line(self, line: str) -> None:
        """Go on with what waited for a number that is at work now."""
        for alert in self._alerts.everything:
            planned = [
                each
                for each in alert.pending
                if each.person.line == line and each.message_id in self._waiting
            ]
            if planned:
                self._waiting.difference_update(each.message_id for each in planned)
                self._async_spawn(self._async_resume(alert, planned))

    async def async_start(self, plan: Plan) -> None:
        """Begin an alert: it is on disk when this returns, and texts go out then."""
        await self._file.async_open()
        code, now = self._alerts.next_code, self._file.clock.now()
        alert = self._alerts.put(start(plan, code, now, new_message_id))
        try:
            await self._file.async_store(Kind.ALERT, alert.alert_id, alert.write())
        except BaseException:
            if self._alerts.get(alert.alert_id) is alert:
                self._alerts.forget(alert.alert_id)
            raise
        # It may have been canceled, or have gone on, while it was written.
        current = self._alerts.get(alert.alert_id)
        self._async_put(current, alert.messages if current.is_open else ())

    @callback
    def async_cancel(self, alert_id: str | None, tag: str | None) -> bool:
        """End alerts by their id or tag; say whether any has such an id."""
        found = [
            each
            for each in self._alerts.everything
            if each.alert_id == alert_id or (tag is not None and each.plan.tag == tag)
        ]
        self._async_cancel(each for each in found if each.is_open)
        return bool(found)

    @callback
    def async_cancel_all(self) -> None:
        """End all alerts: there is no number left that could alarm anybody."""
        self._async_cancel(self._alerts.open)

    @callback
    def _async_cancel(self, alerts: Iterable[Alert]) -> None:
        now = self._file.clock.now()
        for alert in alerts:
            self._async_put(alert.move(AlertState.CANCELED, now))

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
            self._async_take(alert, message.person, incoming.message_id)

        return Match(item_id=alert.alert_id, at=message.at, take=take)

    @callback
    def async_miss(self, incoming: Incoming) -> None:
        """Leave any other message to whoever it is for."""

    @callback
    def _async_take(self, alert: Alert, person: Person, with_id: str) -> None:
        """Let an alert rest: somebody has acknowledged it by a message, or a call."""
        now = self._file.clock.now()
        self._async_put(alert.acknowledge(person, with_id, now, new_message_id))

    async def _async_resume(self, alert: Alert, planned: Sequence[ToSend]) -> None:
        """See to what a crash has cut short, by what the lines know of it."""
        unsent = []
        for each in planned:
            match await async_find_planned(self._hass, each.person, each.message_id):
                case Planned.UNKNOWN:
                    self._waiting.add(each.message_id)
                case Planned.UNSENT:
                    unsent.append(each)
                case state:
                    self._async_handle(state)
        # Somebody may have taken it meanwhile.
        alert = self._alerts.get(alert.alert_id)
        unsent = [each for each in unsent if each in alert.pending]
        if alert.is_open and unsent:
            # It could not be sent before: its step begins now.
            alert = alert.restart_step(self._file.clock.now())
        self._async_put(alert, unsent)

    @callback
    def _async_put(self, alert: Alert, planned: Sequence[ToSend] | None = None) -> None:
        """Remember an alert as it is now, write it, and do what follows from it."""
        if planned is None:
            before = _list_planned(self._alerts.get(alert.alert_id))
            planned = [each for each in _list_planned(alert) if each not in before]
        planned = [each for each in planned if each.message_id not in self._begun]
        self._begun.update(each.message_id for each in planned)
        writing = self._async_save(alert)
        self._async_spawn(self._async_follow(alert, writing, planned))
        self._timer.async_set(self._alerts.next_due)

    async def _async_follow(
        self,
        alert: Alert,
        writing: asyncio.Future[None],
        planned: Sequence[ToSend],
    ) -> None:
        """Publish what is on disk, and send what it plans."""
        if not await async_is_written(writing):
            return
        self._async_publish(alert)
        sends = [self._async_send(alert, each) for each in planned]
        if not alert.is_open:
            # Who listens to a call just now hears it to its end: a phone that goes
            # dead in an alarm frightens, and who took it comes by SMS.
            for each in alert.messages:
                line, message_id = each.person.line, each.message_id
                sends.append(async_withdraw(self._hass, line, message_id))
        await asyncio.gather(*sends)
        if not alert.is_open:
            self._async_strip(alert.alert_id)

    @callback
    def _async_strip(self, alert_id: str) -> None:
        """Keep no text that nobody is sent any more."""
        alert = self._alerts.get(alert_id)
        if any(each.message_id in self._waiting for each in alert.notices):
            return
        self._async_save(alert.strip())
        over = {each.message_id for each in _list_planned(alert)}
        self._begun -= over
        self._waiting -= over

    @callback
    def _async_publish(self, alert: Alert) -> None:
        """Publish what is on disk of the changes, then note that."""
        current = self._alerts.get(alert.alert_id)
        changes = [each for each in current.unpublished if each in alert.unpublished]
        if not changes:
            return
        for change in changes:
            data = describe_change(alert, change)
            async_dispatcher_send(self._hass, SIGNAL_ALERT, Unquoted(data))
            shown = async_describe_shown(self._hass, alert, change)
            self._hass.bus.async_fire(EVENT_ALERT, shown)
        self._async_save(current.publish(changes))

    async def _async_send(self, alert: Alert, planned: ToSend) -> None:
        """Send something that is planned, unless it is too late for it."""
        if self._async_must_wait(alert, planned):
            self._async_wait(planned)
        elif isinstance(planned, Notice):
            await self._async_send_notice(alert, planned)
        elif self._alerts.get(alert.alert_id).is_open:
            failed = await self._async_reach(alert, planned)
            # Its line may have been unloaded under it, such as for an option.
            if failed and self._async_must_wait(alert, planned):
                self._async_wait(planned)
            elif failed:
                self._async_fail(alert.alert_id, planned.message_id, failed.reason)

    @callback
    def _async_wait(self, planned: ToSend) -> None:
        """Send it when its line is at work again."""
        self._begun.discard(planned.message_id)
        self._waiting.add(planned.message_id)

    @callback
    def _async_must_wait(self, alert: Alert, planned: ToSend) -> bool:
        """Say whether something is sent when its line is at work again.

        Whom to alarm next is better than to wait, where a line is at work for that.
        """
        if not async_is_resting(self._hass, planned.person.line):
            return False
        lines = (async_find_gateway(self._hass, each) for each in alert.lines)
        return isinstance(planned, Notice) or not any(lines)

    async def _async_reach(self, alert: Alert, message: AlertMessage) -> Failed | None:
        """Text or call somebody, and return why that surely fails.

        Who is locked is skipped.
        """
        person, message_id = message.person, message.message_id
        if refused := async_refuse_locked(self._hass, person):
            return refused
        is_one_of_several = len(self._alerts.list_texted(person)) > 1
        code = alert.code if is_one_of_several else None
        text = await async_write_alert(self._hass, alert.plan, person, code)
        if not alert.is_call(message):
            return await async_send_planned(self._hass, person, message_id, text)
        spoken = Spoken(text=alert.plan.text, digit=alert.plan.digit)
        return await async_call_planned(self._hass, person, message_id, spoken, text)

    async def _async_send_notice(self, alert: Alert, notice: Notice) -> None:
        """Let somebody who was alerted know who took it."""
        person, taker = notice.person, alert.taken_by
        if taker is None or not await async_may_answer(self._hass, person):
            return
        text = await async_write_notice(self._hass, alert.plan, person, taker)
        await async_send_planned(self._hass, person, notice.message_id, text)

    @callback
    def async_follow(
        self, _entry: VirtualSmsConfigEntry, change: StatusChanged | CallChanged
    ) -> None:
        """Move on where nobody is reached, and rest where somebody presses the key."""
        self._async_handle(change)

    @callback
    def _async_handle(self, change: StatusChanged | CallChanged) -> None:
        match change:
            case StatusChanged():
                self._async_handle_status(change)
            case CallChanged():
                self._async_handle_call(change)

    @callback
    def _async_handle_status(self, change: StatusChanged) -> None:
        alert = self._alerts.find_by_message(change.message_id)
        if alert is not None and has_ended_badly(change.status):
            reason = change.reason or change.status
            self._async_fail(alert.alert_id, change.message_id, reason.value)

    @callback
    def _async_handle_call(self, change: CallChanged) -> None:
        """Handle what becomes of a call: without the key it is nobody's.

        A voicemail answers as well, and presses nothing.
        """
        call_id = change.call_id
        alert = self._alerts.find_by_message(call_id)
        if alert is None:
            return
        if change.digits is not None:
            self._async_take(alert, alert.get_message(call_id).person, call_id)
        elif change.state.is_final:
            was_heard = change.state is CallState.COMPLETED
            reason = _NO_KEY if was_heard else (change.reason or change.state).value
            self._async_fail(alert.alert_id, call_id, reason, was_heard=was_heard)

    @callback
    def _async_fail(
        self, alert_id: str, message_id: str, reason: str, *, was_heard: bool = False
    ) -> None:
        alert = self._alerts.get(alert_id)
        self._async_put(alert.fail(message_id, reason, was_heard=was_heard))
        self._async_advance()

    @callback
    def _async_advance(self) -> None:
        """Bring each alert to where it has to be now."""
        if not self._is_ready:
            return
        self._file.async_note_clock()
        now = self._file.clock.now()
        for alert in self._alerts.open:
            later = advance(alert, now, new_message_id)
            if later is not alert:
                self._async_put(later)
        self._async_forget_old()
        self._timer.async_set(self._alerts.next_due)

    @callback
    def _async_forget_old(self) -> None:
        """Forget what nobody can take, or ask for, any more."""
        for alert in self._alerts.take_old(self._file.clock.now() - KEEP):
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


def _list_planned(alert: Alert) -> list[ToSend]:
    return [*alert.messages, *alert.notices]
