"""With the real recogniser: the contract, and what is said of words that a re-ranker chose."""

import asyncio
import random
from dataclasses import dataclass, replace

import pytest
from earshot.asking import AssistSettings, Question
from earshot.assist import Assist
from earshot.bundle import open_bundle
from earshot.engine import Engine
from earshot.entries import Entry, Kind
from earshot.errors import DeviceError
from earshot.events import Arc, EndPoint, Event, Interpretation, Lattice, Result, Revised
from earshot.explain import Index, explained
from earshot.inference import Inference
from earshot.names import Form, named_of
from earshot.paths import paths
from earshot.ranked import Ranked, reread
from earshot.session import Session

from tests import contract, networks
from tests.contract import script, slices


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.open(open_bundle(networks.phones(tmp_path_factory.mktemp("bundle"))))


def ways(lattice: Lattice, most: int = 5) -> list[tuple[Arc, ...]]:
    """The likeliest paths."""
    return [path for _, (_, path) in zip(range(most), paths(lattice), strict=False)]


@dataclass
class Moody:
    """Answers any path of the lattice, late, never, or with an error."""

    dice: random.Random
    open: bool = True

    async def ask(self, question: Question) -> list[Ranked]:
        await asyncio.sleep(self.dice.choice([0, 0.001, 0.005, 0.05]))
        if self.dice.random() < 0.2:
            message = "out of order"
            raise DeviceError(message)
        if self.dice.random() < 0.2:
            await asyncio.Event().wait()
        return [Ranked(self.dice.choice(ways(question.result.lattice)), 0.5)]


@pytest.mark.parametrize("seed", range(6))
def test_the_contract_holds_on_random_scripts_with_a_re_ranker_of_any_mood(
    engine: Engine, seed: int
) -> None:
    async def scene() -> list[Event]:
        events, inference = list[Event](), Inference()
        dice = random.Random(seed)  # noqa: S311 - to try
        assist = Assist(Moody(dice), AssistSettings(deadline_ms=10), lambda: 1e9 * dice.random())
        session = Session(engine.recogniser(), inference, 1_600, events.append, assist)
        for piece in slices(script(seed, most=3), seed):
            await session.hear(piece)
        await session.finish()
        inference.close()
        return events

    contract.check(asyncio.run(scene()))


def test_meaning_and_explanations_are_those_of_the_words_that_were_chosen(engine: Engine) -> None:
    events: list[Event] = []
    recogniser = engine.recogniser()
    for piece in slices(script(1), 1):
        events += recogniser.accept(piece)
    events += recogniser.finish()
    found = next(
        e.result for e in events
        if isinstance(e, EndPoint | Revised) and len(ways(e.result.lattice)) > 1
    )  # fmt: skip
    best, other = ways(found.lattice)[:2]
    recogniser._last._understood = meaning  # type: ignore[union-attr]
    chosen = reread(found, [Ranked(other, 0.6), Ranked(best, 0.4)])
    whole = recogniser.reread(chosen, other)
    assert whole.words == chosen.words
    assert whole.interpretation is not None
    assert whole.interpretation.words == tuple(arc.word for arc in other)
    assert whole.alternatives[0].text == " ".join(arc.word for arc in other)


def meaning(found: Result) -> Result:
    words = tuple(word.text for word in found.words)
    return replace(found, interpretation=Interpretation("said", 1.0, (), words))


def test_a_name_that_lost_by_the_device_is_explained_where_a_re_ranker_chose_it() -> None:
    name = Entry.of(Kind.CONTACT, "Ann")
    index = Index([Form(named_of(name), ("ann",))])
    arcs = (
        Arc(0, 1, "an", 0, 1_600, -0.1, 0.0, 0.0, 0.9),
        Arc(0, 1, "ann", 0, 1_600, -2.3, 0.0, 1.5, 0.1),
    )
    lattice = Lattice((0, 1_600), arcs)
    found = reread(Result((), 0.0, (), lattice), [Ranked((arcs[1],), 0.8)])
    (one,) = explained(found, index, (arcs[1],)).explanations
    assert (one.word, one.bias, one.names[0].name) == (0, 1.5, "Ann")
