"""Run the simulator: `python -m simulator [--host HOST] [--port PORT]`."""

import argparse
import asyncio
import contextlib
import signal

from .server import LOCALHOST, Simulator


async def serve(simulator: Simulator) -> None:
    """Serve until interrupted."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        # Not every platform lets a loop catch signals.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stop.set)
    async with simulator as sim:
        print(f"Handset and both providers: {sim.url}/", flush=True)
        await stop.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m simulator")
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    asyncio.run(serve(Simulator(host=arguments.host, port=arguments.port)))


if __name__ == "__main__":
    main()
