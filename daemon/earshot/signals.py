"""How a process is asked to stop."""

import asyncio
import logging
import os
import signal

logger = logging.getLogger(__name__)


def on_signals(stop: asyncio.Event, *others: signal.Signals) -> None:
    """Stop at the first SIGTERM, SIGINT, or one of the others; at the second, die of it."""
    loop, came = asyncio.get_running_loop(), list[signal.Signals]()

    def leave(number: signal.Signals) -> None:
        came.append(number)
        if len(came) > 1:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        logger.info("%s: stopping", number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, *others):
        loop.add_signal_handler(number, leave, number)
