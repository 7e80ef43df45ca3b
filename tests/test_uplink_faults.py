"""What goes wrong behind the daemon changes nothing but counts: no word is lost, nothing stalls."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from earshot.generated.v1 import status_pb2

from tests.fake_recogniser import loud, quiet
from tests.house import kinds
from tests.processes import Daemon, listening
from tests.test_mode import PLAIN, READY, utterance
from tests.uplinks import assisted_daemon, rescorer, uplink

SAID = np.concatenate([loud(0.2), quiet(0.5)])
UNREACHABLE = status_pb2.UPLINK_STATE_UNREACHABLE
RESTING, ABSENT = status_pb2.UPLINK_STATE_RESTING, status_pb2.UPLINK_STATE_ABSENT


def says(d: Daemon, call: Any) -> list[Any]:
    d.hear(SAID)
    return utterance(call)


def test_a_re_ranker_that_dies_in_a_request_and_an_uplink_that_dies(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with assisted_daemon(folder, "deadline_ms = 10000\n") as d, listening(d) as call:
        with uplink(folder, address):
            with rescorer(address, "die"):
                d.until(lambda now: now.assist.uplink == READY)
                assert kinds(says(d, call)) == PLAIN
                now = d.until(lambda now: now.assist.uplink == UNREACHABLE)
                assert (now.assist.asked, now.assist.failed) == (1, 1)
                assert kinds(says(d, call)) == PLAIN  # it is not even asked
                assert d.status().assist.asked == 1
            with rescorer(address):
                d.until(lambda now: now.assist.uplink == READY)
                assert "revised" in kinds(says(d, call))
        d.until(lambda now: now.assist.uplink == ABSENT)
        assert kinds(says(d, call)) == PLAIN
        with rescorer(address), uplink(folder, address):
            d.until(lambda now: now.assist.uplink == READY)
            assert "revised" in kinds(says(d, call))


def test_a_slow_one_is_not_waited_for_and_then_left_alone(folder: Path) -> None:
    address = f"unix:{folder}/r"
    with (
        rescorer(address, "slow"),
        uplink(folder, address),
        assisted_daemon(folder, "deadline_ms = 50\n") as d,
        listening(d) as call,
    ):
        d.until(lambda now: now.assist.uplink == READY)
        for late in (1, 2, 3):
            assert kinds(says(d, call)) == PLAIN
            assert d.status().assist.late == late
        now = d.until(lambda now: now.assist.uplink == RESTING)
        assert "too late; it is left alone for 5 s" in now.assist.about
        assert kinds(says(d, call)) == PLAIN
        assert d.status().assist.asked == 3
        _, _, err = d.end()
        assert err.count("is left alone") == 1


@pytest.mark.parametrize("behaviour", ["garbage", "long"])
def test_garbage_is_counted_and_what_was_understood_stands(behaviour: str, folder: Path) -> None:
    address = f"unix:{folder}/r"
    with (
        rescorer(address, behaviour),
        uplink(folder, address) as u,
        assisted_daemon(folder, "deadline_ms = 10000\n") as d,
        listening(d) as call,
    ):
        d.until(lambda now: now.assist.uplink == READY)
        assert kinds(says(d, call)) == PLAIN
        assert d.status().assist.failed == 1
        assert u.log[1].outcome.status == "OK"  # as far as the uplink can tell


def test_where_nothing_can_be_written_down_the_state_says_so(folder: Path) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    address = f"unix:{folder}/r"
    with (
        rescorer(address),
        uplink(folder, address, before=full) as u,
        assisted_daemon(folder, "deadline_ms = 10000\n") as d,
        listening(d) as call,
    ):
        d.until(lambda now: now.assist.uplink == READY)
        for _ in range(3):
            assert kinds(says(d, call)) == PLAIN
        now = d.until(lambda now: now.assist.uplink == RESTING)
        assert "nothing may be sent" in now.assist.about
        assert now.assist.failed == 3
        assert not u.log
        _, _, err = d.end()
        assert err.count("nothing may be sent") == 1
