# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The elements of an XML file of tracks, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from pamtri_edge.errors import SourceError
from pamtri_edge.files.regular import open_regular

_CHUNK: Final = 2**16


def parse_elements(
    path: Path,
    start: Callable[[str, dict[str, str], int], None],
    end: Callable[[str, int], None],
    *,
    form: str,
) -> None:
    """Read an XML file without holding it in memory.

    Args:
        path: the file.
        start: is told name, attributes and line of each element that begins.
        end: is told name and line of each element that ends.
        form: what is expected, for messages.

    Raises:
        SourceError: it is no XML, or one with a document type: entities of its own could grow without end.
    """
    parser = expat.ParserCreate()

    def doctype(name: str, *_: Any) -> None:
        if name.casefold() == "html":
            raise SourceError(f"{path} is a web page, perhaps of a failed download; {form}.")
        raise SourceError(f"{path} has a document type (DTD); {form}, without one.")

    parser.StartElementHandler = lambda name, attributes: start(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = lambda name: end(name, parser.CurrentLineNumber)
    parser.StartDoctypeDeclHandler = doctype
    try:
        with open_regular(path, error=SourceError) as file:
            while block := file.read(_CHUNK):
                parser.Parse(block, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise SourceError(f"{path}:{error.lineno} is no XML ({expat.ErrorString(error.code)}).") from None
    except (LookupError, ValueError) as error:  # an encoding that Python does not know
        raise SourceError(f"{path} cannot be read as XML ({error}).") from None
