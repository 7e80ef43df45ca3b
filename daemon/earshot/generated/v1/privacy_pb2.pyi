from earshot.generated.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SetMutedRequest(_message.Message):
    __slots__ = ("muted",)
    MUTED_FIELD_NUMBER: _ClassVar[int]
    muted: bool
    def __init__(self, muted: _Optional[bool] = ...) -> None: ...

class SetMutedResponse(_message.Message):
    __slots__ = ("muted", "lasting", "notes")
    MUTED_FIELD_NUMBER: _ClassVar[int]
    LASTING_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    muted: bool
    lasting: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, muted: _Optional[bool] = ..., lasting: _Optional[bool] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class SetModeRequest(_message.Message):
    __slots__ = ("mode",)
    MODE_FIELD_NUMBER: _ClassVar[int]
    mode: _status_pb2.Mode
    def __init__(self, mode: _Optional[_Union[_status_pb2.Mode, str]] = ...) -> None: ...

class SetModeResponse(_message.Message):
    __slots__ = ("mode", "lasting", "notes")
    MODE_FIELD_NUMBER: _ClassVar[int]
    LASTING_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    mode: _status_pb2.Mode
    lasting: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mode: _Optional[_Union[_status_pb2.Mode, str]] = ..., lasting: _Optional[bool] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...
