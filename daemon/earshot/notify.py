"""Tells systemd how the daemon stands, over its socket (sd_notify): READY, STATUS, WATCHDOG."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Mapping

from earshot.errors import DeviceError

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0  # that a start which goes on asks for, again and again


class Notifier:
    """Says nothing to nobody where no service manager asked for it."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Read NOTIFY_SOCKET and WATCHDOG_USEC as systemd sets them."""
        address = environment.get("NOTIFY_SOCKET", "")
        # An @ stands for the zero byte that begins an abstract address.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        meant = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environment.get("WATCHDOG_USEC", "0") if meant else "0"
        self._interval = int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0

    def ready(self) -> None:
        """Say that whoever asks is served."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say how it stands, in a line for `systemctl status`; never a word that was heard."""
        self._send("STATUS=" + " ".join(text.split()))

    def starting(self) -> None:
        """Say that the start goes on, and is to be waited for."""
        self._send(f"EXTEND_TIMEOUT_USEC={PATIENCE_SECONDS * 1e6:.0f}")

    async def start(self, ready: Callable[[], bool]) -> None:
        """Have the manager wait until it is ready, however long that takes.

        Killed after TimeoutStartSec, a daemon that waits for its microphone would take the clients
        that bring their own audio with it.
        """
        while self._address and not ready():
            self.starting()
            await asyncio.sleep(PATIENCE_SECONDS / 4)

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    async def watch(self, progress: Callable[[], object]) -> None:
        """Feed the watchdog whenever `progress` changed, looking four times an interval; for ever.

        A clock would feed it as well when the audio stands still; progress does not.
        """
        last = None
        while self._interval:
            if (now := progress()) != last:
                last = now
                self._send("WATCHDOG=1")
            await asyncio.sleep(self._interval / 4)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)  # noqa: FBT003 - takes its argument by position only
                out.sendto(message.encode(), self._address)
        except BlockingIOError:  # the audio must not wait for a manager that does not read
            logger.warning("the service manager is too busy to be told %s", message)
        except OSError as error:
            reason = f"the service manager cannot be told {message!r}: {error.strerror}"
            raise DeviceError(reason) from error
