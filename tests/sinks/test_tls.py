# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""TLS with a throw-away authority: who is trusted is let in, and nobody else is given an event."""

import pytest

from message_brokers import Mosquitto, Redis


def broker_with(kind, brokers, authority):
    if kind is Mosquitto:
        files = [f"certfile {authority}/server.pem", f"keyfile {authority}/server.key"]
        return brokers(Mosquitto, "allow_anonymous true", *files, scheme="mqtts")
    options = ["--tls-cert-file", f"{authority}/server.pem", "--tls-key-file", f"{authority}/server.key"]
    options += ["--tls-auth-clients", "no", "--port", "0", "--tls-port"]
    broker = brokers(Redis, *options, scheme="rediss", start=False)
    broker.options = (*options, str(broker.port))
    broker.start()
    return broker


@pytest.mark.parametrize("kind", [Mosquitto, Redis])
def test_only_a_broker_of_the_named_authority_is_given_events(brokers, senders, authority, tmp_path, kind):
    if kind is Redis and senders.language == "c++":
        pytest.skip("hiredis has TLS since 1.0; without it the C++ sink refuses, which another test checks")
    broker = broker_with(kind, brokers, authority)
    options = "?timeout=2&backoff=0.05&flush=5"
    for wrong in ("", f"&ca={authority}/other.pem"):  # the system's authorities; another one
        sender = senders(broker.uri + options + wrong, tmp_path / "spool")
        sender.post(range(1))
        report, told = sender.finish()
        assert report["acknowledged"] == 0
        (line,) = told.splitlines()
        assert line.startswith(f"{broker.uri} refused us: ")
        assert "certificate" in line.lower() or "TLS" in line
    sender = senders(f"{broker.uri}{options}&ca={authority}/ca.pem", tmp_path / "spool")
    report, told = sender.finish()
    assert (report["earlier"], report["acknowledged"], told) == (2, 2, "")


@pytest.mark.parametrize("scheme", ["mqtts", "rediss", "kafkas"])
def test_a_file_that_holds_no_certificate_is_refused_at_once(senders, authority, scheme):
    if scheme == "mqtts" and senders.language == "c++":
        pytest.skip("libmosquitto reads the file when it connects; what it says then is told like a refusal")
    text = senders(f"{scheme}://127.0.0.1:1/t?ca={authority}/names").refusal()
    assert "\n" not in text
    assert f"the sink {scheme}://127.0.0.1:1/t " in text
