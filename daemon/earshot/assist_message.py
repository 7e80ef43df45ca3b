"""How it stands with the re-ranker, as a message of the API."""

from earshot.convert import UPLINKS
from earshot.generated.v1 import status_pb2 as pb
from earshot.mode import ModeSwitch


def assist_message(switch: ModeSwitch) -> pb.Assist:
    """Say how it stands."""
    now, tally = switch.standing, switch.tally
    found = pb.Assist(
        uplink=UPLINKS[now.state],
        about=now.about,
        asked=tally.asked,
        confirmed=tally.confirmed,
        revised=tally.revised,
        late=tally.late,
        failed=tally.failed,
    )
    found.since.FromNanoseconds(round(now.since * 1e9))
    return found
