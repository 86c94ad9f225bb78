"""The household of the demo: who is known, whom the home believes, and its automations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..home import Home, Json

PIN: Final = "blue42"
STRANGER: Final = "+14155550100"
GROUP: Final = "Family"
GARAGE, LEAK = "input_boolean.garage_door", "input_boolean.water_leak"
ALARM: Final = "Water leak in the cellar!"


@dataclass(frozen=True)
class Person:
    """A contact as a newcomer would add them, and the provider that texts them."""

    name: str
    number: str
    provider: str
    rights: Mapping[str, object] = field(default_factory=dict)
    secret: Mapping[str, object] = field(default_factory=dict)

    @property
    def forms(self) -> tuple[Json, ...]:
        """Return what is filled in, form by form."""
        first = {"name": self.name, "numbers": [self.number], **self.rights}
        return (first, dict(self.secret)) if self.secret else (first,)

    @property
    def entity_id(self) -> str:
        """Return the entity that texts them."""
        return f"notify.{self.name.lower()}"


SAM = Person(
    "Sam",
    "+33639980101",
    "twilio",
    rights={"may_command": True, "code": "pin"},
    secret={"pin": PIN},
)
ALEX = Person("Alex", "+33612345678", "twilio")
KIM = Person("Kim", "+33639980102", "ovh")
PEOPLE: Final = (SAM, ALEX, KIM)

_THINGS: Final = (("Garage door", "mdi:garage-open"), ("Water leak", "mdi:water-alert"))
_REPLY: Final = {
    "config_entry_id": "{{ trigger.entry_id }}",
    "to": "{{ trigger.sender }}",
}
_AUTOMATIONS: Final[Mapping[str, Json]] = {
    "answer": {
        "alias": "Answer whom the home knows",
        "description": "Texts back what a contact wrote, and says nothing to strangers",
        "triggers": [
            {"trigger": "virtual_sms.message_received", "options": {"trust": ["known"]}}
        ],
        "actions": [
            {
                "action": "virtual_sms.send_message",
                "data": {**_REPLY, "message": "The house heard: {{ trigger.text }}"},
            }
        ],
        # Nobody should be answered twice at a time.
        "mode": "queued",
    },
    "garage": {
        "alias": "Open the garage by SMS",
        "description": "Only for who may command, with the right code",
        "triggers": [
            {
                "trigger": "virtual_sms.message_received",
                "options": {"match": "equals", "text": "open garage"},
            }
        ],
        "actions": [
            {
                "action": "input_boolean.turn_on",
                "target": {"entity_id": GARAGE},
            },
            {
                "action": "virtual_sms.send_message",
                "data": {**_REPLY, "message": "The garage is opening."},
            },
        ],
        "mode": "queued",
    },
    "leak": {
        "alias": "Alarm until somebody answers",
        "description": "Texts Sam, then calls Sam, then texts Kim by the other provider",
        "triggers": [{"trigger": "state", "entity_id": LEAK, "to": "on"}],
        "actions": [
            {
                "action": "virtual_sms.alert",
                "data": {
                    "message": ALARM,
                    "steps": [
                        {"contacts": [SAM.entity_id]},
                        {"contacts": [SAM.entity_id], "call": True},
                        {"contacts": [KIM.entity_id]},
                    ],
                    "step_after": {"minutes": 1},
                },
            }
        ],
        "mode": "single",
    },
}


async def move_in(home: Home, entry_ids: Mapping[str, str]) -> None:
    """Add the contacts, their group, what they steer, and the automations.

    `entry_ids` are those of the numbers, by provider.
    """
    for person in PEOPLE:
        await _add(home, entry_ids[person.provider], "contact", person.forms)
    family = {"name": GROUP, "members": [SAM.name, ALEX.name]}
    await _add(home, entry_ids["twilio"], "group", (family,))
    for name, icon in _THINGS:
        await home.command("input_boolean/create", name=name, icon=icon)
    for name, automation in _AUTOMATIONS.items():
        await home.ask("POST", f"/api/config/automation/config/{name}", automation)


async def _add(home: Home, entry_id: str, kind: str, forms: Sequence[Json]) -> None:
    path = "/api/config/config_entries/subentries/flow"
    await home.walk(path, [entry_id, kind], forms)
