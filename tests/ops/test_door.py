# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The door of the operations: which code works, on how many threads, on whose memory."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pamtri_edge import ops
from pamtri_edge.errors import InputError, MissingDependencyError

Floats = NDArray[np.float32]

HEATMAPS = np.zeros((2, 36, 64, 64), np.float32)


@pytest.fixture
def chosen_anew() -> Iterator[None]:
    """Let the door choose again, in the test and after it."""
    ops._operations.cache_clear()
    yield
    ops._operations.cache_clear()


def script(text: str, folder: Path) -> str:
    """Run a program in a process of its own and return what it printed.

    In a folder of its own too: beside the sources, Python would take them for the installed package.
    """
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TestImplementation:
    @pytest.mark.usefixtures("chosen_anew")
    def test_compiled_code_is_used_where_it_is_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PAMTRI_OPS", raising=False)
        assert ops.implementation() == "native"

    @pytest.mark.usefixtures("chosen_anew")
    def test_the_reference_can_be_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PAMTRI_OPS", "reference")
        assert ops.implementation() == "reference"

    @pytest.mark.usefixtures("chosen_anew")
    def test_without_compiled_code_the_reference_works(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PAMTRI_OPS", raising=False)
        self.hide_the_compiled_code(monkeypatch)
        assert ops.implementation() == "reference"
        assert ops.decode(HEATMAPS).shape == (2, 36, 3)

    @pytest.mark.usefixtures("chosen_anew")
    def test_compiled_code_that_is_asked_for_but_missing_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PAMTRI_OPS", "native")
        self.hide_the_compiled_code(monkeypatch)
        with pytest.raises(MissingDependencyError, match=r"cannot be loaded .* pip install"):
            ops.implementation()

    @pytest.mark.usefixtures("chosen_anew")
    def test_another_word_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PAMTRI_OPS", "cuda")
        with pytest.raises(InputError, match="PAMTRI_OPS is 'cuda'; accepted: 'native', 'reference'"):
            ops.decode(HEATMAPS)

    @staticmethod
    def hide_the_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
        import pamtri_edge

        monkeypatch.delattr(ops, "native", raising=False)
        monkeypatch.delitem(sys.modules, "pamtri_edge.ops.native", raising=False)
        monkeypatch.delattr(pamtri_edge, "_native", raising=False)
        monkeypatch.setitem(sys.modules, "pamtri_edge._native", None)


@pytest.mark.usefixtures("thread_setting")
class TestThreads:
    def test_the_number_is_kept_until_it_is_changed(self) -> None:
        every_core = ops.threads()
        ops.set_threads(3)
        assert ops.threads() == 3
        ops.set_threads(None)
        assert ops.threads() == every_core >= 1

    @pytest.mark.parametrize("count", [0, -1, 1025, 1.5, True, "2"])
    def test_another_number_is_refused(self, count: int) -> None:
        with pytest.raises(InputError, match="expected 1 to 1024, or None for all cores"):
            ops.set_threads(count)

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_the_result_does_not_depend_on_it(self, count: int, rng: np.random.Generator) -> None:
        images = rng.uniform(0, 255, (3, 3, 64, 64)).astype(np.float32)
        heatmaps = rng.random((3, 36, 16, 16), dtype=np.float32)
        expected = ops.stack(images, heatmaps, keypoints=ops.decode(heatmaps))

        ops.set_threads(count)

        np.testing.assert_array_equal(ops.stack(images, heatmaps, keypoints=ops.decode(heatmaps)), expected)

    @pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
    def test_no_more_threads_are_started_than_allowed(self, tmp_path: Path) -> None:
        counts = script(
            "import numpy as np\n"
            "from pathlib import Path\n"
            "from pamtri_edge import ops\n"
            "def tasks(): return len(list(Path('/proc/self/task').iterdir()))\n"
            "heatmaps = np.zeros((8, 36, 64, 64), np.float32)\n"
            "before = tasks()\n"
            "for count in (1, 3):\n"
            "    ops.set_threads(count)\n"
            "    ops.decode(heatmaps)\n"
            "    print(tasks() - before)\n",
            tmp_path,
        )
        assert counts.split() == ["0", "2"]

    @pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
    def test_a_forked_process_gets_threads_of_its_own(self, tmp_path: Path) -> None:
        printed = script(
            "import os, signal, warnings\n"
            "from pathlib import Path\n"
            "import numpy as np\n"
            "from pamtri_edge import ops\n"
            "warnings.simplefilter('ignore')\n"
            "heatmaps = np.zeros((8, 36, 64, 64), np.float32)\n"
            "ops.set_threads(3)\n"
            "ops.decode(heatmaps)\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    signal.alarm(30)\n"
            "    for _ in range(20): ops.decode(heatmaps)\n"
            "    os._exit(len(list(Path('/proc/self/task').iterdir())))\n"
            "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n",
            tmp_path,
        )
        assert printed == "3"

    def test_several_python_threads_may_call_at_once(self, rng: np.random.Generator) -> None:
        ops.set_threads(2)
        batches = [rng.random((2, 36, 64, 64), dtype=np.float32) for _ in range(8)]
        expected = [ops.decode(batch) for batch in batches]

        with ThreadPoolExecutor(4) as pool:
            for _ in range(5):
                for result, wanted in zip(pool.map(ops.decode, batches), expected, strict=True):
                    np.testing.assert_array_equal(result, wanted)


@pytest.mark.parametrize("operation", ["decode", "segments", "stack", "crop", "resize"])
@pytest.mark.usefixtures("chosen_anew")
def test_other_python_threads_go_on_while_an_operation_works(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a switch interval of a minute, the counter moves only if the operation gives the GIL away."""
    monkeypatch.delenv("PAMTRI_OPS", raising=False)
    assert ops.implementation() == "native"
    work = operations_of_some_milliseconds()[operation]
    counter = 0
    progress: list[int] = []

    def working() -> None:
        for _ in range(50):
            before = counter
            work()
            progress.append(counter - before)
            if progress[-1]:
                return

    interval = sys.getswitchinterval()
    worker = threading.Thread(target=working)
    try:
        sys.setswitchinterval(60.0)
        worker.start()
        while worker.is_alive():
            counter += 1
            time.sleep(0)  # gives the GIL away itself
    finally:
        sys.setswitchinterval(interval)
        worker.join()
    assert progress[-1] > 0


def operations_of_some_milliseconds() -> dict[str, Callable[[], object]]:
    """Return calls that allocate nothing and do nothing but the compiled work, for a while."""
    from pamtri_edge.ops import native

    heatmaps = np.zeros((64, 36, 64, 64), np.float32)
    keypoints = np.zeros((24, 36, 3), np.float32)
    masks = np.zeros((24, 13, 256, 256), np.float32)
    images = np.zeros((4, 3, 256, 256), np.float32)
    frame = np.zeros((720, 1280, 3), np.uint8)
    pictures = np.zeros((48, 3, 256, 256), np.float32)
    rectangles = np.tile(np.array([[0, 0, 1280, 720]], np.int32), (48, 1))
    places, stacked = np.zeros((64, 36, 3), np.float32), np.zeros((4, 52, 256, 256), np.float32)
    return {
        "decode": lambda: native.decode(heatmaps, places, True),
        "segments": lambda: native.segments(keypoints, masks, 0.5),
        "stack": lambda: native.stack(images, heatmaps[:4], None, keypoints[:4], stacked, 0.5),
        "crop": lambda: native.crop(frame, rectangles, pictures, False),
        "resize": lambda: native.resize([frame] * 48, pictures, False),
    }
