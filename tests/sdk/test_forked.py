# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A re-identifier in processes that were forked after it was loaded, as servers and data loaders do it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pamtri_edge import Reidentifier, samples
from pamtri_edge.errors import EngineError, InputError

PREAMBLE = """
import multiprocessing, os, sys, threading, time
from pamtri_edge import Reidentifier, samples

crops = samples.crops(3)
reid = Reidentifier.load(sys.argv[1], backend=sys.argv[2], threads=int(sys.argv[3]))
meant = reid.embed(crops).embeddings

def right(_=None):
    return bool((reid.embed(crops).embeddings == meant).all())

def child(work):
    "Fork, run `work` in the child, and return its exit code."
    process = os.fork()
    if process == 0:
        sys.exit(0 if work() else 3)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
"""


def run(script: str, bundle: Path, backend: str, threads: int) -> None:
    """Run a script in a process of its own, which fails if it hangs."""
    program = PREAMBLE + textwrap.dedent(script)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    command += [str(bundle), backend, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", ["openvino", "torch"])
def test_a_forked_process_and_its_own_child_give_the_same_numbers_and_may_close_or_do_nothing(
    micro_bundle: Path, backend: str
) -> None:
    script = """
    assert child(lambda: right() and child(right) == 0 and reid.close() is None) == 0
    assert child(lambda: True) == 0, "it embeds nothing, and ends as any other"
    assert right()
    """
    run(script, micro_bundle, backend, 2)


def test_forking_while_other_threads_embed_is_safe(micro_bundle: Path) -> None:
    script = """
    stop, wrong = threading.Event(), []
    def busy():
        while not stop.is_set():
            if not right():
                wrong.append(1)
    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    codes = [child(right) for _ in range(3)]
    stop.set()
    for thread in threads:
        thread.join()
    assert codes == [0] * 3 and not wrong, (codes, wrong)
    """
    run(script, micro_bundle, "openvino", 2)


def test_forking_waits_for_what_other_threads_compute_and_they_wait_for_it() -> None:
    script = """
    import os, threading, time
    from pamtri_edge.runtime.forking import computing

    started, order = threading.Event(), []
    def busy():
        with computing(), computing():
            started.set()
            time.sleep(0.3)
            order.append("computed")
    thread = threading.Thread(target=busy)
    thread.start()
    started.wait()
    process = os.fork()
    order.append("forked")
    if process == 0:
        with computing():
            os._exit(0 if order == ["computed", "forked"] else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    thread.join()
    with computing():  # a handler of a signal may fork in the middle of it
        process = os.fork()
        if process == 0:
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    with computing():
        pass
    """
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_bundle_that_was_replaced_after_loading_serves_a_pool_of_forked_processes_still(
    tmp_path: Path, micro_bundle: Path
) -> None:
    script = f"""
    import shutil
    shutil.rmtree(sys.argv[1])
    shutil.copytree({str(micro_bundle)!r}, sys.argv[1], ignore=shutil.ignore_patterns("model.onnx"))
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert all(pool.map(right, range(6)))
    assert right()
    """
    copy = tmp_path / "copy.pamtri"
    subprocess.run(["cp", "-r", micro_bundle, copy], check=True)
    run(script, copy, "openvino", 1)


def test_a_reidentifier_that_is_sent_to_another_process_says_how_to_get_there(micro_bundle: Path) -> None:
    with (
        Reidentifier.load(micro_bundle, backend="openvino", threads=1) as reid,
        pytest.raises(InputError, match=r"cannot be .* sent to another process; load the bundle there"),
    ):
        pickle.dumps(reid)


def test_an_engine_of_a_gpu_is_refused_after_a_fork(
    micro_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Reidentifier.load(micro_bundle, backend="openvino", threads=1) as reid:
        monkeypatch.setattr(type(reid.backend), "device", "cuda:0")
        assert len(reid.embed(samples.crops(1))) == 1
        monkeypatch.setattr("os.getpid", lambda: 1)
        with pytest.raises(
            EngineError, match=r"forked after.*CUDA does not survive.*Load the bundle in each"
        ):
            reid.embed(samples.crops(1))
