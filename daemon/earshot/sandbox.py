"""Whether the kernel keeps this process off the network: found out by trying."""

import socket


def refuses_internet() -> bool:
    """Whether the kernel refuses an internet socket, of either kind. Sends nothing."""
    return all(_refused(family) for family in (socket.AF_INET, socket.AF_INET6))


def _refused(family: socket.AddressFamily) -> bool:
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except OSError:
        return True
    return False
