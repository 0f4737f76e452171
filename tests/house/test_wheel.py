# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The wheel: only the package, all of it, and working from any folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


PLUGIN = "pamtri_edge/export/pack/plugin/"


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    pytest.importorskip("scikit_build_core", reason="building a wheel here needs the dev dependency group")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    # In the folder of the editable install, where the modules lie compiled; what differs is built there anew.
    command += ["--wheel-dir", str(folder), str(root)]
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    built = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel unpacked, as an installer does it."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def names(wheel):
    return set(zipfile.ZipFile(wheel).namelist())


def test_it_holds_the_package_and_nothing_else(names):
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"pamtri_edge"}
    assert "pamtri_edge/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".o")]
    assert not [name for name in names if name.endswith(".cpp") and not name.startswith(PLUGIN)]


def test_it_holds_the_sources_that_a_pack_for_deepstream_brings(names, root):
    assert {name for name in names if name.startswith(PLUGIN)} == {
        f"{PLUGIN}{path.name}" for path in (root / "export" / "pack" / "plugin").iterdir()
    }


def test_it_holds_the_sources_that_the_gpus_compiler_reads_and_no_others(names, root):
    held = {name for name in names if name.startswith("pamtri_edge/_kernels/")}
    read = [*root.glob("kernels/include/pamtri/*.hpp"), *root.glob("kernels/cuda/*.cu*")]
    read = [path for path in read if path.stem != "launch"]
    assert held == {f"pamtri_edge/_{path.relative_to(root)}" for path in read}


def test_it_holds_every_module_export_included(names, modules):
    for name, path in modules.items():
        base = name.replace(".", "/")
        assert (f"{base}/__init__.py" if path.name == "__init__.py" else f"{base}.py") in names
    for module in ("_core", "_native", "_render", "_sinks"):
        assert any(name.startswith(f"pamtri_edge/{module}.") and name.endswith(".so") for name in names)


def test_it_holds_real_files_where_the_repository_has_links(wheel):
    for entry in zipfile.ZipFile(wheel).infolist():
        assert (entry.external_attr >> 16) & 0o170000 != 0o120000, entry.filename


def python(code, *, folder, installed):
    """Return what Python prints that is started in a folder, with the wheel and what it needs installed."""
    # -S keeps out site-packages' start-up files, so that the editable install does not answer instead.
    packages = [str(installed), *(p for p in sys.path if p.endswith("-packages"))]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(packages)}
    command = [sys.executable, "-S", "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


@pytest.fixture
def sources(root, tmp_path):
    """Return a folder with the package's sources, never built."""
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "weights")
    shutil.copytree(root / "pamtri_edge", tmp_path / "pamtri_edge", ignore=ignored)
    return tmp_path


def test_an_installed_copy_with_its_compiled_operations_serves_a_python_that_is_started_in_the_checkout(
    installed, sources
):
    code = "import pamtri_edge.export, pamtri_edge.ops as ops\n"
    code += "print(pamtri_edge.export.__file__, ops.__file__, ops.implementation())"
    package = installed / "pamtri_edge"
    expected = [package / "export" / "__init__.py", package / "ops" / "__init__.py", "native"]
    assert python(code, folder=sources, installed=installed) == list(map(str, expected))


@pytest.mark.parametrize("module", ["vehicle", "sinks.transport"])
def test_sources_that_were_never_built_say_what_to_do(sources, module):
    code = f"import sys; sys.path[:0] = ['.']; import pamtri_edge.{module}"
    command = [sys.executable, "-I", "-S", "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, cwd=sources, check=False)
    assert "pip install . in its checkout, or make test" in found.stderr.splitlines()[-1]


def test_it_declares_its_two_commands(installed):
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    lines = entry_points.read_text().splitlines()
    declared = {line.replace(" ", "") for line in lines}
    assert declared >= {"pamtri=pamtri_edge.cli:main", "pamtri-export=pamtri_edge.export.cli:main"}
