# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Brokers for a test, and the two senders: Python's, and C++'s with the sanitizers."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import native_builds
from message_brokers import Sender

HERE = Path(__file__).parent


@pytest.fixture
def brokers(tmp_path):
    """Return what makes a broker; all are ended with the test."""
    made = []

    def make(kind, *options, start=True, **more):
        folder = tmp_path / f"broker{len(made)}"
        folder.mkdir()
        broker = kind(folder, *options, **more)
        made.append(broker)
        if start:
            broker.start()
        return broker

    yield make
    for broker in made:
        broker.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Return a folder with a throw-away authority, a server's certificate of it, and another authority."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, which makes the certificates of this test")
    folder = tmp_path_factory.mktemp("authority")

    def run(*words):
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"]
    for name in ("ca", "other"):
        made = [f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN=throw-away {name}"]
        run("req", "-x509", *key, *made)
    run("req", *key, "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    run("x509", "-req", "-in", "server.csr", *sign, "-out", "server.pem")
    return folder


@pytest.fixture(scope="session")
def sink_probe(tmp_path_factory):
    """Build the sender in C++, with sanitizers where there are some; return it and what CMake said."""
    folder = native_builds.sanitized(tmp_path_factory, "sink_probe")
    return folder / "tests" / "sinks" / "sink_probe", (folder / "configured.txt").read_text()


@pytest.fixture(params=["python", pytest.param("c++", marks=pytest.mark.slow)])
def senders(request):
    """Return what starts a sender, of each implementation in turn; all are ended with the test."""
    said = ""
    if request.param == "python":
        command = [sys.executable, HERE / "probe.py"]
    else:
        program, said = request.getfixturevalue("sink_probe")
        command = [program]
    started = []

    def start(uri, spool=""):
        kind = re.match("mqtt|redis|kafka", uri)[0].upper()
        missing = re.search(rf"{kind} left out: (.*)", said)
        if missing:
            pytest.skip(f"the C++ sink of {kind} was not built: {missing[1]}")
        started.append(Sender(command, uri, spool))
        return started[-1]

    start.language = request.param
    yield start
    for one in started:
        one.kill()
