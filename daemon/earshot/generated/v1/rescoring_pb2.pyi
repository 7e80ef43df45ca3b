from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RescoreRequest(_message.Message):
    __slots__ = ("parcel", "n_best", "debias", "id")
    PARCEL_FIELD_NUMBER: _ClassVar[int]
    N_BEST_FIELD_NUMBER: _ClassVar[int]
    DEBIAS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    parcel: Parcel
    n_best: int
    debias: bool
    id: str
    def __init__(self, parcel: _Optional[_Union[Parcel, _Mapping]] = ..., n_best: _Optional[int] = ..., debias: _Optional[bool] = ..., id: _Optional[str] = ...) -> None: ...

class Parcel(_message.Message):
    __slots__ = ("word_list", "packed", "spelt")
    WORD_LIST_FIELD_NUMBER: _ClassVar[int]
    PACKED_FIELD_NUMBER: _ClassVar[int]
    SPELT_FIELD_NUMBER: _ClassVar[int]
    word_list: int
    packed: bytes
    spelt: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, word_list: _Optional[int] = ..., packed: _Optional[bytes] = ..., spelt: _Optional[_Iterable[str]] = ...) -> None: ...

class RescoreResponse(_message.Message):
    __slots__ = ("paths", "model", "id")
    PATHS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    paths: _containers.RepeatedCompositeFieldContainer[RescoredPath]
    model: RescoringModel
    id: str
    def __init__(self, paths: _Optional[_Iterable[_Union[RescoredPath, _Mapping]]] = ..., model: _Optional[_Union[RescoringModel, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class RescoredPath(_message.Message):
    __slots__ = ("arcs", "score", "posterior")
    ARCS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    POSTERIOR_FIELD_NUMBER: _ClassVar[int]
    arcs: _containers.RepeatedScalarFieldContainer[int]
    score: float
    posterior: float
    def __init__(self, arcs: _Optional[_Iterable[int]] = ..., score: _Optional[float] = ..., posterior: _Optional[float] = ...) -> None: ...

class RescoringModel(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...
