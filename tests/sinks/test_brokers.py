# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Real brokers and real kills: what a consumer sees in the end is everything, and in order for each track."""

import time

import pytest

from message_brokers import Kafka, Mosquitto, Redis, wait_for

QUICK = "?timeout=1&backoff=0.05&most-backoff=0.3&flush=20"
COUNT = 120
EACH_S = 0.005


def check(broker, count=COUNT):
    """Check what has arrived: all of it, and each track's events in order, doubles aside."""
    wait_for(lambda: len(set(broker.arrived())) >= count, f"{count} events")
    arrived = broker.arrived()
    first = list(dict.fromkeys(arrived))
    assert sorted(first) == list(range(count))
    for track in range(5):
        order = [number for number in first if number % 5 == track]
        assert order == sorted(order)
    return len(arrived) - count


@pytest.mark.parametrize("kind", [Mosquitto, Redis, Kafka])
def test_what_is_posted_to_a_broker_that_is_there_arrives_once(brokers, senders, kind):
    broker = brokers(kind)
    broker.consume()
    sender = senders(broker.uri + QUICK)
    sender.post(range(COUNT))
    report, told = sender.finish()
    assert check(broker) == 0
    arrived = {"posted": COUNT, "sent": COUNT, "acknowledged": COUNT}
    assert report == {**arrived, "earlier": 0, "spooled": 0, "dropped": 0}
    assert told == ""


@pytest.mark.parametrize("kind", [Mosquitto, Redis])
def test_a_broker_that_is_killed_and_comes_back_twice_has_everything(brokers, senders, tmp_path, kind):
    broker = brokers(kind)
    broker.consume()
    sender = senders(broker.uri + QUICK, tmp_path / "spool")
    for start in range(0, COUNT, 30):
        sender.post(range(start, start + 20), every_s=EACH_S)
        if start < 60:
            broker.kill()
        sender.post(range(start + 20, start + 30), every_s=EACH_S)
        if start < 60:
            broker.start()
    report, told = sender.finish()
    check(broker)
    assert (report["acknowledged"], report["spooled"], report["dropped"]) == (COUNT, 0, 0)
    assert "cannot be reached" in told


@pytest.mark.parametrize("kind", [Mosquitto, Redis, Kafka])
def test_a_broker_that_answers_nobody_for_a_while_has_everything(brokers, senders, kind):
    broker = brokers(kind)
    broker.consume()
    sender = senders(broker.uri + QUICK)
    sender.post(range(60), every_s=EACH_S)
    broker.hold(1.5)
    sender.post(range(60, COUNT), every_s=EACH_S)
    report, _ = sender.finish()
    check(broker)
    assert (report["acknowledged"], report["dropped"]) == (COUNT, 0)


def test_a_killed_sender_loses_nothing_that_the_spool_took(brokers, senders, tmp_path):
    broker = brokers(Redis)
    broker.consume()
    sender = senders(broker.uri + QUICK, tmp_path / "spool")
    sender.post(range(60))
    sender.kill()
    sender = senders(broker.uri + QUICK, tmp_path / "spool")
    sender.post(range(60, COUNT), every_s=EACH_S)
    report, _ = sender.finish()
    check(broker)
    assert report["posted"] == 60
    assert report["acknowledged"] == 60 + report["earlier"]
    assert (report["spooled"], report["dropped"]) == (0, 0)


def test_a_broker_that_is_down_until_the_next_run_has_everything_then(brokers, senders, tmp_path):
    broker = brokers(Mosquitto, start=False)
    first = senders(broker.uri + QUICK, tmp_path / "spool")
    first.post(range(70))
    begin = time.monotonic()
    report, told = first.finish()
    assert time.monotonic() - begin < 10  # what the spool has need not be waited for
    assert (report["acknowledged"], report["spooled"], report["dropped"]) == (0, 70, 0)
    assert told.splitlines()[0].startswith(f"{broker.uri} cannot be reached: Connection refused")
    assert len(told.splitlines()) == 1
    broker.start()
    broker.consume()
    second = senders(broker.uri + QUICK, tmp_path / "spool")
    second.post(range(70, COUNT))
    report, _ = second.finish()
    check(broker)
    assert (report["earlier"], report["acknowledged"]) == (70, COUNT)


def test_a_wrong_login_is_told_in_one_sentence_and_its_events_stay(brokers, senders, tmp_path):
    (tmp_path / "passwords").write_text("")
    broker = brokers(Mosquitto, "allow_anonymous false", f"password_file {tmp_path / 'passwords'}")
    check_refusal(senders, broker.uri, tmp_path, ("ot authori", "user name or password"))


def test_a_wrong_password_of_redis_is_told_in_one_sentence_and_its_events_stay(brokers, senders, tmp_path):
    broker = brokers(Redis, "--requirepass", "right")
    check_refusal(senders, broker.uri, tmp_path, ("WRONGPASS", "invalid username-password"))


def check_refusal(senders, uri, folder, words):
    sender = senders(uri.replace("://", "://operator:s3cr3t@") + QUICK, folder / "spool")
    sender.post(range(3))
    report, told = sender.finish()
    assert (report["acknowledged"], report["spooled"], report["dropped"]) == (0, 3, 0)
    (line,) = told.splitlines()
    assert f"{uri.replace('://', '://***@')} refused us: " in line
    assert any(word in line for word in words)
    assert "s3cr3t" not in line
    assert "operator" not in line
