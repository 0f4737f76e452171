# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Importing pamtri_edge costs little; a base install does its job without torch."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    *("torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "openvino", "safetensors"),
    *("cupy", "pycuda", "tensorrt", "tensorrt_rtx", "torch_tensorrt", "pyds", "pyservicemaker", "gi"),
    *("av", "norfair", "scipy", "matplotlib"),
}
OPTIONAL = HEAVY - {"openvino"}
"""What a base install does not have."""


STEPS = {
    "import pamtri_edge": {"numpy", "cv2", "rich", "typer", *HEAVY},
    "from pamtri_edge import cli\nsys.argv = ['pamtri', '--help']\nwith suppress(SystemExit): cli.main()": {
        *("numpy", "cv2"),
        *HEAVY,
    },
    "from pamtri_edge import Reidentifier": HEAVY,
    "import pamtri_edge.runtime.tensorrt.backend": HEAVY,
    "for name, one in cli.COMMANDS.items(): one.load(name)": HEAVY,
    "import pamtri_edge.export.cli": HEAVY,
    "import pamtri_edge.bundle, pamtri_edge.ops, pamtri_edge.events, pamtri_edge.tracks": HEAVY,
    "import pamtri_edge.doctor": HEAVY,
}
"""What is done one after the other, and which packages are not loaded then."""


@pytest.fixture(scope="module")
def loaded():
    """Return the top-level packages that are loaded after each step, in a fresh interpreter."""
    script = "import json, sys\nfrom contextlib import suppress\n"
    script += f"for step in {list(STEPS)!r}:\n    exec(step)\n"
    script += "    found = sorted({name.split('.')[0] for name in sys.modules})\n"
    script += "    print(json.dumps({step: found}), file=sys.stderr)\n"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {
        step: set(names) for line in result.stderr.splitlines() for step, names in json.loads(line).items()
    }


@pytest.mark.parametrize("step", STEPS)
def test_what_costs_time_to_import_is_not_imported(loaded, step):
    assert loaded[step].isdisjoint(STEPS[step])


def test_a_name_that_does_not_exist_is_an_attribute_error():
    import pamtri_edge

    with pytest.raises(AttributeError, match="has no attribute 'Reidentifer'"):
        _ = pamtri_edge.Reidentifer


BLOCK = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def without_optional_packages(code, *arguments):
    """Run code where nothing optional is installed."""
    script = BLOCK.format(absent=sorted(OPTIONAL)) + code
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )


def test_a_base_install_embeds_and_says_what_another_backend_takes(tiny_bundle):
    result = without_optional_packages(
        "from pamtri_edge import Reidentifier, samples\n"
        "from pamtri_edge.errors import MissingDependencyError\n"
        "with Reidentifier.load(sys.argv[1]) as reid:\n"
        "    print(reid.embed(samples.crops(3)).embeddings.shape[0])\n"
        "try:\n    Reidentifier.load(sys.argv[1], backend='torch')\n"
        "except MissingDependencyError as error:\n    print(error)",
        str(tiny_bundle),
    )
    count, message = result.stdout.splitlines()
    assert count == "3", result.stderr
    assert "pip install 'pamtri-edge[torch]'" in message


def test_an_exporter_without_its_packages_says_what_to_install():
    result = without_optional_packages(
        "sys.argv = ['pamtri-export', '--model', 'lite']\nfrom pamtri_edge.export.cli import main\nmain()"
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "pip install 'pamtri-edge[export]'" in result.stderr


def test_the_doctor_runs_on_a_base_install():
    result = without_optional_packages(
        "sys.executable = '/bin/false'  # which it asks for packages: this machine's are no base install's\n"
        "sys.argv = ['pamtri', 'doctor']\nfrom pamtri_edge.cli import main\nmain()"
    )
    assert result.returncode == 0, result.stderr
