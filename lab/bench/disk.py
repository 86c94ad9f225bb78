"""The disk under a home: as slow as wanted, and what our files ask of it counted."""

import mmap
from pathlib import Path
import subprocess
from typing import Final

_SOURCE: Final = Path(__file__).with_name("disk.c")


class Disk:
    """What `disk.c` shares with us, through a file that both have in memory."""

    def __init__(self, folder: Path) -> None:
        """Build what stands between a home and its disk; that takes a C compiler."""
        folder.mkdir(parents=True, exist_ok=True)
        library, shared = folder / "disk.so", folder / "disk"
        build = ("cc", "-shared", "-fPIC", "-O2", "-o", library, _SOURCE)
        subprocess.run(build, check=True)  # noqa: S603  # our own command
        shared.write_bytes(bytes(24))
        self.environment = {"LD_PRELOAD": str(library), "BENCH_DISK": str(shared)}
        with shared.open("r+b") as file:
            self._shared = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")

    def slow_down(self, milliseconds: int) -> None:
        """Have each flush of any file take so much longer."""
        self._shared[0] = milliseconds * 1000

    @property
    def flushes(self) -> int:
        """Return how often our files were flushed."""
        return self._shared[1]

    @property
    def written(self) -> int:
        """Return the bytes that were written into our files."""
        return self._shared[2]
