# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""No password of an address is ever shown: not on the terminal, not in a log, not in a file."""

import json
import logging
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamtri_edge.cli import main
from pamtri_edge.errors import SourceError
from pamtri_edge.video.files import VideoFile
from pamtri_edge.video.follow import DetectionFollower
from pamtri_edge.video.motion import MotionDetector
from pamtri_edge.video.run import RunSpec, VideoRun
from pamtri_edge.video.sources import open_source
from pamtri_edge.video.streams import Reconnect
from pamtri_edge.video.write import OutputFolder
from properties import tries

NOWHERE = "127.0.0.1:9"  # nothing listens there
PLACES = (
    f"rtsp://admin:{{}}@{NOWHERE}/ch1",
    f"rtsp://{{}}@{NOWHERE}/ch1",
    f"rtsp://{NOWHERE}/{{}}/ch1",
    f"rtsp://{NOWHERE}/user=admin&password={{}}&channel=1",
    f"http://{NOWHERE}/video.cgi?user=admin&pwd={{}}",
    f"http://admin:{{}}@{NOWHERE}/x.mp4",
    f"http://{NOWHERE}/video.cgi#{{}}",
)
PASSWORDS = st.text("jkqJKQ0189#/?[]@:%&=", min_size=6, max_size=12).filter(
    lambda text: any(one in "jkqJKQ" for one in text)
)
ONCE = Reconnect(attempts=2, first_wait_s=0.0, longest_wait_s=0.0, timeout_s=0.5)


@settings(max_examples=tries(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), password=PASSWORDS)
def test_a_run_that_is_refused_leaves_no_trace_of_a_password(
    fake_reidentifier: Any, place: str, password: str
) -> None:
    address = place.format(password)
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(self.format(record))

    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        with tempfile.TemporaryDirectory() as folder:
            output = OutputFolder(Path(folder) / "out")
            with pytest.raises(SourceError) as caught:
                _run(address, output, fake_reidentifier())
            said.extend(path.read_text() for path in output.path.rglob("*") if path.is_file())
    finally:
        logging.getLogger().removeHandler(ear)
    error: BaseException | None = caught.value
    while error is not None:  # what was raised from what, shown in a traceback or not
        said.append("".join(traceback.format_exception(error, chain=False)))
        said.extend(map(str, error.args))
        error = error.__cause__ or error.__context__
    assert any(NOWHERE in text or "***" in text for text in said)
    assert not any(password in text for text in said)


def _run(address: str, output: OutputFolder, fake: Any) -> None:
    source = open_source(address, duration=2.0, reconnect=ONCE)
    follower = DetectionFollower(MotionDetector())
    VideoRun(source, follower, fake, output, RunSpec(camera=address, video=False)).run()


def test_a_camera_named_by_an_address_is_named_without_its_password(
    tmp_path: Path, fake_reidentifier: Any
) -> None:
    output = OutputFolder(tmp_path / "out")
    with pytest.raises(SourceError):
        _run(f"rtsp://admin:secret@{NOWHERE}/live", output, fake_reidentifier())
    record = json.loads(output.summary.read_text())
    assert record["camera"] == record["source"] == f"rtsp://***@{NOWHERE}/live"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "rtsp://u:SECRET@h/1", "rtsp://u:SEC RET@h/2", "--detector", "motion", "--output", "out"],
        ["rtsp://u:SECRET@h/1"],
        ["run", "rtsp:/u:SECRET@h/1", "--detector", "motion", "--output", "out"],
        ["run", "u:SECRET@h/1", "--detector", "motion", "--output", "out"],
        ["run", "a.mp4", "--tracks", "rtsp://u:SECRET@h/1", "--output", "out"],
    ],
    ids=["one too many", "no command", "one slash", "no scheme", "as tracks"],
)
def test_no_error_of_the_program_repeats_a_password(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pamtri", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code != 0
    said = capsys.readouterr()
    assert said.err.strip()
    assert "SEC" not in said.out + said.err
    assert "RET" not in said.out + said.err


def test_what_a_refused_address_raises_holds_it_nowhere() -> None:
    with pytest.raises(SourceError) as caught:
        VideoFile(f"http://admin:secret@{NOWHERE}/x.mp4", timeout_s=0.5)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert str(caught.value) == f"http://***@{NOWHERE}/***.mp4 cannot be opened (Connection refused)."
