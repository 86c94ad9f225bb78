"""Keep files of any kind in a folder, each named by what is in it."""

from collections.abc import Collection
from hashlib import sha256
import os
from pathlib import Path
import shutil

_PARTIAL = ".partial"


class BlobFolder:
    """A folder of files. All of it blocks: it is for a worker, one at a time."""

    def __init__(self, path: Path) -> None:
        """Take the folder, which is made with its first file."""
        self.path = path

    def put(self, data: bytes) -> str:
        """Have a file safely on disk, and return its name; the same one is kept once."""
        name = sha256(data).hexdigest()
        if not self.locate(name).exists():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = self.locate(name + _PARTIAL)
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.locate(name))
        return name

    def get(self, name: str) -> bytes | None:
        """Return a file; None if it is gone."""
        try:
            return self.locate(name).read_bytes()
        except FileNotFoundError:
            return None

    def locate(self, name: str) -> Path:
        """Return where a file of a name lies."""
        return self.path / name

    def keep(self, names: Collection[str]) -> None:
        """Delete all files but some, and the folder with its last one."""
        if not names:
            self.erase()
        elif self.path.exists():
            for each in self.path.iterdir():
                if each.name not in names:
                    each.unlink(missing_ok=True)

    def erase(self) -> None:
        """Delete the folder."""
        if self.path.exists():
            shutil.rmtree(self.path)
