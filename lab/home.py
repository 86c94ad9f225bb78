"""Run a real Home Assistant in a process of its own, driven by its own API.

It is installed, onboarded and configured as a person would do it, only faster:
over HTTP and the websocket, never by reaching into its files.
"""

import asyncio
from collections.abc import Mapping, Sequence
import contextlib
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import sys
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError, ClientSession, ClientTimeout

from .connection import Socket

PROJECT = Path(__file__).parent.parent
PRODUCT = PROJECT / "custom_components" / "virtual_sms"
LOCALHOST = "127.0.0.1"
USER = {"name": "Demo", "username": "demo", "password": "demo"}
_START_TIMEOUT = 180.0
_STOP_TIMEOUT = 30.0
# Built from source, with a compiler, and nothing here speaks or listens. The newest
# SDK of Twilio, which core's own integration would take away, is what we measure.
_SKIPPED_PACKAGES = "pymicro-vad,pyspeex-noise,twilio"
# Home Assistant imports them all the same for the list of all actions, without which
# its user interface does not load. It looks for modules in its own folder too.
_STAND_INS = {
    "pymicro_vad.py": "class MicroVad: ...\n",
    "pyspeex_noise.py": "class AudioProcessor: ...\n",
}
_ONBOARDING_STEPS: tuple[tuple[str, dict[str, str]], ...] = (
    ("core_config", {}),
    ("analytics", {}),
    ("integration", {"client_id": "{url}/", "redirect_uri": "{url}/"}),
)

INTERFACE: Mapping[str, object] = {
    "config": {},
    "frontend": {},
    "history": {},
    "logbook": {},
    "recorder": {"commit_interval": 1},
    "system_health": {},
}
"""What a person needs to look at a home."""

type Json = dict[str, Any]


class HomeError(Exception):
    """Home Assistant did not do what was asked; the text says what it said."""


def free_port(wanted: int = 0) -> int:
    """Return a port nobody listens on: the wanted one if it is free."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOCALHOST, port))
            return int(probe.getsockname()[1])
    raise HomeError("no port is free")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where a home lives and what it is like."""

    folder: Path
    port: int
    language: str = "en"
    country: str = "FR"
    log_level: str = "warning"
    program: str = "homeassistant"
    """The module that is run: Home Assistant, or what starts it."""
    environment: dict[str, str] = field(default_factory=dict)
    """What the next start adds to the variables of this process."""
    companions: tuple[str, ...] = ()
    """Integrations of this lab that stand beside ours, and look at it from inside."""
    product: Path = PRODUCT
    """Where ours is."""
    end: signal.Signals = signal.SIGTERM
    """How its process is ended after all: SIGKILL where nothing need be tidied up."""
    settings: Mapping[str, object] = field(default_factory=lambda: INTERFACE)
    """What is configured in YAML, beside what every home has."""

    @property
    def integrations(self) -> dict[str, Path]:
        """Return the custom integrations and where they are."""
        companions = {name: PROJECT / "lab" / name for name in self.companions}
        return {"virtual_sms": self.product, **companions}

    @property
    def url(self) -> str:
        """Return the address of the home."""
        return f"http://{LOCALHOST}:{self.port}"


class Home:
    """A Home Assistant; an asynchronous context manager that ends its process."""

    def __init__(self, plan: Plan) -> None:
        """Prepare its folder; nothing runs yet."""
        self.plan = plan
        self.url = plan.url
        self.is_running = False
        self.events: list[Json] = []
        self.token = ""
        self._process: asyncio.subprocess.Process | None = None
        self._session: ClientSession | None = None
        self._socket: Socket | None = None

    async def __aenter__(self) -> Self:
        """Install, start and onboard it."""
        await asyncio.to_thread(_furnish, self.plan)
        self._session = ClientSession(timeout=ClientTimeout(total=60))
        await self.start()
        await self._onboard()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it, whatever happened."""
        await self.stop(self.plan.end)
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> ClientSession:
        """Return what this process asks through."""
        if self._session is None:
            raise HomeError("not entered")
        return self._session

    @property
    def _websocket(self) -> Socket:
        if self._socket is None:
            raise HomeError("not running")
        return self._socket

    @property
    def pid(self) -> int:
        """Return the number of its process, 0 while it has none."""
        return 0 if self._process is None else self._process.pid

    @property
    def log(self) -> str:
        """Return what it has logged since it was started."""
        return (self.plan.folder / "home-assistant.log").read_text(encoding="utf-8")

    @property
    def console(self) -> str:
        """Return what it has logged since it was installed, over all its starts."""
        return (self.plan.folder / "console.log").read_text("utf-8", "replace")

    async def start(self) -> None:
        """Start the process and wait until it answers and has started."""
        command = (sys.executable, "-m", self.plan.program, "-c", str(self.plan.folder))
        output = (self.plan.folder / "console.log").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            *command,
            "--skip-pip-packages",
            _SKIPPED_PACKAGES,
            "--log-file",
            str(self.plan.folder / "home-assistant.log"),
            stdout=output,
            stderr=output,
            cwd=self.plan.folder,
            env={**os.environ, **self.plan.environment},
        )
        output.close()
        await self._wait_for_answer()
        if self.token:
            await self._connect()
        self.is_running = True

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End the process; with SIGKILL it has no chance to tidy up."""
        self.is_running = False
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(sign)
            await _wait_or_kill(process)
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def request(
        self, method: str, path: str, data: object = None
    ) -> tuple[int, Any]:
        """Call the REST API and return the status and the JSON answered."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(
            method, self.url + path, json=data, headers=headers
        ) as response:
            text = await response.text()
        with contextlib.suppress(ValueError):
            return response.status, json.loads(text)
        return response.status, text

    async def ask(self, method: str, path: str, data: object = None) -> Any:
        """Call the REST API and return the answer, or raise what went wrong."""
        status, answer = await self.request(method, path, data)
        if status >= 400:  # noqa: PLR2004  # HTTP
            raise HomeError(f"{method} {path}: {status} {answer}")
        return answer

    async def command(self, kind: str, **data: object) -> Any:
        """Send a websocket command and return its result."""
        answer = await self._websocket.command({"type": kind, **data})
        if not answer["success"]:
            raise HomeError(f"{kind}: {answer['error']['message']}")
        return answer["result"]

    async def call(
        self, domain: str, service: str, *, answer: bool = False, **data: object
    ) -> Any:
        """Call an action, and return its response when one is asked for."""
        result = await self.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            return_response=answer,
        )
        return result.get("response")

    async def configure(self, handler: str, *inputs: Json) -> Json:
        """Run a config flow with one input per step, and return its end."""
        return await self.walk("/api/config/config_entries/flow", handler, inputs)

    async def walk(self, path: str, handler: object, inputs: Sequence[Json]) -> Json:
        """Run a flow of any kind with one input per step, and return its end."""
        step = await self.ask("POST", path, {"handler": handler})
        for data in inputs:
            step = await self.ask("POST", f"{path}/{step['flow_id']}", data)
            if step.get("errors"):
                raise HomeError(f"step {step['step_id']}: {step['errors']}")
        return dict(step)

    async def state(self, entity_id: str) -> Json:
        """Return an entity's state and attributes."""
        return dict(await self.ask("GET", f"/api/states/{entity_id}"))

    async def entities(self, entry_id: str) -> dict[str, str]:
        """Return the entity ids of an entry, by the key in their unique id."""
        found = await self.command("config/entity_registry/list")
        return {
            each["unique_id"].removeprefix(f"{entry_id}_"): each["entity_id"]
            for each in found
            if each["config_entry_id"] == entry_id
        }

    def find(self, event_type: str, **data: object) -> list[Json]:
        """List the events heard so far whose data hold these values."""
        return [
            event["data"]
            for event in self.events
            if event["event_type"] == event_type
            and data.items() <= event["data"].items()
        ]

    async def _wait_for_answer(self) -> None:
        async with asyncio.timeout(_START_TIMEOUT):
            while not await self._is_up():
                if self._process is None or self._process.returncode is not None:
                    console = self.plan.folder / "console.log"
                    raise HomeError(f"Home Assistant ended early, see {console}")
                await asyncio.sleep(0.2)

    async def _is_up(self) -> bool:
        try:
            status, state = await self.request("GET", "/api/core/state")
        except ClientError, TimeoutError:
            return False
        # Before the onboarding there is no token yet to ask with.
        return status == 401 or (status == 200 and state["state"] == "RUNNING")  # noqa: PLR2004  # HTTP

    async def _onboard(self) -> None:
        """Create the user and sit through the welcome pages."""
        client_id = f"{self.url}/"
        user = USER | {"client_id": client_id, "language": self.plan.language}
        code = (await self.ask("POST", "/api/onboarding/users", user))["auth_code"]
        self.token = await self._exchange(code, client_id)
        await self._connect()
        for step, data in _ONBOARDING_STEPS:
            filled = {key: text.format(url=self.url) for key, text in data.items()}
            await self.ask("POST", f"/api/onboarding/{step}", filled)
        self.token = await self.command(
            "auth/long_lived_access_token", client_name="lab", lifespan=1
        )
        await self._wait_for_answer()

    async def _exchange(self, code: str, client_id: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client_id,
        }
        async with self.session.post(f"{self.url}/auth/token", data=form) as response:
            return str((await response.json())["access_token"])

    async def _connect(self) -> None:
        """Listen to every event."""
        self._socket = await Socket.connect(
            self.session, self.url, self.token, self.events.append
        )


async def _wait_or_kill(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _furnish(plan: Plan) -> None:
    """Make a fresh configuration folder with our integration in it."""
    shutil.rmtree(plan.folder, ignore_errors=True)
    (plan.folder / ".storage").mkdir(parents=True)
    components = plan.folder / "custom_components"
    components.mkdir()
    for name, source in plan.integrations.items():
        (components / name).symlink_to(source, target_is_directory=True)
    for name, text in _files(plan).items():
        (plan.folder / name).write_text(text, encoding="utf-8")


def _files(plan: Plan) -> Mapping[str, str]:
    settings = {
        "homeassistant": {
            "name": "Virtual SMS demo",
            "country": plan.country,
            "currency": "EUR",
            "time_zone": "UTC",
            "internal_url": plan.url,
            "external_url": plan.url,
        },
        "api": {},
        "webhook": {},
        "logger": {"default": plan.log_level},
        **plan.settings,
        **{name: {} for name in plan.companions},
    }
    # JSON is YAML too, but an include is not JSON.
    configuration = "".join(f"{key}: {json.dumps(settings[key])}\n" for key in settings)
    return _STAND_INS | {
        "configuration.yaml": f"{configuration}automation: !include automations.yaml\n",
        "automations.yaml": "[]\n",
        ".storage/http": json.dumps(_http_settings(plan.port)),
    }


def _http_settings(port: int) -> Json:
    """Return the web server's settings as Home Assistant stores them itself.

    Given in YAML they would be on trial only, and be taken back after a while.
    """
    stable = {
        "server_host": [LOCALHOST],
        "server_port": port,
        "cors_allowed_origins": ["https://cast.home-assistant.io"],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": "2026-01-01T00:00:00+00:00",
        "error": None,
        "error_message": None,
    }
    return {
        "version": 2,
        "minor_version": 1,
        "key": "http",
        "data": {"stable": stable, "pending": None, "yaml_migration_done": True},
    }
