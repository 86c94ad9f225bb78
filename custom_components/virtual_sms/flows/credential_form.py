"""A provider's credential form: what it shows, and how what is typed is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import re
from typing import TYPE_CHECKING

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.util import dt as dt_util

from ..adapters.models import CredentialField
from ..adapters.plain_text import clean_pasted
from ..adapters.replaced_secret import LASTS, previous_keys
from .schemas import Form

if TYPE_CHECKING:
    import probatio as vol
else:
    import voluptuous as vol

CONF_API_URL = "api_url"
SECTION_ADVANCED = "advanced"


@dataclass(frozen=True, kw_only=True)
class CredentialForm:
    """The fields of a provider, and what an entry has stored for them already."""

    fields: Sequence[CredentialField]
    stored: Mapping[str, str] = field(default_factory=dict, repr=False)

    def schema(self, shown: Form) -> vol.Schema:
        """Return the form; rare fields are folded away unless they hold something."""
        rare = section(
            vol.Schema(self._inputs(advanced=True)),
            {"collapsed": not any(shown.get(SECTION_ADVANCED, {}).values())},
        )
        plain = self._inputs(advanced=False)
        return vol.Schema(plain | {vol.Optional(SECTION_ADVANCED): rare})

    def show(self, credentials: Mapping[str, str]) -> Form:
        """Return what the form may show of credentials: all but secrets."""
        shown = [
            each for each in self.fields if not each.secret and each.key in credentials
        ]
        plain = {each.key: credentials[each.key] for each in shown if not each.advanced}
        rare = {each.key: credentials[each.key] for each in shown if each.advanced}
        return plain | {SECTION_ADVANCED: rare}

    def fill(self, typed: Form) -> Form:
        """Return what was typed, with the rare fields as they are where none was sent.

        Whoever has not unfolded them has changed nothing there.
        """
        return {SECTION_ADVANCED: self.show(self.stored)[SECTION_ADVANCED], **typed}

    def complete(self, typed: Mapping[str, str], *, renews: bool) -> dict[str, str]:
        """Complete what was typed with the stored secrets that belong to it.

        A form shows no secrets, so one that is left empty stays for as long as the
        field it belongs to does. `renews` tells that the provider refuses what is
        stored.
        """
        credentials = dict(typed)
        for each in self.fields:
            if self._still_belongs(each, typed, renews=renews):
                credentials.setdefault(each.key, self.stored[each.key])
        for each in self.fields:
            if each.rotates and self._is_kept(self._owner(each), typed):
                credentials |= self._previous(each.key, credentials[each.key])
        return credentials

    def find_gap(self, credentials: Mapping[str, str]) -> tuple[str, str] | None:
        """Return the form's word for a field that was left empty, and the sentence on it.

        None where nothing is missing.
        """
        empty = [each for each in self.fields if each.key not in credentials]
        for each in empty:
            if each.required:
                shape = f"shape_{each.key}"
                return "invalid_auth", "secret_missing" if each.secret else shape
        wanted = {each.requires for each in self.fields if each not in empty}
        if any(each.key in wanted for each in empty):
            return "api_key_incomplete", "secret_missing"
        return None

    def find_misfit(self, credentials: Mapping[str, str]) -> str | None:
        """Name a field whose value is another's or was cut off, as far as it shows."""
        for each in self.fields:
            value = credentials.get(each.key)
            if each.shape and value and not re.fullmatch(each.shape, value):
                return each.key
        return None

    @property
    def _needed(self) -> list[CredentialField]:
        return [each for each in self.fields if each.secret and each.required]

    def _still_belongs(
        self, each: CredentialField, typed: Mapping[str, str], *, renews: bool
    ) -> bool:
        """Say whether a stored secret goes on if its field is left empty.

        One that a click can renew goes on only where no other secret is new.
        """
        if not each.secret or each.key not in self.stored:
            return False
        by_click = not each.required and each.requires is None
        if by_click and (renews or any(other.key in typed for other in self._needed)):
            return False
        return self._is_kept(self._owner(each), typed)

    def _owner(self, each: CredentialField) -> str:
        """Name the field that says whose a secret is."""
        identifying = (
            other.key for other in self.fields if other.required and not other.secret
        )
        return each.requires or next(identifying)

    def _is_kept(self, key: str, typed: Mapping[str, str]) -> bool:
        return key in self.stored and typed.get(key) == self.stored[key]

    def _previous(self, key: str, secret: str) -> dict[str, str]:
        """Keep a replaced secret for a day: it may have signed what is under way.

        What is kept without an end comes from an older version, and is over.
        """
        previous, until = previous_keys(key)
        if secret != self.stored[key]:
            end = dt_util.utcnow() + LASTS
            return {previous: self.stored[key], until: end.isoformat()}
        if previous in self.stored and until in self.stored:
            return {previous: self.stored[previous], until: self.stored[until]}
        return {}

    def _inputs(self, *, advanced: bool) -> dict[vol.Marker, TextSelector]:
        return {
            self._marker(each): TextSelector(TextSelectorConfig(type=_input_type(each)))
            for each in self.fields
            if each.advanced is advanced
        }

    def _marker(self, each: CredentialField) -> vol.Marker:
        """Let a secret that is stored be left empty."""
        is_stored = each.secret and each.key in self.stored
        kind = vol.Required if each.required and not is_stored else vol.Optional
        return kind(each.key)


def read_credentials(form: Form) -> dict[str, str]:
    """Return what was typed, without the section and empty fields.

    What is copied from a web page or a mail may hold signs that nobody sees, and
    dashes that only look like those of a key. No field has a blank inside.
    """
    flat = form | form.get(SECTION_ADVANCED, {})
    flat.pop(SECTION_ADVANCED, None)
    cleaned = {key: "".join(clean_pasted(value).split()) for key, value in flat.items()}
    return {key: text for key, text in cleaned.items() if text}


def _input_type(each: CredentialField) -> TextSelectorType:
    if each.secret:
        return TextSelectorType.PASSWORD
    return TextSelectorType.URL if each.key == CONF_API_URL else TextSelectorType.TEXT
