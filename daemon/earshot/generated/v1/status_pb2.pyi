import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_LOCAL_ONLY: _ClassVar[Mode]
    MODE_ASSISTED: _ClassVar[Mode]

class UplinkState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UPLINK_STATE_UNSPECIFIED: _ClassVar[UplinkState]
    UPLINK_STATE_OFF: _ClassVar[UplinkState]
    UPLINK_STATE_ABSENT: _ClassVar[UplinkState]
    UPLINK_STATE_UNREACHABLE: _ClassVar[UplinkState]
    UPLINK_STATE_RESTING: _ClassVar[UplinkState]
    UPLINK_STATE_READY: _ClassVar[UplinkState]

class Sandbox(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SANDBOX_UNSPECIFIED: _ClassVar[Sandbox]
    SANDBOX_NONE: _ClassVar[Sandbox]
    SANDBOX_ENFORCED: _ClassVar[Sandbox]

class EchoRemoval(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ECHO_REMOVAL_UNSPECIFIED: _ClassVar[EchoRemoval]
    ECHO_REMOVAL_OFF: _ClassVar[EchoRemoval]
    ECHO_REMOVAL_WAITING: _ClassVar[EchoRemoval]
    ECHO_REMOVAL_ACTIVE: _ClassVar[EchoRemoval]
MODE_UNSPECIFIED: Mode
MODE_LOCAL_ONLY: Mode
MODE_ASSISTED: Mode
UPLINK_STATE_UNSPECIFIED: UplinkState
UPLINK_STATE_OFF: UplinkState
UPLINK_STATE_ABSENT: UplinkState
UPLINK_STATE_UNREACHABLE: UplinkState
UPLINK_STATE_RESTING: UplinkState
UPLINK_STATE_READY: UplinkState
SANDBOX_UNSPECIFIED: Sandbox
SANDBOX_NONE: Sandbox
SANDBOX_ENFORCED: Sandbox
ECHO_REMOVAL_UNSPECIFIED: EchoRemoval
ECHO_REMOVAL_OFF: EchoRemoval
ECHO_REMOVAL_WAITING: EchoRemoval
ECHO_REMOVAL_ACTIVE: EchoRemoval

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("ready", "mode", "muted", "sandbox", "bundle", "source", "echo_removal", "uptime", "counters", "load", "latencies", "sandbox_reason", "assist")
    READY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ECHO_REMOVAL_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_REASON_FIELD_NUMBER: _ClassVar[int]
    ASSIST_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    mode: Mode
    muted: bool
    sandbox: Sandbox
    bundle: BundleName
    source: str
    echo_removal: EchoRemoval
    uptime: _duration_pb2.Duration
    counters: Counters
    load: Load
    latencies: Latencies
    sandbox_reason: str
    assist: Assist
    def __init__(self, ready: _Optional[bool] = ..., mode: _Optional[_Union[Mode, str]] = ..., muted: _Optional[bool] = ..., sandbox: _Optional[_Union[Sandbox, str]] = ..., bundle: _Optional[_Union[BundleName, _Mapping]] = ..., source: _Optional[str] = ..., echo_removal: _Optional[_Union[EchoRemoval, str]] = ..., uptime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., counters: _Optional[_Union[Counters, _Mapping]] = ..., load: _Optional[_Union[Load, _Mapping]] = ..., latencies: _Optional[_Union[Latencies, _Mapping]] = ..., sandbox_reason: _Optional[str] = ..., assist: _Optional[_Union[Assist, _Mapping]] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("level", "name", "queue_ms", "share")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    level: int
    name: str
    queue_ms: int
    share: float
    def __init__(self, level: _Optional[int] = ..., name: _Optional[str] = ..., queue_ms: _Optional[int] = ..., share: _Optional[float] = ...) -> None: ...

class Assist(_message.Message):
    __slots__ = ("uplink", "since", "about", "asked", "confirmed", "revised", "late", "failed")
    UPLINK_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    REVISED_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    uplink: UplinkState
    since: _timestamp_pb2.Timestamp
    about: str
    asked: int
    confirmed: int
    revised: int
    late: int
    failed: int
    def __init__(self, uplink: _Optional[_Union[UplinkState, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., about: _Optional[str] = ..., asked: _Optional[int] = ..., confirmed: _Optional[int] = ..., revised: _Optional[int] = ..., late: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

class BundleName(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Counters(_message.Message):
    __slots__ = ("heard", "utterances", "committed", "cancelled", "dropped_samples", "clients", "clients_total", "clients_dropped", "load_changes")
    HEARD_FIELD_NUMBER: _ClassVar[int]
    UTTERANCES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    LOAD_CHANGES_FIELD_NUMBER: _ClassVar[int]
    heard: _duration_pb2.Duration
    utterances: int
    committed: int
    cancelled: int
    dropped_samples: int
    clients: int
    clients_total: int
    clients_dropped: int
    load_changes: int
    def __init__(self, heard: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., utterances: _Optional[int] = ..., committed: _Optional[int] = ..., cancelled: _Optional[int] = ..., dropped_samples: _Optional[int] = ..., clients: _Optional[int] = ..., clients_total: _Optional[int] = ..., clients_dropped: _Optional[int] = ..., load_changes: _Optional[int] = ...) -> None: ...

class Latencies(_message.Message):
    __slots__ = ("announced", "ended", "recognised")
    ANNOUNCED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    RECOGNISED_FIELD_NUMBER: _ClassVar[int]
    announced: Histogram
    ended: Histogram
    recognised: Histogram
    def __init__(self, announced: _Optional[_Union[Histogram, _Mapping]] = ..., ended: _Optional[_Union[Histogram, _Mapping]] = ..., recognised: _Optional[_Union[Histogram, _Mapping]] = ...) -> None: ...

class Histogram(_message.Message):
    __slots__ = ("bounds", "counts", "sum")
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    bounds: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    sum: float
    def __init__(self, bounds: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., sum: _Optional[float] = ...) -> None: ...
