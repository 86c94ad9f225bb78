"""Start automations: when a question is answered, and when an alert changes."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast, override

from homeassistant.const import CONF_OPTIONS, CONF_STATE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.util.signal_type import SignalType

from ..actions.people_fields import CLEAN_TEXT
from ..bus import EventData, Unquoted, get_privacy
from ..const import DOMAIN
from ..core.escalation import AlertState
from ..core.privacy import Privacy
from .alerts import SIGNAL_ALERT
from .questions import SIGNAL_ANSWERED

if TYPE_CHECKING:
    from homeassistant.helpers.typing import ConfigType
    import probatio as vol
else:
    import voluptuous as vol

CONF_TAG: Final = "tag"

_ANSWERED_OPTIONS = vol.Schema({vol.Optional(CONF_TAG): CLEAN_TEXT})
_ALERT_OPTIONS = vol.Schema(
    {
        vol.Optional(CONF_TAG): CLEAN_TEXT,
        vol.Optional(CONF_STATE, default=lambda: list(AlertState)): vol.All(
            cv.ensure_list, [vol.Coerce(AlertState)]
        ),
    }
)


class HomeTrigger(Trigger):
    """A trigger of something that belongs to no number: a tag tells it apart."""

    _options_schema: ClassVar[vol.Schema]
    _signal: ClassVar[SignalType[Unquoted[EventData]]]

    @classmethod
    @override
    async def async_validate_config(
        cls, hass: HomeAssistant, config: ConfigType
    ) -> ConfigType:
        """Validate what was configured, and fill in what was left out."""
        options = {vol.Required(CONF_OPTIONS, default=dict): cls._options_schema}
        return cast("ConfigType", vol.Schema(options)(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take what was configured."""
        super().__init__(hass, config)
        self._options: Mapping[str, Any] = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Run the automation at each change that fits, until told to stop."""

        @callback
        def handle(unquoted: Unquoted[EventData]) -> None:
            data = unquoted.content
            if self._is_meant(data):
                run_action(dict(data), self._describe(data))

        return async_dispatcher_connect(self._hass, self._signal, handle)

    def _is_meant(self, data: EventData) -> bool:
        return self._options.get(CONF_TAG) in {None, data["tag"]}

    @abstractmethod
    def _describe(self, data: EventData) -> str:
        """Say in the logbook what happened."""


class QuestionAnsweredTrigger(HomeTrigger):
    """Somebody answered a question."""

    _options_schema = _ANSWERED_OPTIONS
    _signal = SIGNAL_ANSWERED

    @override
    def _describe(self, data: EventData) -> str:
        # An answer may come in by any number, so the most private of them decides.
        entries = self._hass.config_entries.async_entries(DOMAIN)
        hides = any(get_privacy(each) is Privacy.METADATA for each in entries)
        contact = None if hides else data["contact"]
        return f"Answer from {contact}" if contact else "Answer to a question"


class AlertChangedTrigger(HomeTrigger):
    """An alert began, went on or ended."""

    _options_schema = _ALERT_OPTIONS
    _signal = SIGNAL_ALERT

    @override
    def _is_meant(self, data: EventData) -> bool:
        return super()._is_meant(data) and data["state"] in self._options[CONF_STATE]

    @override
    def _describe(self, data: EventData) -> str:
        return f"Alert {data['state']}"
