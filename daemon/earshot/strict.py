"""Bytes that are no message of the method are refused with INVALID_ARGUMENT, and a sentence.

gRPC itself answers them with UNKNOWN, and logs a traceback. So the deserialiser of every method,
those of health and reflection too, gives a sign instead of an error, which is refused where the
request is read: by a method that streams, after what came before it.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from earshot.answering import answered
from earshot.errors import RequestError

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Find = Callable[[grpc.HandlerCallDetails], Awaitable[Handler]]
Sound = Callable[[Any], Any]
Context = grpc.aio.ServicerContext[Any, Any]


class Strict(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Stands before all methods of a server."""

    async def intercept_service(
        self, continuation: Find, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler:
        """Find the method that is called, and make it strict."""
        handler = await continuation(handler_call_details)
        return _strict(handler) if handler else handler


def _strict(handler: Handler) -> Handler:
    kind = "_".join(
        "stream" if streams else "unary"
        for streams in (handler.request_streaming, handler.response_streaming)
    )
    read, method = handler.request_deserializer, getattr(handler, kind)
    if read is None:  # it takes any bytes
        return handler
    sound = _sound_stream if handler.request_streaming else _sound
    wrap = _giving if inspect.isasyncgenfunction(method) else _calling
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    found: Handler = make(wrap(method, sound), _reader(read), handler.response_serializer)
    return found


class _Garbled:
    """Stands for bytes that are no message."""

    def __init__(self, name: str) -> None:
        self.error = f"the bytes are no {name}; send the messages of the API's .proto files"


def _reader(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    garbled = _Garbled(getattr(read, "__self__", object).__name__)  # the class of the message

    def whole(data: bytes) -> object:
        try:
            return read(data)
        except DecodeError:
            return garbled

    return whole


def _sound(request: object) -> object:
    if isinstance(request, _Garbled):
        raise RequestError(request.error)
    return request


async def _sound_stream(requests: AsyncIterator[object]) -> AsyncIterator[object]:
    async for request in requests:
        yield _sound(request)


def _calling(method: Callable[..., Awaitable[Any]], sound: Sound) -> Callable[..., Any]:
    async def call(request: object, context: Context) -> object:
        async with answered(context):
            return await method(sound(request), context)

    return call


def _giving(method: Callable[..., AsyncIterator[Any]], sound: Sound) -> Callable[..., Any]:
    async def give(request: object, context: Context) -> AsyncIterator[object]:
        async with answered(context):
            async for response in method(sound(request), context):
                yield response

    return give
