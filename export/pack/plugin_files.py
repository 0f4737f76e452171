# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a pack brings for DeepStream to load: sources, and libraries where they can be built."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from pamtri_edge.export.pack.sources import DEEPSTREAM
from pamtri_edge.manifest import Manifest
from pamtri_edge.nvinfer import SECONDARY_ID

FOLDER: Final = "plugin"
PARSER: Final = f"{FOLDER}/libnvdsinfer_pamtri.so"
POSTPROCESS: Final = f"{FOLDER}/libnvds_pamtri_postprocess.so"
SETTINGS: Final = "postprocess.txt"
PLACE_VARIABLE: Final = "PAMTRI_DEEPSTREAM"
"""The environment variable that names another folder of DeepStream."""

_SOURCES: Final = Path(__file__).with_name(FOLDER)
_ENDINGS: Final = (".cpp", ".hpp", ".h")
_PATIENCE_S: Final = 600


def write_plugin(folder: Path) -> bool:
    """Write the sources into a pack, and build them where DeepStream and a compiler are.

    Args:
        folder: the pack's.

    Returns:
        Whether the libraries are there.

    Raises:
        OSError: it cannot be written.
    """
    place = folder / FOLDER
    place.mkdir()
    for source in sorted(_SOURCES.iterdir()):
        if source.suffix in _ENDINGS or source.name == "Makefile":
            shutil.copyfile(source, place / source.name)
    deepstream = os.environ.get(PLACE_VARIABLE, DEEPSTREAM)
    if not Path(deepstream).is_dir() or shutil.which("make") is None:
        return False
    try:
        done = subprocess.run(
            ["make", "-C", str(place), "-j2", f"DEEPSTREAM={deepstream}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        done = None
    for left in place.glob("*.o"):
        left.unlink()
    built = [folder / PARSER, folder / POSTPROCESS]
    if done is not None and done.returncode == 0 and all(path.is_file() for path in built):
        return True
    for path in built:
        path.unlink(missing_ok=True)
    return False


def settings(manifest: Manifest) -> str:
    """Return the file of the library behind nvdspostprocess."""
    names = "".join(
        f"{key}={';'.join(words)}\n"
        for key, words in (("colors", manifest.colors), ("types", manifest.types))
        if words
    )
    return f"""\
# What plugin/libnvds_pamtri_postprocess.so attaches behind the secondary engine; see README.md.
[pamtri]
gie-unique-id={SECONDARY_ID}
{names}embedding-space={manifest.embedding_space}
bundle={manifest.name}
# the tracker's own embedding of a vehicle: replace it by ours, keep it, or off: ours is not added
reid-meta=replace
# color and type behind the text on the screen
text=1
# messages for nvmsgconv: one a vehicle every so many frames; 0: none
message-interval=30
"""
