"""What the contract promises of pictures, kept by every provider that has them."""

from typing import TYPE_CHECKING

import pytest

from custom_components.virtual_sms.adapters.errors import (
    AuthenticationError,
    InvalidResponseError,
    NotFoundError,
    ProviderUnavailableError,
    UnsupportedFeatureError,
)
from custom_components.virtual_sms.adapters.models import Capability, Media
from simulator import Media as File

if TYPE_CHECKING:
    from custom_components.virtual_sms.adapters.base import SmsAdapter
    from simulator import Simulator

    from .harness import Harness

MOST = 1000


async def test_who_has_no_pictures_sends_and_fetches_none(
    adapter: SmsAdapter, harness: Harness
) -> None:
    """A provider without them says no without being asked."""
    if Capability.MEDIA in adapter.capabilities:
        pytest.skip("the provider has pictures")
    assert not await adapter.can_send_media(harness.numbers[0])
    with pytest.raises(UnsupportedFeatureError):
        await adapter.fetch_media(Media(url=harness.sim.url), MOST)


@pytest.mark.needs(Capability.MEDIA)
async def test_a_number_that_sends_pictures_is_told_from_one_that_does_not(
    adapter: SmsAdapter, harness: Harness
) -> None:
    """What was found out is not asked again; what cannot be found out is no no."""
    able, unable = harness.numbers
    with_trouble = harness.sim.faults.add("server_error", times=1)
    assert await adapter.can_send_media(unable)
    assert with_trouble.hits == 1
    assert await adapter.can_send_media(able)
    for _ in range(2):
        assert not await adapter.can_send_media(unable)
    harness.sim.faults.add("server_error")
    assert not await adapter.can_send_media(unable)


async def receive(sim: Simulator, data: bytes) -> Media:
    """Have a file written to the home, and return where it lies."""
    message_id = sim.twilio.receive("+33698765432", "Look", [File("image/png", data)])
    [sid] = sim.twilio.find(message_id).media_sids
    return Media(url=sim.twilio.api.media_url(message_id, sid))


@pytest.mark.needs(Capability.MEDIA)
async def test_a_file_is_fetched_up_to_its_limit(
    adapter: SmsAdapter, sim: Simulator
) -> None:
    """Whatever the provider says of its length."""
    assert await adapter.fetch_media(await receive(sim, bytes(MOST)), MOST) == bytes(
        MOST
    )
    with pytest.raises(InvalidResponseError):
        await adapter.fetch_media(await receive(sim, bytes(MOST + 1)), MOST)


@pytest.mark.needs(Capability.MEDIA)
async def test_nobody_else_is_asked(adapter: SmsAdapter, sim: Simulator) -> None:
    """Only the provider's own host, and there only files of this account's messages."""
    good = (await receive(sim, b"file")).url
    path = good.removeprefix(sim.url)
    for url in (
        f"http://127.0.0.1:1{path}",
        f"https{good.removeprefix('http')}",
        good.replace("http://", "http://user@"),
        f"{sim.url}/2010-04-01/Accounts/AC0/Messages/MM1/Media/ME1",
        f"{sim.url}/_sim/state",
        good.replace("/Messages/", "/Messages/../../../../_sim/"),
        good.replace("/Messages/", "/Messages/%2e%2e/"),
        "http://[",
        "",
    ):
        with pytest.raises(InvalidResponseError):
            await adapter.fetch_media(Media(url=url), MOST)
    assert not sim.requests


@pytest.mark.needs(Capability.MEDIA)
async def test_a_redirect_is_followed_with_care(
    adapter: SmsAdapter, sim: Simulator
) -> None:
    """Not for ever, to no other kind of address, and never with credentials."""
    media = await receive(sim, b"file")
    for location in (
        "",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://[",
        media.url,
    ):
        sim.faults.clear()
        sim.faults.add("redirect", path="/Media/", location=location)
        with pytest.raises((InvalidResponseError, ProviderUnavailableError)):
            await adapter.fetch_media(media, MOST)
    sim.faults.clear()
    assert await adapter.fetch_media(media, MOST) == b"file"


@pytest.mark.needs(Capability.MEDIA)
async def test_what_goes_wrong_is_told_apart(
    adapter: SmsAdapter, sim: Simulator
) -> None:
    """Gone, refused, in trouble, or not there at all."""
    media = await receive(sim, b"file")
    sim.twilio.auth_token = "f" * 32
    with pytest.raises(AuthenticationError):
        await adapter.fetch_media(media, MOST)
    sim.twilio.auth_token = sim.twilio.AUTH_TOKEN
    sim.faults.add("server_error", times=1)
    with pytest.raises(ProviderUnavailableError):
        await adapter.fetch_media(media, MOST)
    sim.faults.add("refused")
    with pytest.raises(ProviderUnavailableError):
        await adapter.fetch_media(media, MOST)
    sim.faults.clear()
    with pytest.raises(NotFoundError):
        await adapter.fetch_media(Media(url=media.url[:-1]), MOST)
