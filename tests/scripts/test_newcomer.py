"""What the README tells a newcomer to type."""

from pathlib import Path
import re
import shlex
import subprocess

from lab.demo.__main__ import invite

ROOT = Path(__file__).parents[2]
NEWCOMER = ROOT / "scripts" / "newcomer"


def list_commands() -> list[str]:
    """Return the commands that scripts/newcomer reads out of the README."""
    ran = subprocess.run(
        (NEWCOMER, "--list"), capture_output=True, text=True, check=True, timeout=60
    )
    return ran.stdout.splitlines()


def test_the_readmes_commands_are_found() -> None:
    """They clone the repository that the manifest names, and start what is in it."""
    clone, demo = list_commands()
    manifest = (ROOT / "custom_components/virtual_sms/manifest.json").read_text("utf-8")
    address = re.search(r'"documentation": "([^"]+)"', manifest)
    assert address
    name = address[1].rpartition("/")[2]
    assert clone == f"git clone {address[1]} && cd {name}"
    [command] = shlex.split(demo)
    assert (ROOT / command).stat().st_mode & 0o111


def test_it_waits_for_what_the_demo_prints() -> None:
    """The line by which it knows that the demo is ready is one of the demo's."""
    awaited = re.search(r"^ready='(.+)'$", NEWCOMER.read_text("utf-8"), re.MULTILINE)
    assert awaited
    source = Path(invite.__code__.co_filename).read_text("utf-8")
    assert f"\n{awaited[1]}." in source


def test_every_shell_script_is_checked() -> None:
    """The gate reads each of them with shellcheck."""
    gate = (ROOT / "scripts" / "check").read_text("utf-8")
    listed = re.search(r"^shell=\(.*scripts/\{([^}]+)\}\)$", gate, re.MULTILINE)
    assert listed
    files = [each for each in (ROOT / "scripts").iterdir() if each.is_file()]
    scripts = {each.name for each in files if each.suffix != ".py"}
    assert set(listed[1].split(",")) == scripts
