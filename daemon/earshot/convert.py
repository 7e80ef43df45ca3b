"""Events as messages of the API and back. A sample is 62 500 ns, so nothing is lost on the way."""

from collections.abc import Callable
from typing import Any

from google.protobuf.duration_pb2 import Duration

from earshot import events as ev
from earshot.condition import Echo, UplinkState
from earshot.formatting import formatted
from earshot.generated.v1 import events_pb2 as pb
from earshot.generated.v1 import status_pb2
from earshot.generated.v1.recognition_pb2 import Filter
from earshot.meanings import interpretation_back, interpretation_message, named, names_back
from earshot.units import SAMPLE_RATE

SAMPLE_NS = 1_000_000_000 // SAMPLE_RATE  # exact

_KINDS = {
    ev.EndPointKind.SPECULATIVE: pb.END_POINT_KIND_SPECULATIVE,
    ev.EndPointKind.FINAL: pb.END_POINT_KIND_FINAL,
}
_KINDS_BACK = {message: kind for kind, message in _KINDS.items()}
MODES = {
    ev.Mode.LOCAL_ONLY: status_pb2.MODE_LOCAL_ONLY,
    ev.Mode.ASSISTED: status_pb2.MODE_ASSISTED,
}
MODES_BACK = {message: mode for mode, message in MODES.items()}
ECHOES = {
    Echo.OFF: status_pb2.ECHO_REMOVAL_OFF,
    Echo.WAITING: status_pb2.ECHO_REMOVAL_WAITING,
    Echo.ACTIVE: status_pb2.ECHO_REMOVAL_ACTIVE,
}
ECHOES_BACK = {message: echo for echo, message in ECHOES.items()}
UPLINKS = {
    UplinkState.OFF: status_pb2.UPLINK_STATE_OFF,
    UplinkState.ABSENT: status_pb2.UPLINK_STATE_ABSENT,
    UplinkState.UNREACHABLE: status_pb2.UPLINK_STATE_UNREACHABLE,
    UplinkState.RESTING: status_pb2.UPLINK_STATE_RESTING,
    UplinkState.READY: status_pb2.UPLINK_STATE_READY,
}
UPLINKS_BACK = {message: state for state, message in UPLINKS.items()}
ALL = Filter(partials=True, lattices=True, explanations=True, interpretations=True)


def wanted(event: ev.Event, wish: Filter) -> bool:
    """Whether a client wants this event at all."""
    return wish.partials or not isinstance(event, ev.Partial)


def to_message(event: ev.Event, wish: Filter = ALL) -> pb.Event:
    """Say an event as a message that holds as much as the client wishes."""
    name, build = _BUILDERS[type(event)]
    return pb.Event(at=_position(event.at), **{name: build(event, wish)})


def from_message(message: pb.Event) -> ev.Event:
    """Read the event of a message. Raises ValueError for a kind of event that is not known here."""
    name = message.WhichOneof("event")
    if name is None:
        unknown = "an event of an unknown kind: the daemon is newer than this client"
        raise ValueError(unknown)
    return _READERS[name](message.at.sample, getattr(message, name))


def duration(samples: int) -> Duration:
    """Express a count of samples as a duration."""
    found = Duration()
    found.FromNanoseconds(samples * SAMPLE_NS)
    return found


def _samples(time: Duration) -> int:
    return time.ToNanoseconds() // SAMPLE_NS


def _position(sample: int) -> pb.Position:
    return pb.Position(time=duration(sample), sample=sample)


def _word(word: ev.Word) -> pb.Word:
    start, end = duration(word.start), duration(word.end)
    return pb.Word(
        text=word.text, start=start, end=end, confidence=word.confidence, phones=word.phones
    )


def _decision(decision: ev.Decision) -> pb.Decision:
    numbers = [pb.Number(name=name, value=value) for name, value in decision.numbers]
    return pb.Decision(rule=decision.rule, numbers=numbers)


def _result(result: ev.Result, wish: Filter) -> pb.Result:
    best = result.alternatives[: wish.n_best] if wish.n_best else result.alternatives
    return pb.Result(
        text=result.text,
        words=[_word(word) for word in result.words],
        confidence=result.confidence,
        alternatives=[pb.Alternative(text=a.text, score=a.score) for a in best],
        lattice=_lattice(result.lattice) if wish.lattices else None,
        command=_command(result.command) if result.command else None,
        formatted=_formatted(result) if wish.formatted else None,
        explanations=map(_explanation, result.explanations if wish.explanations else ()),
        interpretation=interpretation_message(
            result.interpretation if wish.interpretations else None
        ),
        directed=result.directed,
    )


def _explanation(one: ev.Explanation) -> pb.Explanation:
    lost = [
        pb.Rival(text=r.text, bias=r.bias, posterior=r.posterior, names=map(named, r.names))
        for r in one.lost
    ]
    return pb.Explanation(word=one.word, bias=one.bias, names=map(named, one.names), lost=lost)


def _command(command: ev.Command) -> pb.Command:
    slots = [pb.Slot(name=name, value=value) for name, value in command.slots]
    return pb.Command(intent=command.intent, slots=slots, misfit=command.misfit)


def _formatted(result: ev.Result) -> pb.Formatted:
    """Write the words of a result; nobody reads it back, for it is a view of them."""
    found = formatted([word.text for word in result.words])
    pieces = [pb.Piece(text=one.text, first=one.first, end=one.end) for one in found.pieces]
    return pb.Formatted(text=found.text, pieces=pieces)


def _lattice(lattice: ev.Lattice) -> pb.Lattice:
    nodes = [pb.Node(time=duration(position)) for position in lattice.nodes]
    return pb.Lattice(nodes=nodes, arcs=[_arc(arc) for arc in lattice.arcs])


def _arc(arc: ev.Arc) -> pb.Arc:
    return pb.Arc(
        source=arc.source,
        target=arc.target,
        word=arc.word,
        start=duration(arc.start),
        end=duration(arc.end),
        acoustic=arc.acoustic,
        language=arc.language,
        bias=arc.bias,
        posterior=arc.posterior,
        phones=arc.phones,
    )


def _end_point(event: ev.EndPoint, wish: Filter) -> pb.EndPoint:
    return pb.EndPoint(
        utterance=event.utterance,
        version=event.version,
        kind=_KINDS[event.kind],
        decision=_decision(event.decision),
        end=_position(event.end),
        result=_result(event.result, wish),
    )


def _revised(event: ev.Revised, wish: Filter) -> pb.Revised:
    result = _result(event.result, wish)
    return pb.Revised(
        utterance=event.utterance, version=event.version, reset=event.reset, result=result
    )


# Name in the oneof, and how its message is built.
_BUILDERS: dict[type, tuple[str, Callable[[Any, Filter], Any]]] = {
    ev.SpeechStarted: (
        "speech_started",
        lambda e, _: pb.SpeechStarted(utterance=e.utterance, start=_position(e.start)),
    ),
    ev.Partial: (
        "partial",
        lambda e, _: pb.Partial(
            utterance=e.utterance, words=map(_word, e.words), heard=_position(e.heard)
        ),
    ),
    ev.EndPoint: ("end_point", _end_point),
    ev.Retracted: (
        "retracted",
        lambda e, _: pb.Retracted(utterance=e.utterance, version=e.version),
    ),
    ev.Revised: ("revised", _revised),
    ev.Committed: (
        "committed",
        lambda e, _: pb.Committed(
            utterance=e.utterance,
            version=e.version,
            decision=_decision(e.decision) if e.decision else None,
        ),
    ),
    ev.Cancelled: (
        "cancelled",
        lambda e, _: pb.Cancelled(utterance=e.utterance, reason=e.reason),
    ),
    ev.AudioDropped: (
        "audio_dropped",
        lambda e, _: pb.AudioDropped(samples=e.samples, total=e.total),
    ),
    ev.SourceChanged: (
        "source_changed",
        lambda e, _: pb.SourceChanged(ready=e.ready, description=e.description),
    ),
    ev.Muted: ("muted", lambda e, _: pb.Muted(muted=e.muted)),
    ev.LoadChanged: (
        "load_changed",
        lambda e, _: pb.LoadChanged(level=e.level, name=e.name, queue_ms=e.queue_ms),
    ),
    ev.ModeChanged: ("mode_changed", lambda e, _: pb.ModeChanged(mode=MODES[e.mode])),
}


def _word_back(word: pb.Word) -> ev.Word:
    return ev.Word(
        word.text, _samples(word.start), _samples(word.end), word.confidence, tuple(word.phones)
    )


def _result_back(result: pb.Result) -> ev.Result:
    nodes = (_samples(node.time) for node in result.lattice.nodes)
    alternatives = (ev.Alternative(a.text, a.score) for a in result.alternatives)
    return ev.Result(
        tuple(map(_word_back, result.words)),
        result.confidence,
        tuple(alternatives),
        ev.Lattice(tuple(nodes), tuple(map(_arc_back, result.lattice.arcs))),
        _command_back(result.command) if result.HasField("command") else None,
        tuple(map(_explanation_back, result.explanations)),
        interpretation_back(result.interpretation) if result.HasField("interpretation") else None,
        result.directed if result.HasField("directed") else None,
    )


def _arc_back(a: pb.Arc) -> ev.Arc:
    return ev.Arc(
        a.source, a.target, a.word, _samples(a.start), _samples(a.end), a.acoustic, a.language,
        a.bias, a.posterior, tuple(a.phones),
    )  # fmt: skip


def _explanation_back(one: pb.Explanation) -> ev.Explanation:
    lost = (ev.Rival(r.text, r.bias, r.posterior, names_back(r.names)) for r in one.lost)
    return ev.Explanation(one.word, one.bias, names_back(one.names), tuple(lost))


def _command_back(command: pb.Command) -> ev.Command:
    slots = tuple((slot.name, slot.value) for slot in command.slots)
    return ev.Command(command.intent, slots, command.misfit)


def _decision_back(decision: pb.Decision) -> ev.Decision:
    return ev.Decision(decision.rule, tuple((n.name, n.value) for n in decision.numbers))


# How a message of the oneof is read, given the `at` of its event.
_READERS: dict[str, Callable[[int, Any], ev.Event]] = {
    "speech_started": lambda at, m: ev.SpeechStarted(at, m.utterance, m.start.sample),
    "partial": lambda at, m: ev.Partial(
        at, m.utterance, tuple(map(_word_back, m.words)), m.heard.sample
    ),
    "end_point": lambda at, m: ev.EndPoint(
        at,
        m.utterance,
        m.version,
        _KINDS_BACK[m.kind],
        _decision_back(m.decision),
        m.end.sample,
        _result_back(m.result),
    ),
    "retracted": lambda at, m: ev.Retracted(at, m.utterance, m.version),
    "revised": lambda at, m: ev.Revised(
        at, m.utterance, m.version, m.reset, _result_back(m.result)
    ),
    "committed": lambda at, m: ev.Committed(
        at,
        m.utterance,
        m.version,
        _decision_back(m.decision) if m.HasField("decision") else None,
    ),
    "cancelled": lambda at, m: ev.Cancelled(at, m.utterance, m.reason),
    "audio_dropped": lambda at, m: ev.AudioDropped(at, m.samples, m.total),
    "source_changed": lambda at, m: ev.SourceChanged(at, m.ready, m.description),
    "muted": lambda at, m: ev.Muted(at, m.muted),
    "load_changed": lambda at, m: ev.LoadChanged(at, m.level, m.name, m.queue_ms),
    "mode_changed": lambda at, m: ev.ModeChanged(at, MODES_BACK[m.mode]),
}
