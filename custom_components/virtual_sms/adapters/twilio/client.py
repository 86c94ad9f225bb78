"""Questions to Twilio, through its SDK, and what they may end in."""

from abc import ABC
import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final, override

from ..base import RunBlocking, SmsAdapter
from ..errors import (
    AuthenticationError,
    InvalidResponseError,
    MessageRejectedError,
    MissingRightsError,
    NotFoundError,
    ProviderUnavailableError,
    SmsError,
)
from ..replaced_secret import ReplacedSecret
from . import records
from .http import ORIGIN, Refusal
from .lists import Unreadable, read_page, readable
from .sdk import Sdk, load, use

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import ClientSession

    from ..models import CallbackRequest, PhoneNumber

LARGEST_PAGE: Final = 1000
SIGNATURE: Final = "x-twilio-signature"
_TOKEN: Final = "auth_token"  # noqa: S105  # its name only


class TwilioClient(SmsAdapter, ABC):
    """Ask Twilio; what for is the adapter's."""

    @override
    def __init__(
        self,
        credentials: Mapping[str, str],
        *,
        session: ClientSession,
        run_blocking: RunBlocking,
    ) -> None:
        super().__init__(credentials, session=session, run_blocking=run_blocking)
        self._account = credentials["account_sid"]
        self._token = credentials[_TOKEN]
        self._replaced_token = ReplacedSecret(credentials, _TOKEN, self._elapsed)
        self._loading = asyncio.Lock()
        self._sdk: Sdk | None = None
        self._sends_media: dict[str, bool] = {}

    @property
    @override
    def is_asynchronous(self) -> bool:
        return self._sdk is not None and self._sdk.is_asynchronous

    @override
    async def prepare(self) -> None:
        await self._call(lambda _: None, self._load)

    @override
    async def _ask_time(self) -> None:
        await self._peek(lambda sdk: sdk.rest.messages)

    async def _load(self) -> Sdk:
        if self._sdk is not None:
            return self._sdk
        async with self._loading:
            if self._sdk is None:
                self._sdk = await self._run_blocking(
                    load,
                    self._credentials,
                    self._session,
                    self.base_url or ORIGIN,
                    self.note_date,
                )
            return self._sdk

    async def _prove(self, choose: Callable[[Sdk], Any]) -> None:
        """Ask for what any credentials may see.

        Not for the account, which standard keys may not see and whose record
        holds the token ("API keys overview").
        """
        try:
            await self._peek(lambda sdk: choose(sdk).incoming_phone_numbers)
        except MissingRightsError:
            await self._peek(lambda sdk: choose(sdk).messages)
        except NotFoundError as err:
            raise AuthenticationError("no such account") from err

    async def _peek(self, choose: Callable[[Sdk], Any]) -> None:
        await self._ask(
            partial(read_page, records.read_sid), choose, "page", page_size=1
        )

    async def _list[T](
        self,
        read: Callable[[Any], T],
        choose: Callable[[Sdk], Any],
        *,
        goes_on: Callable[[list[T | Unreadable]], bool] = lambda _: True,
        page_size: int = LARGEST_PAGE,
        **filters: object,
    ) -> list[T | Unreadable]:
        """List the pages while they go on, each with the time of a call of its own."""
        read_records = partial(read_page, read)
        found, page = await self._ask(
            read_records, choose, "page", page_size=page_size, **filters
        )
        while page is not None and goes_on(found):
            more, page = await self._ask(
                read_records, partial(_given, page), "next_page"
            )
            found += more
        return found

    async def _list_readable[T](
        self, read: Callable[[Any], T], choose: Callable[[Sdk], Any], **filters: Any
    ) -> list[T]:
        """List what can be read of all pages."""
        try:
            return readable(await self._list(read, choose, **filters))
        except ValueError as err:
            raise InvalidResponseError(str(err)) from err

    async def _find_number[T](
        self,
        number: PhoneNumber,
        read: Callable[[Any], tuple[str, str, T]],
    ) -> tuple[str, T]:
        """Return a number's SID, and what is read of its record."""
        found = await self._list_readable(
            read,
            lambda sdk: sdk.rest.incoming_phone_numbers,
            phone_number=number.number,
        )
        # The filter also finds numbers that merely contain this one.
        for each, sid, value in found:
            if each == number.number:
                return sid, value
        raise NotFoundError("no such number in the account")

    async def _create[T](
        self, read: Callable[[Any], T], choose: Callable[[Sdk], Any], **fields: object
    ) -> T:
        """Have something made; a code of Twilio's that we do not know is a refusal too."""
        try:
            return await self._ask(read, choose, "create", **fields)
        except InvalidResponseError as err:
            if err.provider_code is None:
                raise
            raise MessageRejectedError(
                str(err), provider_code=err.provider_code
            ) from err

    async def _ask[T](
        self,
        read: Callable[[Any], T],
        choose: Callable[[Sdk], Any],
        verb: str,
        **arguments: object,
    ) -> T:
        async def call() -> Any:
            return await use(
                self._run_blocking, choose(await self._load()), verb, arguments
            )

        return await self._call(read, call)

    async def _update[T](
        self, read: Callable[[Any], T], choose: Callable[[Sdk], Any], **fields: object
    ) -> T:
        """Change a record, a second time where the connection ended without an answer.

        It may have been closed while it was idle; the same change twice does no harm.
        """
        try:
            return await self._ask(read, choose, "update", **fields)
        except ProviderUnavailableError as err:
            if err.answered or not err.maybe_processed:
                raise
        return await self._ask(read, choose, "update", **fields)

    @property
    @override
    def has_retired_secrets(self) -> bool:
        return self._replaced_token.is_over

    def _has_signed(self, request: CallbackRequest) -> bool:
        """Tell whether Twilio signed a callback, with either token during a rotation.

        The first one that the new token signed ends the rotation.
        """
        if self._is_signature_of(self._token, request):
            self._replaced_token.retire()
            return True
        replaced = self._replaced_token.value
        return replaced is not None and self._is_signature_of(replaced, request)

    def _is_signature_of(self, token: str, request: CallbackRequest) -> bool:
        signature = request.headers.get(SIGNATURE, "")
        return self._sdk is not None and self._sdk.has_signed(
            token, request.url, request.form, signature
        )

    @override
    def _translate(self, err: Exception) -> SmsError:
        if isinstance(err, Refusal):
            return records.translate(err)
        return InvalidResponseError(type(err).__name__)


def _given(resource: Any, _: Sdk) -> Any:
    return resource
