"""The only file that knows every class: settings in, a daemon out."""

import asyncio
import logging
import sys
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path

from earshot.asked import Asked, Ends
from earshot.bundle import Bundle, find, open_bundle
from earshot.condition import SourceState
from earshot.config import Settings
from earshot.devices import MicrophoneSettings
from earshot.dumps import forbid_dumps
from earshot.echoless import Echoless
from earshot.engine import Engine
from earshot.entries import KindWeights
from earshot.errors import DeviceError
from earshot.events import Event
from earshot.feed import Feed
from earshot.life import Mind, Plan, live
from earshot.load import Governor
from earshot.microphone import Microphone, PortAudio
from earshot.mute import KEPT_MODE, Flag
from earshot.naming import Naming
from earshot.ngram import Ngram
from earshot.place import MUTED, default_socket, default_state
from earshot.reference import NAME as REFERENCE
from earshot.reference import Reference
from earshot.sandbox import Kept, keep_local
from earshot.session import Recognises
from earshot.sources import AudioFile, RawInput, Source
from earshot.word_list import WordList

logger = logging.getLogger(__name__)


def run(
    settings: Settings, make_mind: Callable[[], Mind], show: Callable[[Event], None] | None
) -> None:
    """Live until a signal comes. `show` gets the events of the source. Raises EarshotError.

    The doors are closed before anything is loaded: nothing opens a socket meanwhile.
    """
    forbid_dumps()
    kept = keep_local(required=settings.require_sandbox)
    mind = make_mind()
    source = without_own_echo(open_source(settings), settings)
    asyncio.run(_live(settings, kept, mind, source, show))


async def _live(
    settings: Settings,
    kept: Kept,
    mind: Mind,
    source: Source,
    show: Callable[[Event], None] | None,
) -> None:
    limit, nice = settings.feed.limit_ms, settings.feed.nice
    feed = Feed(source, limit, lossless=not source.live, nice=nice)
    place = settings.api.socket or default_socket()
    plan = Plan(
        mind,
        feed,
        SourceState(source.description, echoless=isinstance(source, Echoless)),
        place,
        default_state(),
        settings.sessions,
        settings.api,
        show,
        kept,
        settings.assist,
        metrics=settings.metrics,
        governor=Governor(settings.load, limit),
        live=source.live or (isinstance(source, AudioFile) and source.paced),
    )
    await live(plan)


def load_engine(name: str) -> Engine:
    """Open a bundle by its name or folder. Raises BundleError."""
    return Engine.open(open_bundle(find(name)))


def mind_of(engine: Engine, catalog: Path, weights: KindWeights, usual: Ends) -> Mind:
    """What the daemon needs of an engine, which favours the names of a catalog.

    `usual`: how utterances end where nobody asks for another way.
    """
    naming = Naming(engine, catalog, weights)

    def special(asked: Asked) -> Recognises:
        ends = asked.ends or usual
        if asked.commands:
            return engine.commanded(asked.commands).ending(ends).recogniser()
        if asked.phrases:
            named_so = naming.with_phrases(asked.phrases).ending(ends)
            return named_so.attended(asked.attention).recogniser()
        plain = engine.ending(ends).attended(asked.attention)
        return plain.recogniser(lambda: naming.engine)

    named = partial(engine.ending(usual).recogniser, lambda: naming.engine)
    words = partial(words_of, engine.bundle)
    return Mind(named, engine.bundle.name, engine.bundle.version, special, naming.watch, words)


def words_of(bundle: Bundle) -> WordList:
    """The list by which the words of a bundle are numbered for a re-ranker. Raises BundleError."""
    if bundle.kind != "phones":
        return WordList()
    model = Ngram(bundle.file("words.lm"))
    return WordList.of_model(model.words, model.unigram)


def open_source(settings: Settings) -> Source:
    """Open what the settings name. Raises AudioError or DeviceError if it cannot be heard."""
    match settings.source:
        case "mic":
            return Microphone(settings.microphone, muted=_muted())
        case "auto":
            return _microphone_or_recording(settings.microphone)
        case "-":
            return RawInput(sys.stdin.buffer)
        case file:
            return AudioFile(Path(file), paced=True)


def _muted() -> bool:
    return Flag(default_state() / MUTED, KEPT_MODE).up


def without_own_echo(source: Source, settings: Settings) -> Source:
    """What a microphone hears, without what our own player plays."""
    if not (isinstance(source, Microphone) and settings.echo.wanted(settings.microphone.device)):
        return source
    place = settings.api.socket or default_socket()
    return Echoless(source, Reference(place.with_name(REFERENCE)))


def _microphone_or_recording(settings: MicrophoneSettings) -> Source:
    if _muted():  # then not even a look at it
        return Microphone(settings, muted=True)
    try:
        PortAudio().open(settings).close()
    except DeviceError as error:
        logger.warning("%s; a recording is played instead, as if it were spoken", error)
        return AudioFile(recording(), paced=True)
    return Microphone(settings)


def recording() -> Path:
    """Find the recording that comes with earshot."""
    return Path(str(files("earshot"))) / "assets" / "recording.flac"
