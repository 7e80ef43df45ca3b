import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_LOCAL_ONLY: _ClassVar[Mode]

class Sandbox(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SANDBOX_UNSPECIFIED: _ClassVar[Sandbox]
    SANDBOX_NONE: _ClassVar[Sandbox]
    SANDBOX_ENFORCED: _ClassVar[Sandbox]
MODE_UNSPECIFIED: Mode
MODE_LOCAL_ONLY: Mode
SANDBOX_UNSPECIFIED: Sandbox
SANDBOX_NONE: Sandbox
SANDBOX_ENFORCED: Sandbox

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("ready", "mode", "muted", "sandbox", "bundle", "source", "uptime", "counters")
    READY_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    UPTIME_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    mode: Mode
    muted: bool
    sandbox: Sandbox
    bundle: BundleName
    source: str
    uptime: _duration_pb2.Duration
    counters: Counters
    def __init__(self, ready: _Optional[bool] = ..., mode: _Optional[_Union[Mode, str]] = ..., muted: _Optional[bool] = ..., sandbox: _Optional[_Union[Sandbox, str]] = ..., bundle: _Optional[_Union[BundleName, _Mapping]] = ..., source: _Optional[str] = ..., uptime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., counters: _Optional[_Union[Counters, _Mapping]] = ...) -> None: ...

class BundleName(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Counters(_message.Message):
    __slots__ = ("heard", "utterances", "committed", "cancelled", "dropped_samples", "clients", "clients_total", "clients_dropped")
    HEARD_FIELD_NUMBER: _ClassVar[int]
    UTTERANCES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    heard: _duration_pb2.Duration
    utterances: int
    committed: int
    cancelled: int
    dropped_samples: int
    clients: int
    clients_total: int
    clients_dropped: int
    def __init__(self, heard: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., utterances: _Optional[int] = ..., committed: _Optional[int] = ..., cancelled: _Optional[int] = ..., dropped_samples: _Optional[int] = ..., clients: _Optional[int] = ..., clients_total: _Optional[int] = ..., clients_dropped: _Optional[int] = ...) -> None: ...
