# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Importing pamtri_edge costs little; a base install does its job without torch."""

import json
import subprocess
import sys

import pytest

from pamtri_edge import cli

HEAVY = {
    *("torch", "torchvision", "onnx", "onnxscript", "onnxruntime", "openvino", "safetensors"),
    *("cupy", "pycuda", "tensorrt", "tensorrt_rtx", "torch_tensorrt", "pyds", "pyservicemaker", "gi"),
    *("av", "norfair", "scipy", "matplotlib"),
}
OPTIONAL = HEAVY - {"openvino"}
"""What a base install does not have."""


STEPS = {
    "import pamtri_edge": {"numpy", "cv2", "rich", "typer", *HEAVY},
    "run('--help'); run('--version'); run(); run('embedd')": {"numpy", "cv2", *HEAVY},
    "from pamtri_edge import Reidentifier": HEAVY,
    "run('doctor', '--help')": HEAVY,
    "run('-v', 'train', 'pose', '--help')": HEAVY,
    "for name, one in cli.COMMANDS.items(): one.load(name)": HEAVY,
    "import pamtri_edge.runtime.tensorrt.backend": HEAVY,
    "import pamtri_edge.export.cli": HEAVY,
    "import pamtri_edge.bundle, pamtri_edge.ops, pamtri_edge.events, pamtri_edge.tracks": HEAVY,
    "import pamtri_edge.doctor": HEAVY,
}
"""What is done one after the other, and which packages are not loaded then."""

SCRIPT = """
import json, sys
from contextlib import suppress
def run(*arguments):
    sys.argv = ["pamtri", *arguments]
    with suppress(SystemExit):
        from pamtri_edge import cli
        cli.main()
for step in {steps}:
    exec(step)
    print(json.dumps([step, *sys.modules]), file=sys.stderr)
    from pamtri_edge import cli
"""


@pytest.fixture(scope="module")
def loaded():
    """Return the modules that are loaded after each step, in a fresh interpreter."""
    command = [sys.executable, "-c", SCRIPT.format(steps=list(STEPS))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("[")]
    return {step: set(names) for step, *names in lines}


@pytest.mark.parametrize("step", STEPS)
def test_what_costs_time_to_import_is_not_imported(loaded, step):
    assert {name.partition(".")[0] for name in loaded[step]}.isdisjoint(STEPS[step])


def test_of_the_commands_only_the_one_that_runs_is_imported(loaded):
    places = {one.place.partition(":")[0] for one in cli.COMMANDS.values()}
    _, none, _, first, second, *_ = (places & names for names in loaded.values())
    assert (none, first) == (set(), {"pamtri_edge.cli.doctor"})
    assert second == {"pamtri_edge.cli.doctor", "pamtri_edge.cli.train"}


def test_a_name_that_does_not_exist_is_an_attribute_error():
    import pamtri_edge

    with pytest.raises(AttributeError, match="has no attribute 'Reidentifer'"):
        _ = pamtri_edge.Reidentifer


BASE_INSTALL = """
import json, sys
from contextlib import redirect_stderr
from io import StringIO
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())

from pamtri_edge import Reidentifier, cli, samples
from pamtri_edge.errors import MissingDependencyError
from pamtri_edge.export import cli as export_cli

said = {{}}
with Reidentifier.load(sys.argv[1]) as reid:
    said["embedded"] = reid.embed(samples.crops(3)).embeddings.shape[0]
try:
    Reidentifier.load(sys.argv[1], backend="torch")
except MissingDependencyError as error:
    said["torch"] = str(error)
sys.executable = "/bin/false"  # which the doctor asks for packages: this machine's are no base install's
for words, main in (["pamtri-export", "--model", "lite"], export_cli.main), (["pamtri", "doctor"], cli.main):
    sys.argv = words
    try:
        with redirect_stderr(StringIO()) as messages:
            main()
    except SystemExit as stop:
        said[sys.argv[0]] = [stop.code, messages.getvalue()]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def base_install(tiny_bundle):
    """Return what is said where nothing optional is installed."""
    command = [sys.executable, "-c", BASE_INSTALL.format(absent=sorted(OPTIONAL)), str(tiny_bundle)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_a_base_install_embeds_and_says_what_another_backend_takes(base_install):
    assert base_install["embedded"] == 3
    assert "pip install 'pamtri-edge[torch]'" in base_install["torch"]


def test_an_exporter_without_its_packages_says_what_to_install(base_install):
    code, messages = base_install["pamtri-export"]
    assert code == 1
    assert "Traceback" not in messages
    assert "pip install 'pamtri-edge[export]'" in messages


def test_the_doctor_runs_on_a_base_install(base_install):
    assert base_install["pamtri"][0] == 0, base_install["pamtri"][1]
