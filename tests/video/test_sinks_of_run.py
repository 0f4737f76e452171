# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri run --sink`: what is sent is what events.jsonl has, and the run never waits for a broker."""

import re
import shlex
import socket
from functools import partial
from pathlib import Path

import pytest

from in_process import run_in_process
from message_brokers import Mosquitto, Redis, wait_for
from pamtri_edge import _core
from pamtri_edge.cli import app
from pamtri_edge.events import read_events
from pamtri_edge.reidentifier import Reidentifier

call = partial(run_in_process, app)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, write_video):
    """Return a video of two cars, with their tracks beside; leave them as they are."""

    def cars(index):
        return [(4 + 2 * index, 30, 60, 50, (220, 30, 30)), (4 + 2 * index, 100, 60, 50, (30, 220, 30))]

    return write_video(tmp_path_factory.mktemp("clip") / "street.mp4", 40, boxes=cars)


@pytest.fixture(autouse=True)
def _bundle(fake_reidentifier, monkeypatch):
    monkeypatch.setattr(Reidentifier, "load", lambda *_, **__: fake_reidentifier())


def run(clip, output, *more):
    return call("run", clip, "--tracks", clip.with_suffix(".txt"), "--output", output, "--no-video", *more)


@pytest.fixture
def nobody():
    """Return the URI of a broker that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"redis://operator:s3cr3t@127.0.0.1:{server.getsockname()[1]}/events?flush=0.2"


def test_a_file_gets_the_events_that_the_run_writes(clip, tmp_path):
    code, out, err = run(clip, tmp_path / "out", "--sink", f"file:{tmp_path / 'all.jsonl'}")
    assert code == 0, err
    events = (tmp_path / "out" / "events.jsonl").read_bytes()
    assert events.count(b"\n") == 2
    assert (tmp_path / "all.jsonl").read_bytes() == events
    assert f"sink file:{tmp_path / 'all.jsonl'}: 2 sent, 2 acknowledged, 0 spooled, 0 dropped" in out
    run(clip, tmp_path / "again", "--sink", f"file:{tmp_path / 'all.jsonl'}")
    assert (tmp_path / "all.jsonl").read_bytes() == events * 2


def test_several_cameras_share_the_sinks(clip, tmp_path):
    options = ["--tracks", clip.with_suffix(".txt")] * 2 + ["--camera", "a", "--camera", "b"]
    sinks = ["--sink", f"file:{tmp_path / 'one.jsonl'}", "--sink", f"file:{tmp_path / 'two.jsonl'}"]
    code, out, err = call("run", clip, clip, *options, "--output", tmp_path / "out", "--no-video", *sinks)
    assert code == 0, err
    assert out.count("4 sent, 4 acknowledged") == 2
    lines = sorted((tmp_path / "one.jsonl").read_text().splitlines())
    assert lines == sorted((tmp_path / "two.jsonl").read_text().splitlines())
    assert len(lines) == 4


def test_protobuf_is_one_message_an_event_with_its_length_before_it(clip, tmp_path):
    sink = ["--sink", f"file:{tmp_path / 'all.pb'}", "--sink-format", "protobuf"]
    code, _, err = run(clip, tmp_path / "out", *sink)
    assert code == 0, err
    data = (tmp_path / "all.pb").read_bytes()
    for event in read_events(tmp_path / "out" / "events.jsonl"):
        length, shift, at = 0, 0, 0
        while True:
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 0x80:
                break
        assert data[at : at + length] == _core.events_protobuf([event])
        data = data[at + length :]
    assert data == b""


def test_what_a_broker_that_is_down_does_not_take_waits_in_the_spool_for_the_next_run(
    clip, tmp_path, nobody, caplog
):
    pytest.importorskip("redis", reason='needs pip install "pamtri-edge[redis]"')
    spool = tmp_path / "spool"
    code, out, err = run(clip, tmp_path / "out", "--sink", nobody, "--spool", spool)
    assert code == 0, err
    assert "0 sent, 0 acknowledged, 2 spooled, 0 dropped" in out
    assert "cannot be reached: Connection refused" in caplog.text
    assert f"the next run with --spool {spool} sends" in " ".join(err.split())
    sink = ["--sink", f"file:{tmp_path / 'all.jsonl'}"]
    code, out, err = run(clip, tmp_path / "next", *sink, "--spool", spool)
    assert "2 left by an earlier run, 4 sent, 4 acknowledged, 0 spooled, 0 dropped" in out
    everything = (tmp_path / "all.jsonl").read_bytes()
    assert everything == (tmp_path / "out" / "events.jsonl").read_bytes() * 2
    assert "s3cr3t" not in out + err + caplog.text


@pytest.mark.parametrize(("kind", "client"), [(Mosquitto, "mqtt"), (Redis, "redis")])
def test_the_line_of_the_document_sends_every_event_to_a_broker(clip, tmp_path, monkeypatch, kind, client):
    text = (Path(__file__).parents[2] / "docs" / "sinks.md").read_text()
    (line,) = re.findall(rf"^(pamtri run .*--sink \"?{client}://localhost/.*)$", text, re.MULTILINE)
    (tmp_path / "broker").mkdir()
    broker = kind(tmp_path / "broker")
    try:
        broker.start()
        broker.consume()
        line = re.sub(r"://localhost/([^? \"]*)", lambda _: "://" + broker.uri.partition("://")[2], line)
        line = line.replace("crossing.mp4", str(clip)).replace("crossing.txt", str(clip.with_suffix(".txt")))
        monkeypatch.chdir(tmp_path)
        code, out, err = call(*shlex.split(line)[1:])
        assert code == 0, err
        assert "2 sent, 2 acknowledged, 0 spooled, 0 dropped" in out
        events = list(read_events(tmp_path / f"sent-{client}" / "events.jsonl"))
        wait_for(lambda: len(broker.payloads()) == 2, "two events")
        assert sorted(broker.payloads()) == sorted(event.to_json().encode() for event in events)
    finally:
        broker.close()


def test_events_that_are_neither_taken_nor_kept_are_an_error_that_says_what_to_do(clip, tmp_path, nobody):
    pytest.importorskip("redis", reason='needs pip install "pamtri-edge[redis]"')
    code, out, err = run(clip, tmp_path / "out", "--sink", nobody)
    assert code == 1
    told = " ".join(err.split())
    assert "2 dropped" in out
    assert "2 events could not be delivered to redis://***@127.0.0.1:" in told
    assert "--spool FILE" in told
    assert "s3cr3t" not in out + err
    assert "operator" not in out + err
    assert (tmp_path / "out" / "events.jsonl").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--sink", "mqtt://u:s3cr3t@h/t?windo=3"], ["did you mean window?"]),
        (["--sink", "mqtt://u:s3cr3t/@h/t"], ["%40"]),
        (["--sink", "{out}/e.jsonl"], ["begins with none of the kinds", "file:PATH"]),
        (["--sink", "file:{out}/e.jsonl"], ["lies in the output folder"]),
        (["--sink", "file:{out}.jsonl", "--spool", "{out}/spool"], ["lies in the output folder"]),
        (["--sink", "file:{out}.jsonl", "--spool", "{clip}"], ["is a file of another kind"]),
        (["--sink", "file:/does/not/exist/e.jsonl"], ["cannot be written: No such file"]),
        (["--spool", "{out}.spool"], ["--spool", "0 sinks"]),
        (
            ["--sink", "file:{out}.a", "--spool", "{out}.s", "--sink", "file:{out}.b", "--spool", "{out}.s"],
            ["is in use by process", "a spool of its own"],
        ),
        (["--sink", "file:{out}.jsonl", "--spool", "a", "--spool", "b"], ["2 times for 1 sink"]),
        (["--sink-format", "json"], ["belongs to --sink"]),
        (["--sink", "file:x", "--sink-format", "xml"], ["json", "protobuf"]),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(clip, tmp_path, options, parts):
    out = tmp_path / "out"
    words = [str(word).format(out=out, clip=clip) for word in options]
    code, _, err = run(clip, out, *words)
    told = re.sub(r"[\s│]+", " ", err)
    assert code != 0
    for part in parts:
        assert part in told
    assert "s3cr3t" not in err
    assert not (out / "events.jsonl").exists()
