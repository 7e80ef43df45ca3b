from earshot.generated.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Gate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GATE_UNSPECIFIED: _ClassVar[Gate]
    GATE_QUIET: _ClassVar[Gate]
    GATE_STARTING: _ClassVar[Gate]
    GATE_SPEAKING: _ClassVar[Gate]
    GATE_STOPPING: _ClassVar[Gate]
GATE_UNSPECIFIED: Gate
GATE_QUIET: Gate
GATE_STARTING: Gate
GATE_SPEAKING: Gate
GATE_STOPPING: Gate

class WatchRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("looks",)
    LOOKS_FIELD_NUMBER: _ClassVar[int]
    looks: _containers.RepeatedCompositeFieldContainer[Look]
    def __init__(self, looks: _Optional[_Iterable[_Union[Look, _Mapping]]] = ...) -> None: ...

class Look(_message.Message):
    __slots__ = ("at", "peak_db", "rms_db", "speech", "gate", "done", "utterance")
    AT_FIELD_NUMBER: _ClassVar[int]
    PEAK_DB_FIELD_NUMBER: _ClassVar[int]
    RMS_DB_FIELD_NUMBER: _ClassVar[int]
    SPEECH_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    at: _events_pb2.Position
    peak_db: float
    rms_db: float
    speech: bool
    gate: Gate
    done: float
    utterance: int
    def __init__(self, at: _Optional[_Union[_events_pb2.Position, _Mapping]] = ..., peak_db: _Optional[float] = ..., rms_db: _Optional[float] = ..., speech: _Optional[bool] = ..., gate: _Optional[_Union[Gate, str]] = ..., done: _Optional[float] = ..., utterance: _Optional[int] = ...) -> None: ...
