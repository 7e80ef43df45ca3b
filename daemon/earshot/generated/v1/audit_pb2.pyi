import datetime

from earshot.generated.v1 import rescoring_pb2 as _rescoring_pb2
from earshot.generated.v1 import status_pb2 as _status_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuditRecord(_message.Message):
    __slots__ = ("number", "time", "sent", "outcome")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    number: int
    time: _timestamp_pb2.Timestamp
    sent: AuditSent
    outcome: AuditOutcome
    def __init__(self, number: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sent: _Optional[_Union[AuditSent, _Mapping]] = ..., outcome: _Optional[_Union[AuditOutcome, _Mapping]] = ...) -> None: ...

class AuditSent(_message.Message):
    __slots__ = ("address", "mode", "utterance", "version", "bytes", "request")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    address: str
    mode: _status_pb2.Mode
    utterance: int
    version: int
    bytes: int
    request: _rescoring_pb2.RescoreRequest
    def __init__(self, address: _Optional[str] = ..., mode: _Optional[_Union[_status_pb2.Mode, str]] = ..., utterance: _Optional[int] = ..., version: _Optional[int] = ..., bytes: _Optional[int] = ..., request: _Optional[_Union[_rescoring_pb2.RescoreRequest, _Mapping]] = ...) -> None: ...

class AuditOutcome(_message.Message):
    __slots__ = ("status", "bytes", "took")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    TOOK_FIELD_NUMBER: _ClassVar[int]
    status: str
    bytes: int
    took: _duration_pb2.Duration
    def __init__(self, status: _Optional[str] = ..., bytes: _Optional[int] = ..., took: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
