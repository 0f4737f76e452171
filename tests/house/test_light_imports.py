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


def loaded_after(code):
    """Return the top-level packages that are loaded once the code has run, in a fresh interpreter."""
    script = (
        f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import pamtri_edge",
        "from pamtri_edge import Reidentifier",
        "from pamtri_edge.cli import COMMANDS\nfor name, one in COMMANDS.items():\n    one.load(name)",
        "import pamtri_edge.export.cli",
        "import pamtri_edge.bundle, pamtri_edge.ops, pamtri_edge.events, pamtri_edge.tracks",
        "import pamtri_edge.doctor",
    ],
)
def test_imports_load_nothing_heavy(code):
    assert loaded_after(code).isdisjoint(HEAVY)


def test_the_package_itself_loads_nothing_at_all():
    assert loaded_after("import pamtri_edge").isdisjoint({"numpy", "cv2", "rich", "typer"})


def test_the_help_of_the_command_loads_nothing_heavy():
    help_text = "import sys; sys.argv = ['pamtri', '--help']\nfrom pamtri_edge import cli\n"
    help_text += "try:\n    cli.main()\nexcept SystemExit:\n    pass"
    assert loaded_after(help_text).isdisjoint({"cv2", "numpy"} | HEAVY)


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


def test_a_base_install_embeds_vehicles(tiny_bundle):
    result = without_optional_packages(
        "from pamtri_edge import Reidentifier, samples\n"
        "with Reidentifier.load(sys.argv[1]) as reid:\n"
        "    print(reid.embed(samples.crops(3)).embeddings.shape[0])",
        str(tiny_bundle),
    )
    assert result.stdout.split() == ["3"], result.stderr


def test_a_backend_that_is_not_installed_is_one_sentence_that_says_what_to_install(tiny_bundle):
    result = without_optional_packages(
        "from pamtri_edge import Reidentifier\n"
        "from pamtri_edge.errors import MissingDependencyError\n"
        "try:\n    Reidentifier.load(sys.argv[1], backend='torch')\n"
        "except MissingDependencyError as error:\n    print(error)",
        str(tiny_bundle),
    )
    assert "pip install 'pamtri-edge[torch]'" in result.stdout, result.stderr


def test_an_exporter_without_its_packages_says_what_to_install():
    result = without_optional_packages(
        "sys.argv = ['pamtri-export', '--model', 'lite']\nfrom pamtri_edge.export.cli import main\nmain()"
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "pip install 'pamtri-edge[export]'" in result.stderr


@pytest.mark.slow
def test_the_doctor_runs_on_a_base_install():
    result = without_optional_packages(
        "sys.argv = ['pamtri', 'doctor']\nfrom pamtri_edge.cli import main\nmain()"
    )
    assert result.returncode == 0, result.stderr
