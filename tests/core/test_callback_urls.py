"""Our callback URL is put at the provider politely, and taken back completely."""

from unittest.mock import patch

import pytest

from custom_components.virtual_sms.adapters.errors import (
    NotFoundError,
    ProviderUnavailableError,
)
from custom_components.virtual_sms.adapters.models import CallbackUrls, Capability
from custom_components.virtual_sms.core.callback_urls import (
    CallbackRegistration,
    CallbacksOverruledError,
    ForeignCallbackError,
    Standing,
)
from tests.fakes import NUMBER, Clock, FakeAdapter

OURS = "https://home.example.org/api/webhook/ours"
OTHER_LINE = "https://home.example.org/api/webhook/other"
MOVED = "https://new.example.org/api/webhook/ours"
FOREIGN = "https://shop.example.com/sms"


def shared(url: str | None) -> CallbackUrls:
    """Return what stands at a provider that has one set of URLs per account."""
    return CallbackUrls(inbound=url, status=url)


def single(url: str | None) -> CallbackUrls:
    """Return what stands at a provider that has a URL per number."""
    return CallbackUrls(inbound=url)


@pytest.fixture
def adapter() -> FakeAdapter:
    """Make a provider at which no URL stands."""
    return FakeAdapter(Clock())


@pytest.fixture
def registration(adapter: FakeAdapter) -> CallbackRegistration:
    """Make the claim of one of two lines."""
    return CallbackRegistration(adapter=adapter, number=NUMBER, own=["ours", "other"])


def share(adapter: FakeAdapter) -> None:
    """Make all lines of the account share its URLs."""
    adapter.capabilities |= Capability.SHARED_CALLBACK_URLS  # type: ignore[misc]


async def claim(
    registration: CallbackRegistration, *, replace: bool = False
) -> list[CallbackUrls]:
    """Claim the place, and return what is to be remembered of it."""
    remembered: list[CallbackUrls] = []
    await registration.claim(OURS, remembered.append, replace=replace)
    return remembered


async def test_claiming_a_free_place(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """Our URL is written, and nothing was replaced."""
    assert await claim(registration) == []
    assert adapter.urls == single(OURS)


async def test_claiming_for_an_account(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """Where the URLs are the account's, receipts come by them as well."""
    share(adapter)
    assert await claim(registration) == []
    assert adapter.urls == shared(OURS)


async def test_what_was_written_is_read_again(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """A provider that takes our URL and forgets it is not believed."""
    with (
        patch.object(adapter, "set_callbacks"),
        pytest.raises(ProviderUnavailableError),
    ):
        await claim(registration)
    share(adapter)
    adapter.urls = CallbackUrls(inbound=OURS)
    with (
        patch.object(adapter, "set_callbacks"),
        pytest.raises(ProviderUnavailableError),
    ):
        await claim(registration)


async def test_what_stands_already_is_not_written_again(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """A restart costs a question, no change."""
    adapter.urls = single(OURS)
    assert await claim(registration) == []
    share(adapter)
    for urls in (
        shared(OURS),
        shared(OTHER_LINE),
        CallbackUrls(inbound=OURS, status=OTHER_LINE),
    ):
        adapter.urls = urls
        assert await claim(registration) == []
    assert adapter.written == []


@pytest.mark.parametrize(
    "current",
    [
        shared("https://old.example.org/api/webhook/ours"),
        shared("https://old.example.org/api/webhook/other"),
        CallbackUrls(inbound=OURS),
        CallbackUrls(status=OURS),
        CallbackUrls(inbound=OURS, status="https://old.example.org/api/webhook/ours"),
    ],
)
async def test_what_leads_here_no_more_is_renewed(
    adapter: FakeAdapter, registration: CallbackRegistration, current: CallbackUrls
) -> None:
    """A home that moved, or a half-made registration, is put right unasked."""
    share(adapter)
    adapter.urls = current
    assert await claim(registration) == []
    assert adapter.urls == shared(OURS)


@pytest.mark.parametrize("current", [MOVED, OTHER_LINE])
async def test_a_number_of_its_own_needs_its_own_url(
    adapter: FakeAdapter, registration: CallbackRegistration, current: str
) -> None:
    """Another line's URL, or an old address, would bring nothing here."""
    adapter.urls = single(current)
    assert await claim(registration) == []
    assert adapter.urls == single(OURS)


@pytest.mark.parametrize(
    "current",
    [shared(FOREIGN), CallbackUrls(inbound=FOREIGN), CallbackUrls(status=FOREIGN)],
)
async def test_a_foreign_url_is_not_replaced_unasked(
    adapter: FakeAdapter, registration: CallbackRegistration, current: CallbackUrls
) -> None:
    """Its owner is named, for the user to judge."""
    share(adapter)
    adapter.urls = current
    with pytest.raises(ForeignCallbackError) as refusal:
        await claim(registration)
    assert refusal.value.url == FOREIGN
    assert FOREIGN not in str(refusal.value)
    assert adapter.written == []

    remembered: list[CallbackUrls] = []
    with (
        patch.object(adapter, "set_callbacks", side_effect=ProviderUnavailableError),
        pytest.raises(ProviderUnavailableError),
    ):
        await registration.claim(OURS, remembered.append, replace=True)
    assert remembered == [current]

    assert await claim(registration, replace=True) == [current]
    assert adapter.urls == shared(OURS)


async def test_only_what_is_foreign_is_to_be_put_back(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """An old URL of ours is nothing to return to."""
    share(adapter)
    adapter.urls = CallbackUrls(inbound=OTHER_LINE, status=FOREIGN)
    replaced = await claim(registration, replace=True)
    assert replaced == [CallbackUrls(status=FOREIGN)]


@pytest.mark.parametrize("previous", [None, shared(FOREIGN)])
async def test_release_restores_what_was_there(
    adapter: FakeAdapter,
    registration: CallbackRegistration,
    previous: CallbackUrls | None,
) -> None:
    """Nothing of ours stays behind."""
    share(adapter)
    adapter.urls = shared(OURS)
    await registration.release(OURS, previous=previous, successor=None)
    assert adapter.urls == (previous or CallbackUrls())


async def test_release_to_an_successor(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """A line that shares the account's URL takes it over, and no shop comes back."""
    share(adapter)
    adapter.urls = shared(OURS)
    await registration.release(OURS, previous=shared(FOREIGN), successor=OTHER_LINE)
    assert adapter.urls == shared(OTHER_LINE)


async def test_a_number_of_its_own_has_no_successor(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """Another number's line has no use for its callbacks."""
    adapter.urls = single(OURS)
    await registration.release(OURS, previous=single(FOREIGN), successor=OTHER_LINE)
    assert adapter.urls == single(FOREIGN)


async def test_who_changed_it_meanwhile_keeps_it(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """What is not ours any more is not ours to take back."""
    adapter.urls = single(FOREIGN)
    await registration.release(OURS, previous=None, successor=None)
    assert adapter.written == []


@pytest.mark.parametrize("successor", [None, OTHER_LINE])
async def test_who_changed_one_of_two_keeps_that_one(
    adapter: FakeAdapter, registration: CallbackRegistration, successor: str | None
) -> None:
    """Only the URL that is still ours changes hands."""
    share(adapter)
    adapter.urls = CallbackUrls(inbound=OURS, status=FOREIGN)
    await registration.release(OURS, previous=None, successor=successor)
    assert adapter.urls == CallbackUrls(inbound=successor, status=FOREIGN)

    adapter.urls = CallbackUrls(inbound=FOREIGN, status=OURS)
    await registration.release(OURS, previous=None, successor=successor)
    assert adapter.urls == CallbackUrls(inbound=FOREIGN, status=successor)


async def test_a_number_that_is_gone_needs_no_release(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """The provider's other troubles are the caller's affair."""
    adapter.trouble["get_callbacks"] = NotFoundError()
    await registration.release(OURS, previous=None, successor=None)
    adapter.trouble["get_callbacks"] = ProviderUnavailableError()
    with pytest.raises(ProviderUnavailableError):
        await registration.release(OURS, previous=None, successor=None)
    assert adapter.written == []


async def test_inspecting(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """It is found whose URL stands there, and nothing is changed."""
    finding = await registration.inspect(OURS)
    assert (finding.standing, finding.foreign_url) == (Standing.MISSING, None)
    for url, standing, foreign_url in (
        (OURS, Standing.OURS, None),
        (MOVED, Standing.MISSING, None),
        (FOREIGN, Standing.FOREIGN, FOREIGN),
    ):
        adapter.urls = single(url)
        finding = await registration.inspect(OURS)
        assert (finding.standing, finding.foreign_url) == (standing, foreign_url)
    assert not adapter.written
    assert FOREIGN not in repr(finding)


async def test_inspecting_an_account(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """Another line's URL serves as well; half of the URLs does not."""
    share(adapter)
    for urls, standing in (
        (shared(OTHER_LINE), Standing.OURS),
        (single(OURS), Standing.MISSING),
        (CallbackUrls(inbound=OURS, status=FOREIGN), Standing.FOREIGN),
    ):
        adapter.urls = urls
        assert (await registration.inspect(OURS)).standing is standing


async def test_overruled(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """Where our URL would have no effect, it is not set."""
    adapter.urls = CallbackUrls(overruled_by="application")
    with pytest.raises(CallbacksOverruledError) as caught:
        await claim(registration, replace=True)
    assert caught.value.by == "application"
    assert not adapter.written
    assert (await registration.inspect(OURS)).overruled_by == "application"


async def test_perhaps_overruled(
    adapter: FakeAdapter, registration: CallbackRegistration
) -> None:
    """Where it may have none, it is set, and that is passed on."""
    adapter.urls = CallbackUrls(perhaps_overruled_by="messaging_service")
    assert (await registration.inspect(OURS)).perhaps_overruled_by
    finding = await registration.claim(OURS, lambda _: None)
    assert finding.standing is Standing.OURS
    assert finding.perhaps_overruled_by == "messaging_service"
    assert adapter.urls == single(OURS)
