"""What several files of tests share."""

from collections.abc import Iterator

import pytest

from tests.sound_server import NoSoundServer, SoundServer, sound_server


@pytest.fixture(scope="module")
def server() -> Iterator[SoundServer]:
    try:
        with sound_server() as running:
            yield running
    except NoSoundServer as reason:
        pytest.skip(str(reason))
