# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that come while what was begun is brought to its end."""

import signal

import pytest

from pamtri_edge.signals import postponed


@pytest.fixture(autouse=True)
def pythons_own_answer():
    """Have Ctrl-C raise `KeyboardInterrupt`, whatever the program around us has asked for."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("signals", "reached"), [(1, True), (2, True), (3, False)])
def test_two_wait_for_the_end_and_a_third_does_not(signals, reached):
    ended = []

    def interrupted():
        with postponed() as came:
            for _ in range(signals):
                signal.getsignal(signal.SIGINT)(signal.SIGINT, None)
            ended.append(came())

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended == [True] * reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_one_nothing_is_raised():
    with postponed() as came:
        assert not came()
