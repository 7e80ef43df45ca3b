"""The status of the daemon as metrics for Prometheus.

By its conventions: seconds and bytes, counters end in _total. No word, no name of the catalog and
no address is ever part of a metric, be it as a label.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from earshot import __version__
from earshot.generated.v1 import status_pb2 as pb
from earshot.generated.v1.playback_pb2 import GetPlaybackStatusResponse as Player
from earshot.generated.v1.status_pb2 import GetStatusResponse as Status
from earshot.vitals import DAEMON, Vitals

Read = Callable[[Status], float]


GAUGES: tuple[tuple[str, str, Read], ...] = (
    ("ready", "Whether whoever asks is served at once.", lambda s: s.ready),
    ("muted", "Whether the microphone is closed by its owner.", lambda s: s.muted),
    (
        "sandboxed",
        "Whether the kernel keeps the daemon off the network.",
        lambda s: s.sandbox == pb.SANDBOX_ENFORCED,
    ),
    (
        "local_only",
        "Whether nothing at all may leave the device.",
        lambda s: s.mode == pb.MODE_LOCAL_ONLY,
    ),
    ("clients", "Clients that are served.", lambda s: s.counters.clients),
    (
        "queue_seconds",
        "For how long the oldest audio had been waiting, at the last look.",
        lambda s: s.load.queue_ms / 1_000,
    ),
    ("load_level", "Steps by which effort is saved; 0 is all effort.", lambda s: s.load.level),
    ("load_ratio", "Share of real time that recognition took of late.", lambda s: s.load.share),
)
COUNTERS: tuple[tuple[str, str, Read], ...] = (
    (
        "audio_heard_seconds",
        "Audio that was recognised, in all streams.",
        lambda s: s.counters.heard.ToNanoseconds() / 1e9,
    ),
    (
        "audio_dropped_samples",
        "Samples of the source, at 16 kHz, that were lost.",
        lambda s: s.counters.dropped_samples,
    ),
    (
        "load_changes",
        "How often recognition went on with more or less effort.",
        lambda s: s.counters.load_changes,
    ),
    ("utterances", "Utterances that started.", lambda s: s.counters.utterances),
    ("utterances_committed", "Utterances whose words stand.", lambda s: s.counters.committed),
    (
        "utterances_cancelled",
        "Utterances of which nothing came.",
        lambda s: s.counters.cancelled,
    ),
    (
        "clients_served",
        "Clients that were served, with those of now.",
        lambda s: s.counters.clients_total,
    ),
    (
        "clients_dropped",
        "Clients that were sent away because they read too slowly.",
        lambda s: s.counters.clients_dropped,
    ),
)
PLAYER: tuple[tuple[str, str, Callable[[Player], float]], ...] = (
    ("player_blocks", "Blocks of music that were played.", lambda p: p.punctuality.blocks),
    (
        "player_late_blocks",
        "Blocks that were handed over too late to be heard in time.",
        lambda p: p.punctuality.xruns,
    ),
    (
        "player_starved_blocks",
        "Blocks that were incomplete because decoding was not ahead.",
        lambda p: p.punctuality.starved,
    ),
    (
        "player_underruns",
        "How often the output had nothing to play.",
        lambda p: p.punctuality.underruns,
    ),
)


class _Once(Collector):
    """Gives the metrics of one moment."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def exposition(found: Vitals, accept: str = "") -> tuple[bytes, str]:
    """Write metrics as whoever asks accepts them (an Accept header): the text, and its type."""
    registry = CollectorRegistry()
    registry.register(_Once(families(found)))
    if found.status is not None:
        own = found.usages.get(DAEMON)
        ProcessCollector(pid=lambda: own.pid if own else "self", registry=registry)
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def families(found: Vitals) -> Iterator[Metric]:
    """All metrics but those of the process."""
    yield GaugeMetricFamily("earshot_up", "Whether the daemon answers.", found.status is not None)
    if found.status is not None:
        yield from _of_daemon(found.status)
    if found.player is not None:
        ducked = "Whether music makes way for speech."
        yield GaugeMetricFamily("earshot_player_ducked", ducked, found.player.ducked)
        for name, help_, read in PLAYER:
            yield CounterMetricFamily(f"earshot_{name}", help_, read(found.player))


def _of_daemon(status: Status) -> Iterator[Metric]:
    versions = {"version": __version__, "bundle": status.bundle.name}
    yield InfoMetricFamily(
        "earshot_build",
        "What runs.",
        {**versions, "bundle_version": status.bundle.version},
    )
    for name, help_, read in GAUGES:
        yield GaugeMetricFamily(f"earshot_{name}", help_, read(status))
    for name, help_, read in COUNTERS:
        yield CounterMetricFamily(f"earshot_{name}", help_, read(status))
    yield from _of_latencies(status.latencies)


def _of_latencies(latencies: pb.Latencies) -> Iterator[Metric]:
    ends = HistogramMetricFamily(
        "earshot_end_point_latency_seconds",
        "Audio from the end of speech until the end was announced or committed.",
        labels=["kind"],
    )
    for kind, one in (("speculative", latencies.announced), ("final", latencies.ended)):
        ends.add_metric([kind], _buckets(one), one.sum)
    yield ends
    delays = HistogramMetricFamily(
        "earshot_recognition_delay_seconds",
        "Time from the arrival of audio of the source until it was recognised.",
    )
    delays.add_metric([], _buckets(latencies.recognised), latencies.recognised.sum)
    yield delays


def _buckets(one: pb.Histogram) -> Sequence[tuple[str, float]]:
    """Counts as Prometheus has them: of all up to each bound."""
    bounds = [*map(str, one.bounds), "+Inf"]
    return list(zip(bounds, accumulate(one.counts or [0]), strict=False))
