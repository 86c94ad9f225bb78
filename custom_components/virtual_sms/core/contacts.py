"""Know the people of a home by name: contacts, groups, and who has which number.

A contact belongs to the line by which they are texted, and is recognised on every
line of the home.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import json
import re
from typing import Final, Self
import unicodedata

from ..adapters.plain_text import clean, clean_typed

_NUMBER: Final = re.compile(r"\+[0-9]+")


class CodeKind(StrEnum):
    """How a contact proves that it is they who command."""

    NONE = "none"
    PIN = "pin"
    TOTP = "totp"


class ContactStatus(StrEnum):
    """Whether a contact can be reached, and may be heard."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    OPTED_OUT = "opted_out"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """What the status of a contact follows from."""

    is_undelivered: bool = False
    """The last message whose end is known did not arrive."""
    has_opted_out: bool = False
    is_locked: bool = False

    @property
    def is_reachable(self) -> bool:
        """Say whether messages to them arrive, as far as is known.

        Also while they are locked: somebody else may have done that in their name.
        """
        return not self.has_opted_out and not self.is_undelivered

    @property
    def status(self) -> ContactStatus:
        """Return the status: what a person has to act upon comes first."""
        if self.is_locked:
            return ContactStatus.LOCKED
        if self.has_opted_out:
            return ContactStatus.OPTED_OUT
        if self.is_undelivered:
            return ContactStatus.UNREACHABLE
        return ContactStatus.REACHABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person: the first of `numbers` is texted, all are recognised.

    `person_id` is the registry id of a person entity. `language` is that of automatic
    answers, None for the home's. `assist` names the conversation agent that answers
    them, None for nobody.
    """

    contact_id: str
    entry_id: str
    name: str = field(repr=False)
    numbers: tuple[str, ...] = field(repr=False)
    person_id: str | None = None
    may_command: bool = False
    code: CodeKind = CodeKind.NONE
    language: str | None = None
    assist: str | None = None

    @property
    def own_id(self) -> str:
        """Return its id among contacts and groups alike."""
        return self.contact_id

    @property
    def addressee(self) -> Addressee:
        """Return what a message to them keeps of them."""
        return Addressee(contact_id=self.contact_id, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Several people under one name; `members` are contacts of any line."""

    group_id: str
    entry_id: str
    name: str = field(repr=False)
    members: tuple[str, ...] = ()

    @property
    def own_id(self) -> str:
        """Return its id among contacts and groups alike."""
        return self.group_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whom a message went to, as it is remembered when the contact is gone."""

    contact_id: str
    name: str = field(repr=False)

    def write(self) -> str:
        """Return what is stored with a message."""
        return json.dumps([self.contact_id, self.name])

    @classmethod
    def read(cls, stored: str | None) -> Self | None:
        """Read what is stored with a message; None where nobody can be read of it."""
        try:
            found = json.loads(stored) if stored else None
        except ValueError:
            return None
        match found:
            case [str(contact_id), str(name)]:
                return cls(contact_id=contact_id, name=name)
        return None


class Directory:
    """All contacts and groups of a home, on all of its lines.

    Whatever is looked up is looked up in a table, however many people there are.
    """

    def __init__(
        self, contacts: Iterable[Contact] = (), groups: Iterable[Group] = ()
    ) -> None:
        """Take them in the order in which they were added."""
        self._contacts = {each.contact_id: each for each in contacts}
        self._groups = {each.group_id: each for each in groups}
        self._owners: dict[str, list[Contact]] = {}
        for contact in self._contacts.values():
            for number in contact.numbers:
                self._owners.setdefault(number, []).append(contact)
        self._names: dict[str, list[Contact | Group]] = {}
        for each in self.everybody:
            self._names.setdefault(name_key(each.name), []).append(each)

    @property
    def everybody(self) -> Sequence[Contact | Group]:
        """List the contacts, then the groups, of all lines."""
        return [*self._contacts.values(), *self._groups.values()]

    @property
    def contacts(self) -> Sequence[Contact]:
        """List the contacts of all lines."""
        return list(self._contacts.values())

    @property
    def groups(self) -> Sequence[Group]:
        """List the groups of all lines."""
        return list(self._groups.values())

    def get(self, some_id: str) -> Contact | Group | None:
        """Return the contact or the group of an id."""
        return self._contacts.get(some_id) or self._groups.get(some_id)

    def get_contact(self, contact_id: str) -> Contact | None:
        """Return the contact of an id."""
        return self._contacts.get(contact_id)

    def get_group(self, group_id: str) -> Group | None:
        """Return the group of an id."""
        return self._groups.get(group_id)

    def of_line(self, entry_id: str) -> Sequence[Contact | Group]:
        """List the contacts, then the groups, of a line."""
        return [each for each in self.everybody if each.entry_id == entry_id]

    def find_sender(self, sender: str, entry_id: str | None = None) -> Contact | None:
        """Return whose number a sender is, of the line's own contacts first.

        A name that a sender gives itself is nobody's, whoever is called so.
        """
        owners = self._owners.get(sender) if _NUMBER.fullmatch(sender) else None
        if not owners:
            return None
        own = (each for each in owners if each.entry_id == entry_id)
        return next(own, owners[0])

    def find_named(
        self, name: str, entry_id: str | None = None
    ) -> Sequence[Contact | Group]:
        """List who is called so, on one line or on all of them."""
        found = self._names.get(name_key(name), ())
        return [each for each in found if entry_id in (None, each.entry_id)]

    def members(self, group: Group) -> Sequence[Contact]:
        """List the contacts of a group, each once; a group in a group is none."""
        ids = dict.fromkeys(group.members)
        found = (self._contacts.get(each) for each in ids)
        return [each for each in found if each is not None]


def read_name(typed: str) -> str:
    """Return a name on one line; nothing where nobody can see any of it."""
    return " ".join(clean(typed).split()) if name_key(typed) else ""


def name_key(name: str) -> str:
    """Return what is compared of a name: what can be seen of it."""
    plain = unicodedata.normalize("NFKC", clean_typed(name))
    return " ".join(plain.casefold().split())
