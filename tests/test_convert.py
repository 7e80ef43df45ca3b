import pytest
from earshot import events as ev
from earshot.convert import duration, from_message, to_message, wanted
from earshot.generated.v1 import events_pb2
from earshot.generated.v1.recognition_pb2 import Filter
from hypothesis import given
from hypothesis import strategies as st

positions = st.integers(0, 10**12)
counts = st.integers(1, 2**31)
shares = st.floats(0, 1)
scores = st.floats(-1e6, 0)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
words = st.builds(ev.Word, texts, positions, positions, shares)
arcs = st.builds(
    ev.Arc, counts, counts, texts, positions, positions, scores, scores, scores, shares
)
lattices = st.builds(
    ev.Lattice,
    st.lists(positions, max_size=3).map(tuple),
    st.lists(arcs, max_size=3).map(tuple),
)
names = st.lists(st.builds(ev.Named, texts, texts), max_size=2).map(tuple)
rivals = st.builds(ev.Rival, texts, shares, shares, names)
explanations = st.builds(
    ev.Explanation, counts, shares, names, st.lists(rivals, max_size=2).map(tuple)
)
slots = st.builds(ev.Slot, texts, texts, texts, counts, counts, names)
interpretations = st.builds(
    ev.Interpretation,
    texts,
    shares,
    st.lists(slots, max_size=2).map(tuple),
    st.lists(texts, max_size=3).map(tuple),
    st.booleans(),
)
results = st.builds(
    ev.Result,
    st.lists(words, max_size=3).map(tuple),
    shares,
    st.lists(st.builds(ev.Alternative, texts, scores), max_size=3).map(tuple),
    lattices,
    st.none(),
    st.lists(explanations, max_size=2).map(tuple),
    st.none() | interpretations,
    st.none() | shares,
)
decisions = st.builds(ev.Decision, texts, st.lists(st.tuples(texts, scores), max_size=3).map(tuple))
kinds = st.sampled_from(ev.EndPointKind)
all_events = st.one_of(
    st.builds(ev.SpeechStarted, positions, counts, positions),
    st.builds(ev.Partial, positions, counts, st.lists(words, max_size=3).map(tuple), positions),
    st.builds(ev.EndPoint, positions, counts, counts, kinds, decisions, positions, results),
    st.builds(ev.Retracted, positions, counts, counts),
    st.builds(ev.Revised, positions, counts, counts, st.booleans(), results),
    st.builds(ev.Committed, positions, counts, counts),
    st.builds(ev.Cancelled, positions, counts, texts),
    st.builds(ev.AudioDropped, positions, counts, counts),
    st.builds(ev.SourceChanged, positions, st.booleans(), texts),
    st.builds(ev.Muted, positions, st.booleans()),
    st.builds(ev.LoadChanged, positions, st.integers(0, 9), texts, st.integers(0, 60_000)),
    st.builds(ev.ModeChanged, positions, st.sampled_from(ev.Mode)),
)


@given(all_events)
def test_every_event_comes_back_as_it_was_sent(event: ev.Event) -> None:
    sent = to_message(event).SerializeToString()
    assert from_message(events_pb2.Event.FromString(sent)) == event


@given(positions)
def test_time_and_sample_of_a_position_agree(sample: int) -> None:
    position = to_message(ev.Committed(sample, 1, 1)).at
    assert position.sample == sample
    assert position.time == duration(sample)
    assert position.time.ToNanoseconds() * 16_000 == sample * 1_000_000_000


def test_every_kind_of_event_has_its_field_in_the_message() -> None:
    fields = events_pb2.Event.DESCRIPTOR.oneofs_by_name["event"].fields
    assert len(fields) == len(ev.Event.__args__)


def test_only_partials_can_be_unwanted() -> None:
    partial, committed = ev.Partial(1, 1, (), 1), ev.Committed(1, 1, 1)
    assert wanted(committed, Filter())
    assert not wanted(partial, Filter())
    assert wanted(partial, Filter(partials=True))


def test_an_event_of_a_newer_daemon_is_refused() -> None:
    with pytest.raises(ValueError, match="newer"):
        from_message(events_pb2.Event())
