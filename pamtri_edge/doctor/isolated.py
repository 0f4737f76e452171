# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Asking a question in a process of its own, because the answer may be a crash.

Without a driver, the runtimes of TensorRT end the whole process, and no `except` can catch that. A child
process turns it into text.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pamtri_edge.doctor.findings import Finding, first_line
from pamtri_edge.doctor.machine import Machine

_INSIDE: Final = Path(__file__).with_name("inside.py")

# The child's import path is the parent's, so that both find the same packages. The file is loaded by its
# path: importing it through the package would load NumPy and OpenCV in every child.
_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from importlib.util import module_from_spec, spec_from_file_location as spec; "
    "found = spec('inside', sys.argv[2]); inside = module_from_spec(found); "
    "found.loader.exec_module(inside); inside.main(sys.argv[3], json.loads(sys.argv[4]))"
)


@dataclass(frozen=True)
class Answer:
    """What a child process said, or why it said nothing.

    Attributes:
        value: the answer; empty where there is none.
        failure: why there is none: the exception, the signal or the time-out; empty where there is one.
    """

    value: dict[str, Any]
    failure: str = ""


def ask(machine: Machine, question: str, **arguments: Any) -> Answer:
    """Run a function of `pamtri_edge.doctor.inside` in a child process.

    Args:
        machine: the interpreter, import path, environment and time limit of the child.
        question: the function's name.
        arguments: its arguments; JSON values.
    """
    command = [machine.python, "-c", _START]
    command += [json.dumps(machine.import_path), str(_INSIDE), question, json.dumps(arguments)]
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**machine.environ, "PYTHONWARNINGS": "ignore", "PYTHONSAFEPATH": "1"},
            start_new_session=True,
        )
    except OSError as error:
        return Answer({}, f"{machine.python} could not be started: {error}")
    with child:
        try:
            output, noise = child.communicate(timeout=machine.timeout)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # with whatever it had started
            return Answer({}, f"gave no answer within {machine.timeout:g} s")
    if child.returncode < 0:
        return Answer({}, f"crashed ({signal.Signals(-child.returncode).name}){_last_words(noise)}")
    try:
        said = json.loads(output)
    except ValueError:
        return Answer({}, f"ended with exit code {child.returncode}{_last_words(noise)}")
    if "failure" in said:
        return Answer({}, first_line(said["failure"]))
    return Answer(said["value"])


def imported(
    machine: Machine,
    found: Callable[..., Finding],
    package: str,
    question: str,
    *,
    install: str,
    mend: str,
    **arguments: Any,
) -> dict[str, Any] | Finding:
    """Return what a child process says of a module that it imports, or the finding that it cannot.

    Args:
        machine: where to look.
        found: makes a finding of a status, a summary and a remedy.
        package: its name.
        question: see `ask`.
        install: what helps where it is not there.
        mend: what helps where it cannot be imported.
        arguments: of the question.
    """
    if machine.module(package) is None:
        return found("missing", "not installed", install)
    answer = ask(machine, question, **arguments)
    return found("unusable", f"import {answer.failure}", mend) if answer.failure else answer.value


def _last_words(noise: str) -> str:
    lines = [line.strip() for line in noise.splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""
