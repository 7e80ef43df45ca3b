"""Greedy decoding by the stock sherpa-onnx wheel: samples of an .npz in, JSON of the tokens out.

A process of its own, because sherpa-onnx ends the whole process on a file that it does not like.
"""

import json
import sys

import numpy as np
import sherpa_onnx


def main(folder: str, samples: str) -> None:
    """Print, for each array of the file, its tokens and their times in frames of 40 ms."""
    recogniser = sherpa_onnx.OnlineRecognizer.from_transducer(
        tokens=f"{folder}/tokens.txt",
        encoder=f"{folder}/encoder.onnx",
        decoder=f"{folder}/decoder.onnx",
        joiner=f"{folder}/joiner.onnx",
        num_threads=1,
        decoding_method="greedy_search",
    )
    found = []
    for audio in np.load(samples).values():
        stream = recogniser.create_stream()
        stream.accept_waveform(16_000, audio)
        stream.input_finished()
        while recogniser.is_ready(stream):
            recogniser.decode_stream(stream)
        result = recogniser.get_result_all(stream)
        found.append([list(result.tokens), [round(t / 0.04) for t in result.timestamps]])
    print(json.dumps(found))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
