# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The machine under examination: where its files, packages and programs are looked for."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pamtri_edge.libcuda import LIBCUDA


@dataclass(frozen=True)
class Machine:
    """Where to look. The defaults are this machine and this Python; tests build others.

    Attributes:
        root: the folder that holds /etc, /proc, /opt and /sys.
        libcuda: the driver's library, a name for the loader or a path.
        python: the interpreter that risky imports are tried in.
        import_path: where that interpreter looks for packages.
        environ: environment variables of the programs that are started.
        timeout: seconds that one probe may take.
    """

    root: Path = Path("/")
    libcuda: str = LIBCUDA
    python: str = sys.executable
    import_path: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    timeout: float = 30.0

    def read(self, path: str) -> str | None:
        """Return the text of a file of this machine, or None where it cannot be read."""
        try:
            return self.at(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def at(self, path: str) -> Path:
        """Return where a file of this machine lies."""
        return self.root / path.lstrip("/")

    def which(self, program: str) -> str | None:
        """Return the path of a program, or None."""
        return shutil.which(program, path=self.environ.get("PATH", os.defpath))

    def module(self, name: str) -> Path | None:
        """Return the file of a top-level Python module without importing it, or None."""
        spec = importlib.machinery.PathFinder.find_spec(name, list(self.import_path))
        if spec is None:
            return None
        if spec.origin is not None:
            return Path(spec.origin)
        return Path(next(iter(spec.submodule_search_locations or [name])))

    def package(self, name: str) -> str | None:
        """Return the version of an installed Python distribution without importing it, or None."""
        # Entries that are no folders (zips, the empty string) are valid on an import path; keep them.
        found = importlib.metadata.distributions(name=name, path=list(self.import_path))
        return next((distribution.version for distribution in found), None)
