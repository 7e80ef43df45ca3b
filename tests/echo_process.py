"""The real microphone without the echo of a real player, in a process of its own.

`python -m tests.echo_process SOCKET SECONDS` hears the device `pulse` for so long, and prints how
many decibel were heard and left in each second, as two lists in JSON.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from earshot.devices import MicrophoneSettings
from earshot.echoless import Echoless
from earshot.microphone import Microphone
from earshot.reference import Reference
from earshot.sources import Chunk, Item
from earshot.units import SAMPLE_RATE

from tests.echo_path import decibel


class Overheard:
    """A source, of which is kept what it gives."""

    live, description = True, "overheard"

    def __init__(self, source: Microphone, seconds: float) -> None:
        self._source, self._left = source, round(seconds * SAMPLE_RATE)
        self.chunks = list[Chunk]()

    def __iter__(self) -> Iterator[Item]:
        for item in self._source:
            if isinstance(item, Chunk):
                self.chunks.append(item)
                self._left -= len(item.samples)
                if self._left <= 0:
                    self.close()
            yield item

    def close(self) -> None:
        self._source.close()


def by_second(chunks: list[Chunk]) -> list[float]:
    whole = np.concatenate([chunk.samples for chunk in chunks])
    seconds = range(0, len(whole) - SAMPLE_RATE + 1, SAMPLE_RATE)
    return [round(decibel(whole[at : at + SAMPLE_RATE]), 1) for at in seconds]


def main() -> None:
    place, seconds = sys.argv[1:]
    microphone = Microphone(MicrophoneSettings(device="pulse"))
    source = Overheard(microphone, float(seconds))
    left = [item for item in Echoless(source, Reference(Path(place))) if isinstance(item, Chunk)]
    json.dump([by_second(source.chunks), by_second(left)], sys.stdout)


if __name__ == "__main__":
    main()
