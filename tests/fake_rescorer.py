"""A re-ranker that misbehaves as told, as a program: an address, then how it behaves.

other: the least likely way at each node; slow: that, after two seconds; garbage: paths that are
none; long: a million bytes; die: gone in the middle of the first request; anything else: the token
that must be shown.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from earshot.generated.v1 import rescoring_pb2 as pb
from earshot.generated.v1.rescoring_pb2_grpc import (
    RescoringServicer,
    add_RescoringServicer_to_server,
)
from earshot.parcel import Opened, unpack
from earshot.word_list import WordList

SLOW_SECONDS = 2.0
BEHAVIOURS = {"other", "slow", "garbage", "long", "die"}


class FakeRescorer(RescoringServicer):
    def __init__(self, behaviour: str) -> None:
        self._behaviour = behaviour

    def Rescore(self, request: pb.RescoreRequest, context: grpc.ServicerContext) -> object:  # noqa: N802
        if self._behaviour == "die":
            os._exit(1)
        if self._behaviour == "long":
            return pb.RescoreResponse(id="x" * 1_000_000)
        if self._behaviour not in BEHAVIOURS:
            shown = dict(context.invocation_metadata()).get("authorization")
            if shown != f"Bearer {self._behaviour}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "words of its own\nand lines")
        if self._behaviour == "slow":
            time.sleep(SLOW_SECONDS)
        if self._behaviour == "garbage":
            return pb.RescoreResponse(paths=[pb.RescoredPath(arcs=[9, 9], score=float("nan"))])
        arcs = least(unpack(request.parcel, WordList()))
        return pb.RescoreResponse(paths=[pb.RescoredPath(arcs=arcs, score=-1, posterior=0.9)])


def least(opened: Opened) -> list[int]:
    """The arcs of the way that takes the least likely arc at each node."""
    node, found = 0, list[int]()
    while node != opened.nodes - 1:
        leaving = [i for i, arc in enumerate(opened.arcs) if arc.source == node]
        found.append(min(leaving, key=lambda i: opened.arcs[i].score))
        node = opened.arcs[found[-1]].target
    return found


def main(address: str, behaviour: str, certificates: str = "") -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    add_RescoringServicer_to_server(FakeRescorer(behaviour), server)  # type: ignore[no-untyped-call]
    if certificates:
        key, chain, ca = (Path(certificates, name).read_bytes() for name in ("key", "cert", "ca"))
        credentials = grpc.ssl_server_credentials([(key, chain)], ca, require_client_auth=True)
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
