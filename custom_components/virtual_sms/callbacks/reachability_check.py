"""Prove that callbacks can arrive: call our own URL as a provider would.

The request leaves this home by its own network, so one thing stays open: a router
that does not let a home call itself fails here and may work from outside, and a
firewall may let pass from here what it stops from elsewhere. So where the provider
keeps a record of its calls that failed, that has the last word.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
import logging
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.hass_dict import HassKey
from yarl import URL

from ..adapters.errors import SmsError
from ..adapters.models import CallbackRequest, Capability
from ..const import DOMAIN
from ..core.callback_urls import Finding, Standing
from ..core.reachability import (
    FIELD,
    HEADER,
    UNDECIDED,
    Challenge,
    Verdict,
    judge_failure,
    judge_url,
)
from ..entry_data import EntryData
from ..error_messages import find_sentence
from ..issues import Problem, async_clear_issue, async_raise_issue
from .public_url import async_has_url

if TYPE_CHECKING:
    from ..runtime import VirtualSmsConfigEntry
    from .registrar import Registrar

_LOGGER = logging.getLogger(__name__)

TIMEOUT = 10.0
RECENT = timedelta(days=1)
"""How old a failure may be to prove anything."""

_LONGEST_ANSWER = 1024
_CHALLENGES: HassKey[set[Challenge]] = HassKey(f"{DOMAIN}_challenges")

_AT_PROVIDER = frozenset({Verdict.NOT_REGISTERED, Verdict.OVERRULED})

# The first that applies decides: aiohttp's errors descend from one another.
_FAILURES: Mapping[type[Exception], Verdict] = {
    TimeoutError: Verdict.TIMED_OUT,
    aiohttp.ClientConnectorDNSError: Verdict.NAME_UNKNOWN,
    aiohttp.ClientSSLError: Verdict.CERTIFICATE,
    aiohttp.InvalidURL: Verdict.NO_URL,
    aiohttp.ClientError: Verdict.REFUSED,
    OSError: Verdict.REFUSED,
}


async def async_check_callbacks(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, registrar: Registrar
) -> Verdict:
    """Check whether callbacks reach a number, and raise or take back its repair issue.

    What stands at the provider has repairs of its own, which put it right.
    """
    verdict = await _async_judge(hass, entry, registrar)
    has_own = verdict in _AT_PROVIDER and registrar.health.async_has_problem()
    if verdict is Verdict.OK or has_own:
        async_clear_issue(hass, entry, Problem.CALLBACK_CHECK)
    else:
        reason = say(hass, verdict)
        async_raise_issue(hass, entry, Problem.CALLBACK_CHECK, explanation=reason)
    return verdict


def say(hass: HomeAssistant, verdict: Verdict) -> str:
    """Say in words what a verdict means, in the language of this home."""
    return find_sentence(hass, f"return_path_{verdict}") or verdict


def complain(verdict: Verdict) -> HomeAssistantError:
    """Return the exception that says in words what is wrong, and how to fix it."""
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key=f"return_path_{verdict}"
    )


async def async_try_url(hass: HomeAssistant, webhook_id: str, url: str) -> Verdict:
    """Send a challenge to a URL and see whether it reaches a webhook of ours."""
    challenge = Challenge(webhook_id=webhook_id)
    waiting = hass.data.setdefault(_CHALLENGES, set())
    waiting.add(challenge)
    try:
        async with asyncio.timeout(TIMEOUT):
            return challenge.judge(*await _async_send(hass, url, challenge.nonce))
    except Exception as err:
        verdict = _judge_failure(err)
        if verdict is None:
            raise
        _LOGGER.debug("The callback URL cannot be reached: %s", type(err).__name__)
        return verdict
    finally:
        waiting.discard(challenge)


@callback
def async_answer_challenge(
    hass: HomeAssistant, webhook_id: str, request: CallbackRequest
) -> web.Response | None:
    """Answer a request that is a challenge of ours, once; None for any other."""
    waiting = hass.data.get(_CHALLENGES, set())
    for challenge in waiting:
        if challenge.webhook_id == webhook_id and (text := challenge.answer(request)):
            waiting.discard(challenge)
            return web.Response(text=text)
    return None


@callback
def async_awaits_challenge(hass: HomeAssistant, webhook_id: str) -> bool:
    """Say whether a challenge of ours is on its way to a webhook."""
    waiting = hass.data.get(_CHALLENGES, set())
    return any(each.webhook_id == webhook_id for each in waiting)


async def _async_judge(
    hass: HomeAssistant, entry: VirtualSmsConfigEntry, registrar: Registrar
) -> Verdict:
    """Go from what costs nothing to what asks the provider."""
    data = EntryData.of(entry)
    url = data.callback_url
    if not url or not async_has_url(hass):
        return Verdict.NO_URL
    verdict = judge_url(url, registrar.adapter.base_url)
    if verdict is Verdict.OK:
        verdict = await async_try_url(hass, data.webhook_id, url)
    if verdict is Verdict.OK:
        verdict = await _async_judge_record(registrar, url)
    if verdict is Verdict.OK or verdict in UNDECIDED:
        verdict = await _async_judge_calls(registrar, url, verdict)
    return verdict


async def _async_judge_record(registrar: Registrar, url: str) -> Verdict:
    """Compare with what stands at the provider, as far as it lets itself be asked."""
    try:
        finding = await registrar.async_find(url)
    except SmsError as err:
        _LOGGER.debug("The provider's record cannot be read now: %s", err.code)
        return Verdict.OK
    return _judge_finding(finding)


async def _async_judge_calls(
    registrar: Registrar, url: str, verdict: Verdict
) -> Verdict:
    """Let the provider's record of its calls overrule what was found from here.

    What it says may have been fixed since. So a URL that answers from here fails
    once for each failed call, and no failure counts that a good call came after.
    """
    registration = registrar.registration
    adapter = registrar.adapter
    if Capability.CALLBACK_FAILURES not in adapter.capabilities:
        return verdict
    since = max(registrar.time_there - RECENT, registrar.health.accepted_at)
    try:
        failures = await adapter.fetch_callback_failures(
            registration.number, url, since
        )
    except SmsError as err:
        _LOGGER.debug("The provider's calls cannot be looked up now: %s", err.code)
        return verdict
    after = (
        max(since, registrar.health.failure_shown_at)
        if verdict is Verdict.OK
        else since
    )
    newest = next((each for each in failures if each.at > after), None)
    if newest is None:
        return verdict
    registrar.health.failure_shown_at = newest.at
    return judge_failure(newest)


def _judge_finding(finding: Finding) -> Verdict:
    if finding.overruled_by:
        return Verdict.OVERRULED
    is_ours = finding.standing is Standing.OURS
    return Verdict.OK if is_ours else Verdict.NOT_REGISTERED


def _judge_failure(err: Exception) -> Verdict | None:
    return next(
        (verdict for kind, verdict in _FAILURES.items() if isinstance(err, kind)), None
    )


async def _async_send(hass: HomeAssistant, url: str, nonce: str) -> tuple[int, str]:
    """Send a nonce as a provider sends a callback, and return status and answer."""
    session = async_get_clientsession(hass)
    async with session.post(
        URL(url).update_query({FIELD: nonce}),
        data={FIELD: nonce},
        headers={HEADER: nonce},
        allow_redirects=False,
    ) as response:
        answer = await response.content.read(_LONGEST_ANSWER)
        return response.status, answer.decode(errors="replace")
