"""How it stands with the re-ranker, as a message of the API."""

from earshot.generated.v1 import status_pb2 as pb
from earshot.link import UplinkState
from earshot.mode import ModeSwitch

STATES = {
    UplinkState.OFF: pb.UPLINK_STATE_OFF,
    UplinkState.ABSENT: pb.UPLINK_STATE_ABSENT,
    UplinkState.UNREACHABLE: pb.UPLINK_STATE_UNREACHABLE,
    UplinkState.RESTING: pb.UPLINK_STATE_RESTING,
    UplinkState.READY: pb.UPLINK_STATE_READY,
}
STATES_BACK = {message: state for state, message in STATES.items()}


def assist_message(switch: ModeSwitch) -> pb.Assist:
    """Say how it stands."""
    now, tally = switch.standing, switch.tally
    found = pb.Assist(
        uplink=STATES[now.state],
        about=now.about,
        asked=tally.asked,
        confirmed=tally.confirmed,
        revised=tally.revised,
        late=tally.late,
        failed=tally.failed,
    )
    found.since.FromNanoseconds(round(now.since * 1e9))
    return found
