# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A question that crashes, hangs or raises is answered with text."""

import time
from dataclasses import replace
from pathlib import Path

from pamtri_edge.doctor.isolated import ask

CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


def test_an_answer_comes_back(fake):
    fake.module("fine", "__version__ = '1.2'")
    assert ask(fake.build(), "imported", module="fine").value == {"version": "1.2"}


def test_what_a_library_prints_does_not_spoil_the_answer(fake):
    fake.module("loud", "import os; print('hello'); os.write(1, b'from C'); __version__ = '3'")
    answer = ask(fake.build(), "imported", module="loud")
    assert answer.value == {"version": "3"}
    assert answer.failure == ""


def test_a_crash_is_reported_with_its_signal_and_last_words(fake):
    fake.module("faulty", f"import sys; sys.stderr.write('no driver\\n'); sys.stderr.flush(); {CRASH}")
    answer = ask(fake.build(), "imported", module="faulty")
    assert answer.value == {}
    assert answer.failure == "crashed (SIGSEGV): no driver"


def test_an_exception_is_reported_in_one_line(fake):
    fake.module("torn", "raise ImportError('libnvinfer.so.10: cannot open\\nsecond line')")
    assert (
        ask(fake.build(), "imported", module="torn").failure == "ImportError: libnvinfer.so.10: cannot open"
    )


def test_a_module_that_leaves_the_interpreter_is_reported(fake):
    fake.module("leaving", "import sys; sys.exit(3)")
    assert ask(fake.build(), "imported", module="leaving").failure == "SystemExit: 3"
    fake.module("gone", "import os; os._exit(7)")
    assert ask(fake.build(), "imported", module="gone").failure == "ended with exit code 7"


def test_a_module_that_hangs_is_given_up_with_everything_it_started(fake, tmp_path):
    pid_file = tmp_path / "pid"
    fake.module(
        "hanging",
        "import pathlib, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)",
    )
    answer = ask(fake.build(timeout=2.0), "imported", module="hanging")
    assert answer.failure == "gave no answer within 2 s"
    child = int(pid_file.read_text())
    deadline = time.monotonic() + 20.0  # the kernel ends a killed process when it next runs
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _lives(child)


def _lives(pid: int) -> bool:
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_interpreter_that_is_not_there_is_reported(fake, tmp_path):
    machine = replace(fake.build(), python=str(tmp_path / "no-python"))
    assert "could not be started" in ask(machine, "imported", module="json").failure


def test_the_child_sees_the_parents_packages_and_no_others(fake):
    assert "ModuleNotFoundError" in ask(fake.build(), "imported", module="numpy").failure


def test_looking_at_cupy_makes_no_folder_for_its_kernels(fake, tmp_path):
    home = tmp_path / "home"
    fake.module(
        "cupy",
        f"import os; os.makedirs(os.environ.get('CUPY_CACHE_DIR', {str(home)!r}), exist_ok=True)\n"
        "__version__ = '14'",
    )
    assert ask(fake.build(), "cupy", driver=False).value == {"version": "14", "gpus": 0}
    assert not home.exists()
