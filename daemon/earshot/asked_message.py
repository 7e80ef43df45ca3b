"""What a client asks for at the beginning of a call, read from its message of the API."""

from earshot.asked import Asked, Ends, Preset
from earshot.command_set import REJECT, Commands
from earshot.entries import Entry, Kind, Phrases, named
from earshot.errors import LimitError, RequestError
from earshot.generated.v1 import recognition_pb2
from earshot.pushed import PcmFormat

_FORMATS = {
    recognition_pb2.SAMPLE_FORMAT_S16LE: "s16le",
    recognition_pb2.SAMPLE_FORMAT_F32LE: "f32le",
}
_PRESETS = {
    recognition_pb2.PRESET_UNSPECIFIED: Preset.NORMAL,
    recognition_pb2.PRESET_NORMAL: Preset.NORMAL,
    recognition_pb2.PRESET_QUICK: Preset.QUICK,
    recognition_pb2.PRESET_PATIENT: Preset.PATIENT,
}
MOST_PHRASES = 1_000  # of a call
_CALL = "one call"


def format_of(config: recognition_pb2.RecognizeConfig) -> PcmFormat:
    """In what the client sends its audio."""
    sample = _FORMATS.get(config.format, "unspecified")
    return PcmFormat(sample, config.sample_rate, config.channels or 1)


def asked_of(config: recognition_pb2.RecognizeConfig) -> Asked:
    """What is to be heard in a way of its own. Raises RequestError, LimitError."""
    ends = _ends(config.end_pointing) if config.HasField("end_pointing") else None
    attention = config.attention_hint if config.HasField("attention_hint") else None
    if config.HasField("commands"):
        if config.phrases:
            message = "commands are all that is heard with them; send them or phrases, not both"
            raise RequestError(message)
        asked = config.commands
        reject = asked.reject if asked.HasField("reject") else REJECT
        return Asked(Commands(asked.templates, "commands", reject), None, ends, attention)
    if (count := len(config.phrases)) > MOST_PHRASES:
        raise LimitError(_CALL, count, MOST_PHRASES, "phrases")
    phrases = Phrases(tuple(map(_entry, config.phrases))) if config.phrases else None
    return Asked(None, phrases, ends, attention)


def _entry(phrase: recognition_pb2.Phrase) -> Entry:
    kind = named(phrase.kind) if phrase.kind else Kind.PHRASE
    boost = phrase.boost if phrase.HasField("boost") else None
    return Entry.of(kind, phrase.text, phrase.sounds_like, weight=boost)


def _ends(message: recognition_pb2.EndPointing) -> Ends:
    """When utterances are to end."""
    names = [field.name for field in message.DESCRIPTOR.fields if field.name != "preset"]
    given = {name: getattr(message, name) for name in names if message.HasField(name)}
    if message.preset not in _PRESETS:
        known = f"preset {message.preset} is none that is known here; leave it out"
        raise RequestError(known)
    return Ends(_PRESETS[message.preset], **given)
