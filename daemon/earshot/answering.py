"""Errors as gRPC answers them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import grpc

from earshot.errors import EarshotError

Asks = TypeVar("Asks")
Answers = TypeVar("Answers")


@asynccontextmanager
async def answered(context: grpc.aio.ServicerContext[Asks, Answers]) -> AsyncIterator[None]:
    """Answer errors of ours by their status and their sentence."""
    try:
        yield
    except EarshotError as error:
        await context.abort(grpc.StatusCode[error.status.value], str(error))


def refusal(code: grpc.StatusCode) -> str:
    """Say how a re-ranker refused; not in its own words, which may be anything."""
    return f"the re-ranker answers {code.name}"
