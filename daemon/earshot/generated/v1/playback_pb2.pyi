import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlaybackState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAYBACK_STATE_UNSPECIFIED: _ClassVar[PlaybackState]
    PLAYBACK_STATE_IDLE: _ClassVar[PlaybackState]
    PLAYBACK_STATE_PLAYING: _ClassVar[PlaybackState]
    PLAYBACK_STATE_PAUSED: _ClassVar[PlaybackState]
    PLAYBACK_STATE_WAITING: _ClassVar[PlaybackState]
PLAYBACK_STATE_UNSPECIFIED: PlaybackState
PLAYBACK_STATE_IDLE: PlaybackState
PLAYBACK_STATE_PLAYING: PlaybackState
PLAYBACK_STATE_PAUSED: PlaybackState
PLAYBACK_STATE_WAITING: PlaybackState

class PlayRequest(_message.Message):
    __slots__ = ("files", "gain_db", "loop", "streams", "tone", "silent")
    FILES_FIELD_NUMBER: _ClassVar[int]
    GAIN_DB_FIELD_NUMBER: _ClassVar[int]
    LOOP_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    TONE_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedScalarFieldContainer[str]
    gain_db: float
    loop: bool
    streams: int
    tone: Tone
    silent: bool
    def __init__(self, files: _Optional[_Iterable[str]] = ..., gain_db: _Optional[float] = ..., loop: _Optional[bool] = ..., streams: _Optional[int] = ..., tone: _Optional[_Union[Tone, _Mapping]] = ..., silent: _Optional[bool] = ...) -> None: ...

class Tone(_message.Message):
    __slots__ = ("bass_db", "middle_db", "treble_db")
    BASS_DB_FIELD_NUMBER: _ClassVar[int]
    MIDDLE_DB_FIELD_NUMBER: _ClassVar[int]
    TREBLE_DB_FIELD_NUMBER: _ClassVar[int]
    bass_db: float
    middle_db: float
    treble_db: float
    def __init__(self, bass_db: _Optional[float] = ..., middle_db: _Optional[float] = ..., treble_db: _Optional[float] = ...) -> None: ...

class PlayResponse(_message.Message):
    __slots__ = ("files", "problems")
    FILES_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    files: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, files: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class StopRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StopResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PauseRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PauseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResumeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPlaybackStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPlaybackStatusResponse(_message.Message):
    __slots__ = ("state", "output", "playing", "ducked", "priority", "problems", "punctuality", "reference")
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PLAYING_FIELD_NUMBER: _ClassVar[int]
    DUCKED_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    PUNCTUALITY_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    state: PlaybackState
    output: str
    playing: _containers.RepeatedScalarFieldContainer[str]
    ducked: bool
    priority: str
    problems: _containers.RepeatedScalarFieldContainer[str]
    punctuality: Punctuality
    reference: ReferenceReaders
    def __init__(self, state: _Optional[_Union[PlaybackState, str]] = ..., output: _Optional[str] = ..., playing: _Optional[_Iterable[str]] = ..., ducked: _Optional[bool] = ..., priority: _Optional[str] = ..., problems: _Optional[_Iterable[str]] = ..., punctuality: _Optional[_Union[Punctuality, _Mapping]] = ..., reference: _Optional[_Union[ReferenceReaders, _Mapping]] = ...) -> None: ...

class Punctuality(_message.Message):
    __slots__ = ("blocks", "block", "slack", "xruns", "longest_run", "underruns", "missed", "starved", "lateness_p50", "lateness_p99", "lateness_p999", "lateness_max")
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    SLACK_FIELD_NUMBER: _ClassVar[int]
    XRUNS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_RUN_FIELD_NUMBER: _ClassVar[int]
    UNDERRUNS_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    STARVED_FIELD_NUMBER: _ClassVar[int]
    LATENESS_P50_FIELD_NUMBER: _ClassVar[int]
    LATENESS_P99_FIELD_NUMBER: _ClassVar[int]
    LATENESS_P999_FIELD_NUMBER: _ClassVar[int]
    LATENESS_MAX_FIELD_NUMBER: _ClassVar[int]
    blocks: int
    block: _duration_pb2.Duration
    slack: _duration_pb2.Duration
    xruns: int
    longest_run: int
    underruns: int
    missed: _duration_pb2.Duration
    starved: int
    lateness_p50: _duration_pb2.Duration
    lateness_p99: _duration_pb2.Duration
    lateness_p999: _duration_pb2.Duration
    lateness_max: _duration_pb2.Duration
    def __init__(self, blocks: _Optional[int] = ..., block: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., slack: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., xruns: _Optional[int] = ..., longest_run: _Optional[int] = ..., underruns: _Optional[int] = ..., missed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., starved: _Optional[int] = ..., lateness_p50: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lateness_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lateness_p999: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lateness_max: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReferenceReaders(_message.Message):
    __slots__ = ("readers", "lost_blocks")
    READERS_FIELD_NUMBER: _ClassVar[int]
    LOST_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    readers: int
    lost_blocks: int
    def __init__(self, readers: _Optional[int] = ..., lost_blocks: _Optional[int] = ...) -> None: ...
