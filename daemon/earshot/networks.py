"""onnxruntime sessions as earshot runs them: one thread, no spinning, damage in one sentence."""

from pathlib import Path
from typing import Any

import onnxruntime as ort

from earshot.errors import INSTALL, BundleError

Session = Any  # onnxruntime ships no types


def open_network(path: Path) -> Session:
    """A session of an ONNX file. Raises BundleError if it cannot be read."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors only
    # A spinning thread burns the core that the music needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own, unrelated kinds
        reason = str(error).splitlines()[0][:200]
        message = f"{path}: not a network that onnxruntime can run ({reason}); {INSTALL}"
        raise BundleError(message) from error


def metadata(session: Session) -> dict[str, str]:
    """The metadata of a network."""
    return dict(session.get_modelmeta().custom_metadata_map)


def number(facts: dict[str, str], key: str, path: Path) -> int:
    """A whole number of the metadata. Raises BundleError where it is missing or none."""
    try:
        return int(facts[key])
    except KeyError:
        message = f"{path}: metadata {key} is missing; it is not a sherpa-onnx streaming network"
        raise BundleError(message) from None
    except ValueError:
        message = f"{path}: metadata {key} is {facts[key]!r}, not a whole number"
        raise BundleError(message) from None


def numbers(facts: dict[str, str], key: str, path: Path) -> list[int]:
    """A comma list of the metadata. Raises BundleError where it is missing or none."""
    return [number({key: part}, key, path) for part in facts.get(key, "").split(",")]
