# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The policy of sending, with a broker and a clock that the test turns: order, repetition, patience."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri_edge._sinks import Delivery, parse_settings
from properties import tries


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class LostError(Exception):
    def __init__(self, text="gone", refused=False):
        super().__init__(text)
        self.refused = refused


@dataclass
class Broker:
    """What a broker keeps, and what it answers."""

    up: bool = True
    error: Callable[[], Exception] = LostError
    kept: list = field(default_factory=list)
    pending: list = field(default_factory=list)
    tries: list = field(default_factory=list)
    clock: Clock | None = None

    def connect(self, wait_s):
        self.tries.append(self.clock() if self.clock else 0.0)
        if not self.up:
            raise self.error()

    def send(self, messages):
        if not self.up:
            raise self.error()
        self.pending += messages

    def poll(self, wait_s):
        if not self.up:
            raise self.error()
        done, self.pending = self.pending, []
        self.kept += [(key, payload) for _, key, payload in done]
        return [(one, "acknowledged", "") for one, _, _ in done]

    def close(self):
        self.pending = []


def delivery(broker, clock=None, spool="", **options):
    query = "&".join(f"{name.replace('_', '-')}={value}" for name, value in options.items())
    return Delivery(parse_settings(f"mqtt://u:hidden@b/t?{query}"), broker, spool=str(spool), clock=clock)


def step(sender, times=1):
    for _ in range(times):
        sender.step(0.0)


def post(sender, count, keys=3, start=0):
    for number in range(start, start + count):
        sender.post(f"north/{number % keys}", str(number).encode())


def test_what_is_posted_arrives_once_and_is_counted():
    broker = Broker()
    sender = delivery(broker)
    post(sender, 10)
    step(sender, 10)
    assert sorted(int(payload) for _, payload in broker.kept) == list(range(10))
    report = sender.report()
    assert (report.posted, report.sent, report.repeated, report.acknowledged) == (10, 10, 0, 10)
    assert (report.spooled, report.held, report.dropped, report.problem) == (0, 0, 0, "")


def first_arrivals(kept):
    """Return the payloads of each key in the order in which each came first."""
    orders = {}
    for key, payload in kept:
        order = orders.setdefault(key, [])
        if payload not in order:
            order.append(payload)
    return orders


class Unreliable(Broker):
    """Keeps, answers, fails and dies as a list of choices says; then it behaves."""

    def __init__(self, choices):
        super().__init__()
        self.choices = iter(choices)

    def choose(self, most):
        return next(self.choices, 0) % most

    def connect(self, wait_s):
        if self.choose(4) == 3:
            raise LostError

    def send(self, messages):
        for one in messages:
            if self.choose(6) == 5:
                raise LostError
            self.pending.append(one)

    def poll(self, wait_s):
        answers = []
        order = sorted(self.pending, key=lambda one: (self.choose(3), one[0]))
        for one in order:
            what = self.choose(8)
            if what in (0, 1, 2):
                self.kept.append(one[1:])
                answers.append((one[0], "acknowledged", ""))
            elif what == 3:
                self.kept.append(one[1:])  # it came, and the answer is lost
                continue
            elif what == 4:
                answers.append((one[0], "failed", "busy"))
            elif what == 5:
                self.kept.append(one[1:])
                raise LostError
            else:
                continue  # no answer yet
            self.pending.remove(one)
        return answers


@settings(max_examples=tries(150))
@given(
    st.lists(st.integers(0, 1000), max_size=200),
    st.lists(st.integers(0, 3), min_size=1, max_size=30),
    st.booleans(),
    st.lists(st.integers(0, 40), max_size=2),
)
def test_whatever_the_broker_does_each_key_arrives_whole_and_in_order(
    tmp_path_factory, choices, keys, spooled, deaths
):
    clock = Clock()
    broker = Unreliable(choices)
    spool = tmp_path_factory.mktemp("spool") / "spool" if spooled else ""
    options = {"timeout": 1, "backoff": 0.1, "window": 4}
    sender = delivery(broker, clock, spool, **options)
    posted = {}
    for number, key in enumerate(keys):
        sender.post(f"north/{key}", str(number).encode())
        posted.setdefault(f"north/{key}", []).append(str(number).encode())
    for turn in range(2000):
        if spooled and turn in deaths:
            broker.close()
            del sender  # as a kill: the queue is what the disk has
            sender = delivery(broker, clock, spool, **options)
        sender.step(0.0)
        clock.now += 0.2
        report = sender.report()
        if report.spooled + report.held == 0:
            break
    assert first_arrivals(broker.kept) == posted
    assert report.dropped == 0


def test_of_one_key_one_event_at_a_time_is_in_flight_and_of_all_as_many_as_the_window():
    broker = Broker()
    broker.poll = lambda wait_s: []
    sender = delivery(broker, window=5)
    post(sender, 40, keys=8)
    step(sender, 3)
    assert [int(payload) for _, _, payload in broker.pending] == [0, 1, 2, 3, 4]
    sender = delivery(broker := Broker(), window=50)
    broker.poll = lambda wait_s: []
    post(sender, 40, keys=8)
    step(sender, 3)
    assert [int(payload) for _, _, payload in broker.pending] == list(range(8))


def test_a_broker_that_is_down_is_tried_less_and_less_often_until_it_is_back():
    clock = Clock()
    broker = Broker(up=False, clock=clock)
    sender = delivery(broker, clock, backoff=1, most_backoff=16)
    post(sender, 3)
    while clock.now < 300:
        step(sender)
        clock.now += 0.05
    waits = [after - before for before, after in zip(broker.tries, broker.tries[1:], strict=False)]
    for wait, most in zip(waits, [1, 2, 4, 8, *[16] * 20], strict=False):
        assert most / 2 - 0.06 <= wait <= most + 0.06
    assert len({round(wait, 2) for wait in waits[4:]}) > 3  # many senders do not come back at one moment
    broker.up = True
    clock.now += 16
    step(sender, 3)
    assert len(broker.kept) == 3


def test_an_answer_that_does_not_come_in_time_has_the_event_sent_again_on_a_new_connection():
    clock = Clock()
    broker = Broker(clock=clock)
    answer, broker.poll = broker.poll, lambda wait_s: []
    sender = delivery(broker, clock, timeout=5, backoff=0.1)
    post(sender, 1)
    step(sender, 2)
    clock.now += 5
    step(sender, 2)
    assert "no acknowledgement within 5000 ms" in sender.report().problem
    broker.poll = answer
    clock.now += 1
    step(sender, 3)
    report = sender.report()
    assert (len(broker.tries), report.sent, report.repeated, report.acknowledged) == (2, 1, 1, 1)
    assert report.problem == ""


def test_an_event_that_the_broker_never_takes_is_dropped_and_counted_and_holds_up_nobody():
    class Picky(Broker):
        def poll(self, wait_s):
            bad = [one for one, _, payload in self.pending if payload == b"0"]
            self.pending = [one for one in self.pending if one[2] != b"0"]
            return [(one, "rejected", "too large") for one in bad] + super().poll(wait_s)

    sender = delivery(broker := Picky())
    post(sender, 4, keys=1)
    step(sender, 8)
    assert [payload for _, payload in broker.kept] == [b"1", b"2", b"3"]
    assert sender.report().dropped == 1
    assert sender.take_problems() == [
        "mqtt://***@b/t rejected an event, which is dropped: too large.",
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (lambda: LostError("Connection refused"), "cannot be reached: Connection refused"),
        (
            lambda: LostError("bad login of u with hidden.\n", True),
            "refused us: bad login of u with ***",
        ),
        (ValueError, "cannot be reached: ValueError"),
    ],
)
def test_a_problem_is_told_once_in_a_sentence_without_the_password(error, words):
    clock = Clock()
    sender = delivery(Broker(up=False, error=error), clock)
    post(sender, 2)
    for _ in range(20):
        step(sender)
        clock.now += 40
    assert sender.take_problems() == [f"mqtt://***@b/t {words}; 2 events wait."]
    assert sender.report().problem == f"mqtt://***@b/t {words}."  # its numbers say what waits by then


def test_what_is_left_at_the_end_is_kept_with_a_spool_and_dropped_without(tmp_path):
    for spool, kept in ((tmp_path / "spool", (3, 0)), ("", (0, 3))):
        sender = delivery(Broker(up=False), spool=spool)
        post(sender, 3)
        step(sender)
        sender.close()
        report = sender.report()
        assert (report.spooled, report.dropped) == kept
        del sender
    later = delivery(broker := Broker(), spool=tmp_path / "spool")
    assert later.report().earlier == 3
    step(later, 3)
    assert [int(payload) for _, payload in broker.kept] == [0, 1, 2]


def test_ctrl_c_ends_the_wait_for_a_broker_that_does_not_answer():
    broker = Broker()
    delivery = Delivery(parse_settings("mqtt://host/topic"), broker)
    delivery.post("north/1", b"{}")
    threading.Timer(0.05, lambda: signal.raise_signal(signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        delivery.flush(60.0)
    assert delivery.report().held == 1
