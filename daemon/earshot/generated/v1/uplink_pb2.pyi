from earshot.generated.v1 import rescoring_pb2 as _rescoring_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttendRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AttendResponse(_message.Message):
    __slots__ = ("reachable", "about")
    REACHABLE_FIELD_NUMBER: _ClassVar[int]
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    reachable: bool
    about: str
    def __init__(self, reachable: _Optional[bool] = ..., about: _Optional[str] = ...) -> None: ...

class ForwardRequest(_message.Message):
    __slots__ = ("utterance", "version", "request")
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    utterance: int
    version: int
    request: _rescoring_pb2.RescoreRequest
    def __init__(self, utterance: _Optional[int] = ..., version: _Optional[int] = ..., request: _Optional[_Union[_rescoring_pb2.RescoreRequest, _Mapping]] = ...) -> None: ...

class ForwardResponse(_message.Message):
    __slots__ = ("response",)
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    response: _rescoring_pb2.RescoreResponse
    def __init__(self, response: _Optional[_Union[_rescoring_pb2.RescoreResponse, _Mapping]] = ...) -> None: ...

class StopUplinkRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StopUplinkResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
