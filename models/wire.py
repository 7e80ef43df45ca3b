"""A network of its own, of which every packet is counted twice: by a capture, and by the kernel.

A network namespace has the loopback device and one more, with addresses and default routes of both
families, whose gateways need not be asked for: whatever is sent from within, to wherever, goes out
by one of them at once. Nothing is at the other end. The capture is a packet socket (packet(7)) that
is given all packets of all devices; the other witness are the counters of the devices and of the
protocols, which count what a capture might miss.
"""

import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

ALL_PROTOCOLS = 0x0003  # ETH_P_ALL
SOL_PACKET, STATISTICS = 263, 6  # PACKET_STATISTICS
GATEWAYS = {"-4": ("192.0.2.1/24", "192.0.2.254"), "-6": ("2001:db8::1/64", "2001:db8::fe")}
ELSEWHERE = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8:1::1"}  # for examples
HERE = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
DEVICES = (["dummy"], ["veth", "peer", "name", "far"])  # what a kernel may have
QUIET, PATIENCE = 1.5, 60.0  # seconds without a packet; until then
POLL = 0.1  # seconds


class NoNetworkError(Exception):
    """No network of one's own can be had here; the message says why."""


def apart(command: list[str]) -> list[str]:
    """The command that runs another one in a network of its own. Raises NoNetworkError."""
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            message = f"{tool} is not installed (util-linux, iproute2)"
            raise NoNetworkError(message)
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    prefix = ["unshare", *rights, "--net"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if tried.returncode:
        message = f"no network namespace is allowed: {tried.stderr.strip()}"
        raise NoNetworkError(message)
    return [*prefix, *command]


def connect() -> None:
    """Give this namespace its devices, addresses and routes. Raises NoNetworkError."""
    if not any(_ip("link", "add", "out", "type", *kind) for kind in DEVICES):
        message = "the kernel makes no device for it (neither dummy nor veth)"
        raise NoNetworkError(message)
    _ip("link", "set", "lo", "up")
    for device in ("far", "out"):
        _ip("link", "set", device, "up", "addrgenmode", "none")
    for family, (own, gateway) in GATEWAYS.items():
        _ip(family, "address", "add", own, "dev", "out", *(["nodad"] if family == "-6" else []))
        _ip(family, "neighbour", "add", gateway, "lladdr", "02:00:00:00:00:01", "dev", "out")
        _ip(family, "route", "add", "default", "via", gateway, "dev", "out")


def _ip(*arguments: str) -> bool:
    done = subprocess.run(["ip", *arguments], capture_output=True, check=False)  # noqa: S603, S607
    return done.returncode == 0


class Capture:
    """Counts the packets of all devices here; what goes from one to another counts twice."""

    def __init__(self) -> None:
        self.packets = self.lost = 0
        self._over = threading.Event()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self._socket.settimeout(POLL)
        self._thread = threading.Thread(target=self._count)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _count(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                self._socket.recv(1)
                self.packets += 1

    def missed(self) -> int:
        """How many packets came too fast to be counted, since this was last asked."""
        facts = self._socket.getsockopt(SOL_PACKET, STATISTICS, 8)
        return int.from_bytes(facts[4:8], "little")

    def settle(self) -> None:
        """Wait until nothing comes any more: a new device says a few things on its own."""
        end, last, since = time.monotonic() + PATIENCE, self.packets, time.monotonic()
        while time.monotonic() - since < QUIET:
            if self.packets != last:
                last, since = self.packets, time.monotonic()
            if time.monotonic() > end:
                message = "the network of this namespace does not become quiet"
                raise NoNetworkError(message)
            time.sleep(POLL)


def counted() -> dict[str, int]:
    """What the kernel counted here: packets of the devices, and what IP was asked to send."""
    devices = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    fields = [line.partition(":")[2].split() for line in devices]
    four, six = Path("/proc/net/snmp"), Path("/proc/net/snmp6")
    titles, values = (line.split() for line in four.read_text(encoding="ascii").splitlines()[:2])
    asked = dict(zip(titles, values, strict=True))
    asked |= dict(line.split() for line in six.read_text(encoding="ascii").splitlines())
    return {
        "device_packets": sum(int(row[1]) + int(row[9]) for row in fields),
        "ip_requests": sum(int(asked[name]) for name in ("OutRequests", "OutNoRoutes")),
        "ipv6_requests": sum(int(asked[name]) for name in ("Ip6OutRequests", "Ip6OutNoRoutes")),
    }


def send() -> int:
    """Send what an unguarded program could: a datagram to here and elsewhere; how many went out."""
    sent = 0
    for family, address in (*HERE.items(), *ELSEWHERE.items()):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as out:
            sent += out.sendto(b"x", (address, 9))  # fails where the kernel has no IPv6
    return sent
