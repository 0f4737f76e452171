# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The page of results is one whole file, and says which result it could not read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from page.sections import KINDS
from report import main
from saving import RESULTS

from pamtri_edge.errors import InputError


def kinds_at_hand() -> set[str]:
    return {path.name.partition("-")[0] for path in RESULTS.glob("*.json")} & set(KINDS)


def test_every_kind_of_result_has_its_section_and_nothing_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(RESULTS, tmp_path / "new" / "page.html")
    text = (tmp_path / "new" / "page.html").read_text()
    assert text.count("<section") == len(kinds_at_hand()) > 3
    assert text.count("<svg") >= len(kinds_at_hand())
    assert "left out" not in capsys.readouterr().err
    assert not re.search(r"<(script|link|img|iframe|object)\b|@import|url\(\s*['\"]?(?!#)", text)


def test_the_newest_file_of_a_kind_counts(tmp_path: Path) -> None:
    record = {"bundle": "b", "rows": [{"name": "older", "wall": 1, "cpu": 1, "target": None}]}
    (tmp_path / "startup-2026-01-01-000000.json").write_text(json.dumps(record))
    record["rows"][0]["name"] = "<newer>"  # type: ignore[index]
    (tmp_path / "startup-2026-01-02-000000.json").write_text(json.dumps(record))
    (tmp_path / "startup-notes.json").write_text("{}")
    main(tmp_path, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "older" not in text
    assert "&lt;newer&gt;" in text
    assert "startup-2026-01-02-000000.json, 2026-01-02" in text


@pytest.mark.parametrize("content", ["", "[]", '{"rows": 3}', '{"rows": [{}]}', "\x00", '{"bundle": 1}'])
def test_a_file_that_says_something_else_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    good = next(RESULTS.glob("memory-*.json"))
    shutil.copy(good, tmp_path)
    (tmp_path / "startup-2026-01-01-000000.json").write_text(content)
    main(tmp_path, tmp_path / "page.html")
    assert "startup-2026-01-01-000000.json" in capsys.readouterr().err.replace("\n", "")
    assert (tmp_path / "page.html").read_text().count("<section") == 1


def test_a_folder_without_results_says_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no result files; make some"):
        main(tmp_path, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
