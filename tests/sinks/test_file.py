# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Events in a file: whole ones only, whatever was killed, full, moved or there before."""

import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge._sinks import Delivery, parse_settings
from pamtri_edge.errors import InputError

LINES = b'{"n":0}\n{"n":1}\n'
MESSAGES = b"\x03abc\x81\x01" + b"d" * 129


def send(path, payloads, payload_format="json", **options):
    query = "&".join(f"{name}={value}" for name, value in options.items())
    sender = Delivery(parse_settings(f"file:{path}?{query}"), None, payload_format=payload_format)
    for number, payload in enumerate(payloads):
        sender.post(f"north/{number}", payload)
    for _ in range(5):
        sender.step(0.0)
    sender.close()
    return sender.report()


@given(st.integers(0, len(LINES)))
def test_a_torn_line_is_cut_off_and_the_whole_ones_stay(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("file") / "events.jsonl"
    path.write_bytes(LINES[:cut])
    send(path, [b'{"n":2}'])
    whole = LINES[: LINES[:cut].rfind(b"\n") + 1]
    assert path.read_bytes() == whole + b'{"n":2}\n'


@given(st.integers(0, len(MESSAGES)))
def test_a_torn_message_is_cut_off_and_the_whole_ones_stay(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("file") / "events.pb"
    path.write_bytes(MESSAGES[:cut])
    send(path, [b"xy"], "protobuf")
    whole = MESSAGES if cut == len(MESSAGES) else MESSAGES[: 4 if cut >= 4 else 0]
    assert path.read_bytes() == whole + b"\x02xy"


def test_a_long_torn_line_behind_long_lines_is_found(tmp_path):
    path = tmp_path / "events.jsonl"
    long = b'{"fill":"' + b"." * 200_000 + b'"}'
    path.write_bytes(long + b"\n" + long[:150_000])
    send(path, [b"{}"])
    assert path.read_bytes() == long + b"\n{}\n"


@pytest.mark.parametrize(
    ("content", "payload_format"), [(b"notes of mine", "json"), (b"\xff" * 20, "protobuf")]
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(tmp_path, content, payload_format):
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(InputError, match="give another name"):
        send(path, [b"{}"], payload_format)
    assert path.read_bytes() == content


def test_two_sinks_do_not_write_to_one_file(tmp_path):
    first = Delivery(parse_settings(f"file:{tmp_path / 'events.jsonl'}"), None)
    with pytest.raises(InputError, match="another process or sink writes to it"):
        Delivery(parse_settings(f"file:{tmp_path / 'events.jsonl'}"), None)
    first.close()
    send(tmp_path / "events.jsonl", [b"{}"])


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    sender = Delivery(parse_settings(f"file:{path}?backoff=0.001&most-backoff=0.001"), None)
    sender.post("north/1", b'{"n":0}')
    sender.step(0.0)
    path.rename(tmp_path / "events.jsonl.1")
    sender.post("north/1", b'{"n":1}')
    for _ in range(5):
        sender.step(0.01)
    assert path.read_bytes() == b'{"n":1}\n'
    assert (tmp_path / "events.jsonl.1").read_bytes() == b'{"n":0}\n'


def test_an_event_that_is_no_line_is_dropped_and_told(tmp_path):
    report = send(tmp_path / "events.jsonl", [b'{"n":\n0}', b'{"n":1}'])
    assert (report.acknowledged, report.dropped) == (1, 1)
    assert (tmp_path / "events.jsonl").read_bytes() == b'{"n":1}\n'


def test_a_full_disk_is_told_and_what_did_not_fit_comes_once_when_there_is_room(tmp_path):
    path = tmp_path / "events.jsonl"
    text = f"""
        import resource, signal
        from pamtri_edge._sinks import Delivery, parse_settings
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # as in a program that is not Python
        limits = resource.RLIMIT_FSIZE, resource.RLIM_INFINITY
        resource.setrlimit(limits[0], (25_500, limits[1]))
        sender = Delivery(parse_settings("file:{path}?backoff=0.001&most-backoff=0.001"), None)
        for number in range(50):
            sender.post(f"north/{{number}}", b'{{"n":%d,"fill":"%s"}}' % (number, b"." * 1000))
        for _ in range(20):
            sender.step(0.002)
        print(sender.report().acknowledged, sender.take_problems())
        resource.setrlimit(limits[0], (limits[1], limits[1]))
        for _ in range(20):
            sender.step(0.002)
        print(sender.report().acknowledged)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, check=True
    )
    full, again = done.stdout.splitlines()
    assert full.startswith("25 ")
    assert "File too large" in full
    assert again == "50"
    numbers = [int(line.partition(b":")[2].partition(b",")[0]) for line in path.read_bytes().splitlines()]
    assert sorted(numbers) == list(range(50))


def test_a_program_that_ends_without_closing_its_sink_ends_well(tmp_path):
    text = f"""
        import os, sys
        from pamtri_edge.sinks.sink import EventSink
        sink = EventSink("file:{tmp_path / "events.jsonl"}")
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(text)], timeout=30, check=True)
