"""The machine: Python, the libraries and what they need of it, memory, kernel, scheduling."""

import importlib
import importlib.metadata
import os
import platform
import re
import resource
import struct
import sys
from pathlib import Path

from earshot import sandbox
from earshot.checks.finding import Finding, Patient, tried
from earshot.scheduling import outlook

OLDEST_PYTHON = (3, 11)
# By the names under which they are installed, and those under which they are imported.
LIBRARIES = {
    "onnxruntime": "onnxruntime",
    "grpcio": "grpc",
    "protobuf": "google.protobuf",
    "numpy": "numpy",
    "soxr": "soxr",
    "soundfile": "soundfile",
}
MACHINES = ("x86_64", "aarch64")
# What the machine code of the libraries takes for granted, as /proc/cpuinfo calls it.
FEATURES = {"x86_64": ("ssse3", "sse4_1", "sse4_2", "popcnt"), "aarch64": ("asimd",)}
FAST = {"x86_64": "avx2", "aarch64": "asimddp"}
LITTLE = 400  # MiB that are free: what the daemon takes with 10,000 names, and as much again
WORD_BITS = 64
FILES = 256  # open at once: 64 clients, and the daemon's own


def python(_: Patient) -> Finding:
    """Look at the interpreter."""
    old = sys.version_info < OLDEST_PYTHON
    mend = "install Python 3.11 or later, and run `make setup` with it" if old else ""
    return Finding("python", f"{platform.python_version()} on {platform.machine()}", mend)


def libraries(_: Patient) -> Finding:
    """Look whether the libraries that recognise and serve can be loaded."""
    broken = []
    for name, module in LIBRARIES.items():
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:
            broken.append(f"{name} cannot be loaded ({str(error).splitlines()[0]})")
    if broken:
        return Finding("libraries", "; ".join(broken), "install earshot again: `make setup`")
    versions = (f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return Finding("libraries", ", ".join(versions))


def c_library(_: Patient) -> Finding:
    """Look whether the C library is as new as onnxruntime wants it."""
    name, version = platform.libc_ver()
    if name != "glibc":
        mend = "use a distribution with glibc, such as Debian; the libraries are built for it"
        return Finding("c library", name or "not glibc", mend)
    oldest = _wanted_glibc()
    old = _numbers(version) < _numbers(oldest)
    mend = f"update the system: onnxruntime needs glibc {oldest} or later" if old else ""
    return Finding("c library", f"glibc {version}", mend)


def _wanted_glibc() -> str:
    """What the wheel of onnxruntime says that it was built for."""
    wheel = importlib.metadata.distribution("onnxruntime").read_text("WHEEL") or ""
    found = re.findall(r"manylinux_(\d+)_(\d+)", wheel)
    return min((".".join(pair) for pair in found), key=_numbers, default="2.27")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def processor(_: Patient) -> Finding:
    """Look whether the processor has what the libraries' machine code takes for granted."""
    machine, bits = platform.machine(), 8 * struct.calcsize("P")
    if machine not in MACHINES or bits != WORD_BITS:
        mend = "use a 64-bit system on x86-64 or aarch64 (a Raspberry Pi from the 3 can run one)"
        return Finding("processor", f"{machine}, {bits}-bit programs", mend)
    flags = _flags()
    lacking = [one for one in FEATURES[machine] if flags and one not in flags]
    cores = len(os.sched_getaffinity(0))
    found = f"{machine}, {cores} cores may be used"
    if lacking:
        mend = "use a newer machine; in a virtual one, pass the processor of its host on"
        return Finding("processor", f"{found}, without {', '.join(lacking)}", mend)
    if flags and FAST[machine] not in flags:
        found += f", without {FAST[machine]}: recognition takes longer"
    return Finding("processor", found)


def _flags() -> frozenset[str]:
    """The features of the processor, none where the system does not tell them."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return frozenset()
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def memory(_: Patient) -> Finding | None:
    """Look whether enough memory is free."""
    try:
        text = Path("/proc/meminfo").read_text("utf-8")
    except OSError:
        return None
    found = re.search(r"^MemAvailable:\s*(\d+) kB", text, re.MULTILINE)
    if found is None:
        return None
    free = int(found[1]) // 1024
    mend = "end other programs, or let it swap (zram)" if free < LITTLE else ""
    return Finding("memory", f"{free} MiB are free", mend, needed=False)


def kernel(patient: Patient) -> Finding:
    """Look at the kernel: can it keep the daemon off the network."""
    needed = patient.settings.require_sandbox
    return tried("sandbox", sandbox.offered, sandbox.MEND, needed=needed)


def limits(_: Patient) -> Finding:
    """Look at how many files this user may have open at once."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    low = 0 <= files < FILES
    mend = f"raise it: `ulimit -n {FILES}`, or LimitNOFILE={FILES} in the unit" if low else ""
    return Finding("limits", f"{files} files may be open", mend, needed=False)


def priority(patient: Patient) -> Finding:
    """Look whether the microphone may be read before other programs run."""
    found, mend = outlook(patient.settings.feed.nice)
    return Finding("scheduling", found, mend, needed=False)
