"""Start automations: when a message comes in, when one of ours or a call gets on.

A trigger sees each message itself, not the state of an entity: so a burst starts one run
for each message, a reload starts none, and privacy hides nothing from it.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_TARGET
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import (
    NotTriggeredInfo,
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)

from .actions.people_fields import written_text
from .adapters.call_models import CallState, Direction
from .adapters.models import DeliveryStatus
from .bus import EventData, async_listen, get_privacy
from .core.text_match import InvalidPatternError, Match, TextMatch
from .people.trust import async_trust
from .replies.home_trigger import AlertChangedTrigger, QuestionAnsweredTrigger
from .runtime import VirtualSmsConfigEntry
from .store.changes import CallChanged, Change, Received, StatusChanged
from .target import Target

if TYPE_CHECKING:
    from homeassistant.helpers.typing import ConfigType
    import probatio as vol
else:
    import voluptuous as vol

CONF_ANSWERS: Final = "answers"
CONF_DIRECTION: Final = "direction"
CONF_LATE: Final = "late"
CONF_MATCH: Final = "match"
CONF_STATE: Final = "state"
CONF_STATUS: Final = "status"
CONF_TEXT: Final = "text"
CONF_TRUST: Final = "trust"

DIRECTION_ANY: Final = "any"
LATE_ANY, LATE_ONLY, LATE_EXCLUDE = "any", "only", "exclude"
TRUSTED, UNPROVEN, LOCKED = "trusted", "unproven", "locked"
TRUST: Final = ("unknown", "known", TRUSTED, UNPROVEN, LOCKED)

type Payload = dict[str, Any]


def _check_pattern(options: ConfigType) -> ConfigType:
    """Refuse a pattern that cannot be read while it can still be mended."""
    try:
        TextMatch(options[CONF_MATCH], options[CONF_TEXT])
    except InvalidPatternError as err:
        raise vol.Invalid(f"The pattern cannot be read: {err}") from err
    return options


_RECEIVED_OPTIONS = vol.Schema(
    vol.All(
        vol.Schema(
            {
                vol.Optional(CONF_TRUST, default=lambda: [TRUSTED]): vol.All(
                    cv.ensure_list, [vol.In(TRUST)]
                ),
                vol.Optional(CONF_LATE, default=LATE_EXCLUDE): vol.In(
                    (LATE_ANY, LATE_ONLY, LATE_EXCLUDE)
                ),
                vol.Optional(CONF_MATCH, default=Match.ANY.value): vol.Coerce(Match),
                vol.Optional(CONF_TEXT, default=""): written_text,
                vol.Optional(CONF_ANSWERS, default=False): cv.boolean,
            }
        ),
        _check_pattern,
    )
)
_STATUS_OPTIONS = vol.Schema(
    {
        vol.Optional(
            CONF_STATUS,
            default=lambda: [DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED],
        ): vol.All(cv.ensure_list, [vol.Coerce(DeliveryStatus)]),
    }
)
_CALL_OPTIONS = vol.Schema(
    {
        vol.Optional(CONF_DIRECTION, default=DIRECTION_ANY): vol.In(
            (DIRECTION_ANY, *map(str, Direction))
        ),
        vol.Optional(
            CONF_STATE,
            default=lambda: [each for each in CallState if each.rank],
        ): vol.All(cv.ensure_list, [vol.Coerce(CallState)]),
    }
)


class ChangeTrigger(Trigger):
    """A trigger that is asked about each change of each number."""

    _options_schema: ClassVar[vol.Schema]

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Validate what was configured, and fill in what was left out."""
        schema = vol.Schema(
            {
                vol.Optional(CONF_TARGET): cv.TARGET_FIELDS,
                vol.Required(CONF_OPTIONS, default=dict): cls._options_schema,
            }
        )
        return cast("ConfigType", schema(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what was configured."""
        super().__init__(hass, config)
        self._target = config.target
        self._options: Mapping[str, Any] = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the automation at each change that fits, until told to stop."""

        @callback
        def handle(
            entry: VirtualSmsConfigEntry, change: Change, data: EventData
        ) -> None:
            payload = self._read(change, data)
            if payload is None or not self._is_meant(data):
                return
            reason = self._find_reason(data)
            if reason is None:
                # The logbook and the recorder keep the description.
                shown = get_privacy(entry).redact(data)
                run_action({**data, **payload}, self._describe(shown))
            elif did_not_trigger is not None:
                did_not_trigger(NotTriggeredInfo(reason))

        return async_listen(self._hass, None, handle)

    def _is_meant(self, data: EventData) -> bool:
        """Say whether a change concerns the target: without one, all are meant."""
        return not self._target or Target.find(self._hass, self._target).covers(data)

    @abstractmethod
    def _read(self, change: Change, data: EventData) -> Payload | None:
        """Return what else is known of a change that fits; None for one that does not."""

    @abstractmethod
    def _describe(self, data: EventData) -> str:
        """Say in the logbook what happened, of what may be shown."""

    def _find_reason(self, data: EventData) -> str | None:
        """Return the code of why a change that fits must not start anything."""
        return None


class MessageReceivedTrigger(ChangeTrigger):
    """A message came in."""

    _options_schema = _RECEIVED_OPTIONS

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Read the pattern once."""
        super().__init__(hass, config)
        options = self._options
        self._text = TextMatch(Match(options[CONF_MATCH]), options[CONF_TEXT])

    @override
    def _read(self, change: Change, data: EventData) -> Payload | None:
        if not isinstance(change, Received):
            return None
        if data.get("answer_to") is not None and not self._options[CONF_ANSWERS]:
            return None
        found = self._text.find(change.message.text)
        if found is not None:
            return {"match": dict(found)}
        # A wrong code is still in the text, and keeps it from being the right one.
        meant = map(self._text.find, self._leave_out_guesses(data))
        return {} if any(each is not None for each in meant) else None

    def _leave_out_guesses(self, data: EventData) -> list[str]:
        """Return what the text may have been without the wrong code in it."""
        trust, contact_id = data.get("trust"), data.get("contact_id")
        if trust not in {UNPROVEN, LOCKED} or trust in self._options[CONF_TRUST]:
            return []
        known = async_trust(self._hass)
        return known.async_leave_out_guesses(str(contact_id), str(data["text"]))

    @override
    def _find_reason(self, data: EventData) -> str | None:
        """Report a near miss: the text is right, but who wrote it, or when, is not."""
        trust, late = data.get("trust", "unknown"), self._options[CONF_LATE]
        if trust not in self._options[CONF_TRUST]:
            has_wrong_code = trust == UNPROVEN and self._leave_out_guesses(data)
            return "wrong_code" if has_wrong_code else f"trust_{trust}"
        if late != LATE_ANY and bool(data["late"]) is not (late == LATE_ONLY):
            return "late" if data["late"] else "not_late"
        return None

    @override
    def _describe(self, data: EventData) -> str:
        contact = data.get("contact")
        return f"SMS from {contact}" if contact else "SMS"


class DeliveryChangedTrigger(ChangeTrigger):
    """A message of ours reached a status."""

    _options_schema = _STATUS_OPTIONS

    @override
    def _read(self, change: Change, data: EventData) -> Payload | None:
        if not isinstance(change, StatusChanged):
            return None
        return {} if change.status in self._options[CONF_STATUS] else None

    @override
    def _describe(self, data: EventData) -> str:
        contact = data.get("contact")
        return (
            f"SMS to {contact} {data['status']}" if contact else f"SMS {data['status']}"
        )


class CallChangedTrigger(ChangeTrigger):
    """A call reached a state, whoever called."""

    _options_schema = _CALL_OPTIONS

    @override
    def _read(self, change: Change, data: EventData) -> Payload | None:
        if not isinstance(change, CallChanged):
            return None
        is_meant = self._options[CONF_DIRECTION] in {DIRECTION_ANY, change.direction}
        return {} if is_meant and change.state in self._options[CONF_STATE] else None

    @override
    def _describe(self, data: EventData) -> str:
        contact = data.get("contact")
        word = "from" if data["direction"] == Direction.INBOUND else "to"
        whole = f"call {word} {contact}" if contact else "call"
        return f"{whole} {data['state']}"


TRIGGERS: Final[Mapping[str, type[Trigger]]] = {
    "message_received": MessageReceivedTrigger,
    "delivery_changed": DeliveryChangedTrigger,
    "question_answered": QuestionAnsweredTrigger,
    "alert_changed": AlertChangedTrigger,
    "call_changed": CallChangedTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of this integration."""
    return dict(TRIGGERS)
