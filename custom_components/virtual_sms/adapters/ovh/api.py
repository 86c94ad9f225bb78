"""Questions to OVHcloud's API: about a number, and about many records at once."""

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, override
from urllib.parse import quote, unquote

from ..base import SmsAdapter
from ..errors import (
    InvalidResponseError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    RateLimitedError,
    SmsError,
)
from ..models import PhoneNumber
from .client import BATCH, Access, Request
from .errors import translate
from .exchange import TIME, Exchange
from .records import read_batch, read_clock, read_ids
from .values import spellings

_MOST_FAILURES: Final = 3
"""Records that may fail one after another before it is the provider that does."""


class OvhApi(SmsAdapter, ABC):
    """Ask OVHcloud; what for is the adapter's."""

    @override
    def __init__(self, credentials: Mapping[str, str], **tools: Any) -> None:
        super().__init__(credentials, **tools)
        self._exchange = Exchange(
            self._session, self._access(), self._run_blocking, self.note_date
        )
        self._spellings: dict[str, tuple[str, ...]] = {}

    def _access(self) -> Access:
        secrets = ("application_key", "application_secret", "consumer_key")
        given = {name: self._credentials.get(name) or "" for name in secrets}
        return Access(origin=self.base_url, **given)

    @property
    @override
    def is_asynchronous(self) -> bool:
        return True

    @override
    async def prepare(self) -> None:
        await self._call(lambda _: None, self._exchange.load)

    @override
    async def _ask_time(self) -> None:
        await self._call(self._note_clock, partial(self._exchange.ask, TIME))

    def _note_clock(self, answer: object) -> None:
        self._note_time(read_clock(answer))

    async def _list_ids(
        self, number: PhoneNumber, kind: str, query: Mapping[str, str] | None = None
    ) -> list[str]:
        return await self._ask_number(number, read_ids, kind, query=query or {})

    async def _read_items[T](
        self,
        number: PhoneNumber,
        kind: str,
        read: Callable[[Any], T],
        ids: Sequence[str],
    ) -> dict[str, T | SmsError]:
        """Read what the ids stand for, at once or else one by one.

        What is gone meanwhile is left out, and what cannot be read is an error: a
        record of its own never stops the others.
        """
        found: dict[str, T | SmsError] = {}
        if len(ids) > 1:
            found |= await self._read_batch(number, kind, read, ids)
        failures = 0
        for each in ids:
            if each in found:
                continue
            with suppress(NotFoundError):
                found[each] = item = await self._read_item(number, kind, read, each)
                is_trouble = isinstance(item, ProviderUnavailableError)
                failures = failures + 1 if is_trouble else 0
                if isinstance(item, ProviderUnavailableError) and (
                    failures == _MOST_FAILURES
                ):
                    raise item
        return {each: found[each] for each in ids if each in found}

    async def _read_batch[T](
        self,
        number: PhoneNumber,
        kind: str,
        read: Callable[[Any], T],
        ids: Sequence[str],
    ) -> dict[str, T]:
        try:
            return await self._ask_number(
                number, partial(read_batch, read), kind, ",".join(ids), headers=BATCH
            )
        except InvalidResponseError, NotFoundError:
            return {}
        except ProviderUnavailableError as err:
            if not is_about_one(err):
                raise
            return {}

    async def _read_item[T](
        self, number: PhoneNumber, kind: str, read: Callable[[Any], T], item: str
    ) -> T | SmsError:
        try:
            return await self._ask_number(number, read, kind, item)
        except InvalidResponseError as err:
            return err
        except ProviderUnavailableError as err:
            if not is_about_one(err):
                raise
            return err

    async def _ask_number[T](
        self,
        number: PhoneNumber,
        read: Callable[[Any], T],
        *parts: str,
        **options: Any,
    ) -> T:
        """Ask about a number, in the form of it that OVHcloud finds.

        Until one has been found, each "not found" may be the form's fault.
        """
        forms = self._spellings.get(number.number, spellings(number.number))
        for form in forms:
            path = path_of(number.account, "virtualNumbers", form, *parts)
            with suppress(NotFoundError):
                answer = await self._ask(read, path, **options)
                self._spellings[number.number] = (form,)
                return answer
        raise NotFoundError("OVHcloud knows no such number or message")

    async def _ask[T](self, read: Callable[[Any], T], path: str, **options: Any) -> T:
        request = Request(path=path, **options)
        try:
            return await self._call(read, partial(self._exchange.ask, request))
        except MissingRightsError as err:
            err.missing = (f"{request.method} {unquote(path)}",)
            raise

    @override
    def _translate(self, err: Exception) -> SmsError:
        return translate(err)


def is_about_one(err: ProviderUnavailableError) -> bool:
    """Tell whether the provider stumbled over what was asked for, as far as is known."""
    return err.answered and not isinstance(err, RateLimitedError)


def path_of(*parts: str) -> str:
    """Build a path below /sms; a comma separates the ids of a batch."""
    return "/".join(("/sms", *(quote(part, safe=",") for part in parts)))
