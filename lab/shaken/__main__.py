"""Replace the clock and the way to the disk, then start Home Assistant."""

from importlib import import_module
import sys

from . import clock, disk

clock.replace()
disk.replace()
# Not at the top: what it binds when it is loaded must be the replacement.
main = import_module("homeassistant.__main__").main

if __name__ == "__main__":
    sys.exit(main())
