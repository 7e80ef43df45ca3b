import datetime

from earshot.generated.v1 import status_pb2 as _status_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EndPointKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    END_POINT_KIND_UNSPECIFIED: _ClassVar[EndPointKind]
    END_POINT_KIND_SPECULATIVE: _ClassVar[EndPointKind]
    END_POINT_KIND_FINAL: _ClassVar[EndPointKind]
END_POINT_KIND_UNSPECIFIED: EndPointKind
END_POINT_KIND_SPECULATIVE: EndPointKind
END_POINT_KIND_FINAL: EndPointKind

class Event(_message.Message):
    __slots__ = ("at", "speech_started", "partial", "end_point", "retracted", "revised", "committed", "cancelled", "audio_dropped", "source_changed", "muted", "mode_changed", "load_changed")
    AT_FIELD_NUMBER: _ClassVar[int]
    SPEECH_STARTED_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    END_POINT_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    REVISED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    AUDIO_DROPPED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    MODE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    LOAD_CHANGED_FIELD_NUMBER: _ClassVar[int]
    at: Position
    speech_started: SpeechStarted
    partial: Partial
    end_point: EndPoint
    retracted: Retracted
    revised: Revised
    committed: Committed
    cancelled: Cancelled
    audio_dropped: AudioDropped
    source_changed: SourceChanged
    muted: Muted
    mode_changed: ModeChanged
    load_changed: LoadChanged
    def __init__(self, at: _Optional[_Union[Position, _Mapping]] = ..., speech_started: _Optional[_Union[SpeechStarted, _Mapping]] = ..., partial: _Optional[_Union[Partial, _Mapping]] = ..., end_point: _Optional[_Union[EndPoint, _Mapping]] = ..., retracted: _Optional[_Union[Retracted, _Mapping]] = ..., revised: _Optional[_Union[Revised, _Mapping]] = ..., committed: _Optional[_Union[Committed, _Mapping]] = ..., cancelled: _Optional[_Union[Cancelled, _Mapping]] = ..., audio_dropped: _Optional[_Union[AudioDropped, _Mapping]] = ..., source_changed: _Optional[_Union[SourceChanged, _Mapping]] = ..., muted: _Optional[_Union[Muted, _Mapping]] = ..., mode_changed: _Optional[_Union[ModeChanged, _Mapping]] = ..., load_changed: _Optional[_Union[LoadChanged, _Mapping]] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("time", "sample")
    TIME_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    time: _duration_pb2.Duration
    sample: int
    def __init__(self, time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sample: _Optional[int] = ...) -> None: ...

class SpeechStarted(_message.Message):
    __slots__ = ("utterance", "start")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    start: Position
    def __init__(self, utterance: _Optional[int] = ..., start: _Optional[_Union[Position, _Mapping]] = ...) -> None: ...

class Partial(_message.Message):
    __slots__ = ("utterance", "words", "heard")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    words: _containers.RepeatedCompositeFieldContainer[Word]
    heard: Position
    def __init__(self, utterance: _Optional[int] = ..., words: _Optional[_Iterable[_Union[Word, _Mapping]]] = ..., heard: _Optional[_Union[Position, _Mapping]] = ...) -> None: ...

class EndPoint(_message.Message):
    __slots__ = ("utterance", "version", "kind", "decision", "end", "result")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    version: int
    kind: EndPointKind
    decision: Decision
    end: Position
    result: Result
    def __init__(self, utterance: _Optional[int] = ..., version: _Optional[int] = ..., kind: _Optional[_Union[EndPointKind, str]] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., end: _Optional[_Union[Position, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ...) -> None: ...

class Retracted(_message.Message):
    __slots__ = ("utterance", "version")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    version: int
    def __init__(self, utterance: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class Revised(_message.Message):
    __slots__ = ("utterance", "version", "reset", "result")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    version: int
    reset: bool
    result: Result
    def __init__(self, utterance: _Optional[int] = ..., version: _Optional[int] = ..., reset: _Optional[bool] = ..., result: _Optional[_Union[Result, _Mapping]] = ...) -> None: ...

class Committed(_message.Message):
    __slots__ = ("utterance", "version", "decision")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    version: int
    decision: Decision
    def __init__(self, utterance: _Optional[int] = ..., version: _Optional[int] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ...) -> None: ...

class Cancelled(_message.Message):
    __slots__ = ("utterance", "reason")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    reason: str
    def __init__(self, utterance: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class AudioDropped(_message.Message):
    __slots__ = ("samples", "total")
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    samples: int
    total: int
    def __init__(self, samples: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class SourceChanged(_message.Message):
    __slots__ = ("ready", "description")
    READY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    description: str
    def __init__(self, ready: _Optional[bool] = ..., description: _Optional[str] = ...) -> None: ...

class Muted(_message.Message):
    __slots__ = ("muted",)
    MUTED_FIELD_NUMBER: _ClassVar[int]
    muted: bool
    def __init__(self, muted: _Optional[bool] = ...) -> None: ...

class ModeChanged(_message.Message):
    __slots__ = ("mode",)
    MODE_FIELD_NUMBER: _ClassVar[int]
    mode: _status_pb2.Mode
    def __init__(self, mode: _Optional[_Union[_status_pb2.Mode, str]] = ...) -> None: ...

class LoadChanged(_message.Message):
    __slots__ = ("level", "name", "queue_ms")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    level: int
    name: str
    queue_ms: int
    def __init__(self, level: _Optional[int] = ..., name: _Optional[str] = ..., queue_ms: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("rule", "numbers")
    RULE_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    rule: str
    numbers: _containers.RepeatedCompositeFieldContainer[Number]
    def __init__(self, rule: _Optional[str] = ..., numbers: _Optional[_Iterable[_Union[Number, _Mapping]]] = ...) -> None: ...

class Number(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("text", "words", "confidence", "alternatives", "lattice", "command", "formatted", "explanations", "interpretation", "directed")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    LATTICE_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    FORMATTED_FIELD_NUMBER: _ClassVar[int]
    EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    INTERPRETATION_FIELD_NUMBER: _ClassVar[int]
    DIRECTED_FIELD_NUMBER: _ClassVar[int]
    text: str
    words: _containers.RepeatedCompositeFieldContainer[Word]
    confidence: float
    alternatives: _containers.RepeatedCompositeFieldContainer[Alternative]
    lattice: Lattice
    command: Command
    formatted: Formatted
    explanations: _containers.RepeatedCompositeFieldContainer[Explanation]
    interpretation: Interpretation
    directed: float
    def __init__(self, text: _Optional[str] = ..., words: _Optional[_Iterable[_Union[Word, _Mapping]]] = ..., confidence: _Optional[float] = ..., alternatives: _Optional[_Iterable[_Union[Alternative, _Mapping]]] = ..., lattice: _Optional[_Union[Lattice, _Mapping]] = ..., command: _Optional[_Union[Command, _Mapping]] = ..., formatted: _Optional[_Union[Formatted, _Mapping]] = ..., explanations: _Optional[_Iterable[_Union[Explanation, _Mapping]]] = ..., interpretation: _Optional[_Union[Interpretation, _Mapping]] = ..., directed: _Optional[float] = ...) -> None: ...

class Interpretation(_message.Message):
    __slots__ = ("intent", "confidence", "slots", "words", "template")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    intent: str
    confidence: float
    slots: _containers.RepeatedCompositeFieldContainer[FilledSlot]
    words: _containers.RepeatedScalarFieldContainer[str]
    template: bool
    def __init__(self, intent: _Optional[str] = ..., confidence: _Optional[float] = ..., slots: _Optional[_Iterable[_Union[FilledSlot, _Mapping]]] = ..., words: _Optional[_Iterable[str]] = ..., template: _Optional[bool] = ...) -> None: ...

class FilledSlot(_message.Message):
    __slots__ = ("name", "value", "normal", "first", "end", "names")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NORMAL_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    normal: str
    first: int
    end: int
    names: _containers.RepeatedCompositeFieldContainer[Named]
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., normal: _Optional[str] = ..., first: _Optional[int] = ..., end: _Optional[int] = ..., names: _Optional[_Iterable[_Union[Named, _Mapping]]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("word", "bias", "names", "lost")
    WORD_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    word: int
    bias: float
    names: _containers.RepeatedCompositeFieldContainer[Named]
    lost: _containers.RepeatedCompositeFieldContainer[Rival]
    def __init__(self, word: _Optional[int] = ..., bias: _Optional[float] = ..., names: _Optional[_Iterable[_Union[Named, _Mapping]]] = ..., lost: _Optional[_Iterable[_Union[Rival, _Mapping]]] = ...) -> None: ...

class Named(_message.Message):
    __slots__ = ("kind", "name")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Rival(_message.Message):
    __slots__ = ("text", "bias", "posterior", "names")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    POSTERIOR_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    text: str
    bias: float
    posterior: float
    names: _containers.RepeatedCompositeFieldContainer[Named]
    def __init__(self, text: _Optional[str] = ..., bias: _Optional[float] = ..., posterior: _Optional[float] = ..., names: _Optional[_Iterable[_Union[Named, _Mapping]]] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("intent", "slots", "misfit")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    MISFIT_FIELD_NUMBER: _ClassVar[int]
    intent: str
    slots: _containers.RepeatedCompositeFieldContainer[Slot]
    misfit: float
    def __init__(self, intent: _Optional[str] = ..., slots: _Optional[_Iterable[_Union[Slot, _Mapping]]] = ..., misfit: _Optional[float] = ...) -> None: ...

class Slot(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class Formatted(_message.Message):
    __slots__ = ("text", "pieces")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    text: str
    pieces: _containers.RepeatedCompositeFieldContainer[Piece]
    def __init__(self, text: _Optional[str] = ..., pieces: _Optional[_Iterable[_Union[Piece, _Mapping]]] = ...) -> None: ...

class Piece(_message.Message):
    __slots__ = ("text", "first", "end")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    text: str
    first: int
    end: int
    def __init__(self, text: _Optional[str] = ..., first: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class Word(_message.Message):
    __slots__ = ("text", "start", "end", "confidence", "phones")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    text: str
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    confidence: float
    phones: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, text: _Optional[str] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., confidence: _Optional[float] = ..., phones: _Optional[_Iterable[str]] = ...) -> None: ...

class Alternative(_message.Message):
    __slots__ = ("text", "score")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    text: str
    score: float
    def __init__(self, text: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class Lattice(_message.Message):
    __slots__ = ("nodes", "arcs")
    NODES_FIELD_NUMBER: _ClassVar[int]
    ARCS_FIELD_NUMBER: _ClassVar[int]
    nodes: _containers.RepeatedCompositeFieldContainer[Node]
    arcs: _containers.RepeatedCompositeFieldContainer[Arc]
    def __init__(self, nodes: _Optional[_Iterable[_Union[Node, _Mapping]]] = ..., arcs: _Optional[_Iterable[_Union[Arc, _Mapping]]] = ...) -> None: ...

class Node(_message.Message):
    __slots__ = ("time",)
    TIME_FIELD_NUMBER: _ClassVar[int]
    time: _duration_pb2.Duration
    def __init__(self, time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Arc(_message.Message):
    __slots__ = ("source", "target", "word", "start", "end", "acoustic", "language", "bias", "posterior", "phones")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    WORD_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    ACOUSTIC_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    BIAS_FIELD_NUMBER: _ClassVar[int]
    POSTERIOR_FIELD_NUMBER: _ClassVar[int]
    PHONES_FIELD_NUMBER: _ClassVar[int]
    source: int
    target: int
    word: str
    start: _duration_pb2.Duration
    end: _duration_pb2.Duration
    acoustic: float
    language: float
    bias: float
    posterior: float
    phones: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, source: _Optional[int] = ..., target: _Optional[int] = ..., word: _Optional[str] = ..., start: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., acoustic: _Optional[float] = ..., language: _Optional[float] = ..., bias: _Optional[float] = ..., posterior: _Optional[float] = ..., phones: _Optional[_Iterable[str]] = ...) -> None: ...
