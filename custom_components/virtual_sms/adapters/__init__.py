"""The providers: a line each."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Final, override

from .base import SmsAdapter

_CLASSES: Final = {
    "twilio": "TwilioAdapter",
    "ovh": "OvhAdapter",
}


class Adapters(MutableMapping[str, type[SmsAdapter]]):
    """The adapters by the keys of their providers, which have folders of that name.

    Each is imported when it is first asked for, as most homes have one provider. That
    reads files: the event loop may ask for those only that `has_loaded` tells of.
    """

    def __init__(self) -> None:
        """Load nothing yet."""
        self._loaded: dict[str, type[SmsAdapter] | None] = dict.fromkeys(_CLASSES)

    def has_loaded(self, key: str) -> bool:
        """Say whether an adapter is at hand."""
        return self._loaded[key] is not None

    @override
    def __getitem__(self, key: str) -> type[SmsAdapter]:
        adapter = self._loaded[key]
        if adapter is None:
            module = import_module(f".{key}", __package__)
            adapter = self._loaded[key] = getattr(module, _CLASSES[key])
        return adapter

    @override
    def __setitem__(self, key: str, adapter: type[SmsAdapter]) -> None:
        self._loaded[key] = adapter

    @override
    def __delitem__(self, key: str) -> None:
        del self._loaded[key]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    @override
    def __len__(self) -> int:
        return len(self._loaded)


ADAPTERS: Final = Adapters()
