from earshot.generated.v1 import events_pb2 as _events_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SampleFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SAMPLE_FORMAT_UNSPECIFIED: _ClassVar[SampleFormat]
    SAMPLE_FORMAT_S16LE: _ClassVar[SampleFormat]
    SAMPLE_FORMAT_F32LE: _ClassVar[SampleFormat]

class Preset(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRESET_UNSPECIFIED: _ClassVar[Preset]
    PRESET_NORMAL: _ClassVar[Preset]
    PRESET_QUICK: _ClassVar[Preset]
    PRESET_PATIENT: _ClassVar[Preset]
SAMPLE_FORMAT_UNSPECIFIED: SampleFormat
SAMPLE_FORMAT_S16LE: SampleFormat
SAMPLE_FORMAT_F32LE: SampleFormat
PRESET_UNSPECIFIED: Preset
PRESET_NORMAL: Preset
PRESET_QUICK: Preset
PRESET_PATIENT: Preset

class ListenRequest(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: Filter
    def __init__(self, filter: _Optional[_Union[Filter, _Mapping]] = ...) -> None: ...

class ListenResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _events_pb2.Event
    def __init__(self, event: _Optional[_Union[_events_pb2.Event, _Mapping]] = ...) -> None: ...

class RecognizeRequest(_message.Message):
    __slots__ = ("config", "audio")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    config: RecognizeConfig
    audio: bytes
    def __init__(self, config: _Optional[_Union[RecognizeConfig, _Mapping]] = ..., audio: _Optional[bytes] = ...) -> None: ...

class RecognizeResponse(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _events_pb2.Event
    def __init__(self, event: _Optional[_Union[_events_pb2.Event, _Mapping]] = ...) -> None: ...

class RecognizeConfig(_message.Message):
    __slots__ = ("format", "sample_rate", "channels", "filter", "commands", "phrases", "end_pointing", "attention_hint")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    PHRASES_FIELD_NUMBER: _ClassVar[int]
    END_POINTING_FIELD_NUMBER: _ClassVar[int]
    ATTENTION_HINT_FIELD_NUMBER: _ClassVar[int]
    format: SampleFormat
    sample_rate: int
    channels: int
    filter: Filter
    commands: Commands
    phrases: _containers.RepeatedCompositeFieldContainer[Phrase]
    end_pointing: EndPointing
    attention_hint: float
    def __init__(self, format: _Optional[_Union[SampleFormat, str]] = ..., sample_rate: _Optional[int] = ..., channels: _Optional[int] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., commands: _Optional[_Union[Commands, _Mapping]] = ..., phrases: _Optional[_Iterable[_Union[Phrase, _Mapping]]] = ..., end_pointing: _Optional[_Union[EndPointing, _Mapping]] = ..., attention_hint: _Optional[float] = ...) -> None: ...

class EndPointing(_message.Message):
    __slots__ = ("preset", "done_ms", "pause_ms", "long_pause_ms", "longest_ms", "nothing_ms", "speculations")
    PRESET_FIELD_NUMBER: _ClassVar[int]
    DONE_MS_FIELD_NUMBER: _ClassVar[int]
    PAUSE_MS_FIELD_NUMBER: _ClassVar[int]
    LONG_PAUSE_MS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_MS_FIELD_NUMBER: _ClassVar[int]
    NOTHING_MS_FIELD_NUMBER: _ClassVar[int]
    SPECULATIONS_FIELD_NUMBER: _ClassVar[int]
    preset: Preset
    done_ms: int
    pause_ms: int
    long_pause_ms: int
    longest_ms: int
    nothing_ms: int
    speculations: int
    def __init__(self, preset: _Optional[_Union[Preset, str]] = ..., done_ms: _Optional[int] = ..., pause_ms: _Optional[int] = ..., long_pause_ms: _Optional[int] = ..., longest_ms: _Optional[int] = ..., nothing_ms: _Optional[int] = ..., speculations: _Optional[int] = ...) -> None: ...

class Phrase(_message.Message):
    __slots__ = ("text", "sounds_like", "boost", "kind")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SOUNDS_LIKE_FIELD_NUMBER: _ClassVar[int]
    BOOST_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    text: str
    sounds_like: str
    boost: float
    kind: str
    def __init__(self, text: _Optional[str] = ..., sounds_like: _Optional[str] = ..., boost: _Optional[float] = ..., kind: _Optional[str] = ...) -> None: ...

class Commands(_message.Message):
    __slots__ = ("templates", "reject")
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    templates: str
    reject: float
    def __init__(self, templates: _Optional[str] = ..., reject: _Optional[float] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("partials", "lattices", "n_best", "formatted", "explanations", "interpretations")
    PARTIALS_FIELD_NUMBER: _ClassVar[int]
    LATTICES_FIELD_NUMBER: _ClassVar[int]
    N_BEST_FIELD_NUMBER: _ClassVar[int]
    FORMATTED_FIELD_NUMBER: _ClassVar[int]
    EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    INTERPRETATIONS_FIELD_NUMBER: _ClassVar[int]
    partials: bool
    lattices: bool
    n_best: int
    formatted: bool
    explanations: bool
    interpretations: bool
    def __init__(self, partials: _Optional[bool] = ..., lattices: _Optional[bool] = ..., n_best: _Optional[int] = ..., formatted: _Optional[bool] = ..., explanations: _Optional[bool] = ..., interpretations: _Optional[bool] = ...) -> None: ...
