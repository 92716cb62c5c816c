from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skrynka.core.reasons import QuarantineReason
from skrynka.logs.sentences import say
from tests.support.log_lines import KYIV_IN_WINTER, NOON


@pytest.mark.parametrize(
    ("template", "fields", "sentence"),
    [
        ("{box}", {"box": "a"}, "a"),
        ("{box}", {}, "?"),
        ("box[ {box}]", {}, "box"),
        ("box[ {box}]", {"box": "a"}, "box a"),
        ("x[ {box} {kind}]", {"box": "a"}, "x"),
        ("{pages:# page}", {"pages": 1}, "1 page"),
        ("{pages:# page}", {"pages": 0}, "0 pages"),
        ("{boxes:# box|boxes}", {"boxes": 2}, "2 boxes"),
        ("x[, {reviews:+} for review]", {"reviews": 0}, "x"),
        ("x[, {reviews:+} for review]", {"reviews": 3}, "x, 3 for review"),
        ("x[: {reasons:+}]", {"reasons": ()}, "x"),
        ("{reasons}", {"reasons": ("a", "b")}, "a, b"),
        ("{claimed_at:clock}", {"claimed_at": NOON}, "14:00"),
        ("{claimed_at}", {"claimed_at": NOON}, "2025-11-21T12:00:30.250Z"),
        ("{seconds:s}", {"seconds": 0.42}, "0.4 s"),
        ("{seconds:s}", {"seconds": 90.5}, "90 s"),
        ("{free_bytes:size}", {"free_bytes": 999}, "999 bytes"),
        ("{free_bytes:size}", {"free_bytes": 1000}, "1.0 kB"),
        ("{free_bytes:size}", {"free_bytes": 2_500_000}, "2.5 MB"),
        ("{free_bytes:size}", {"free_bytes": 7_000_000_000_000}, "7000.0 GB"),
        ("{reason:why}", {"reason": "encrypted"}, QuarantineReason.ENCRYPTED.about.sentence),
        ("{reason:remedy}", {"reason": "encrypted"}, QuarantineReason.ENCRYPTED.about.remedy),
        ("{reason:why}", {"reason": "moonshine"}, "moonshine"),
        ("{page_account}", {"pages": 5, "document": 4, "blank": 1, "sheet": 0}, "5 pages = 4 document + 1 blank"),
        ("{page_account}", {"pages": 1, "quarantined": 1}, "1 page = 1 quarantined"),
        ("{page_account}", {"pages": 0}, "0 pages"),
        ("{page_account}", {"pages": 3}, "3 pages"),
        ("{page_account}", {"pages": 5, "document": 3}, "5 pages = 3 document + 2 unaccounted"),
        ("{page_account}", {"pages": 2, "document": 3}, "2 pages but 3 document"),
        ("x[: {page_account}]", {"document": 3}, "x"),
    ],
)
def test_a_sentence_says(template: str, fields: Mapping[str, Any], sentence: str) -> None:
    assert say(template, fields, KYIV_IN_WINTER) == sentence


def test_a_value_with_braces_or_brackets_is_shown_as_it_is() -> None:
    assert say("[{detail}]", {"detail": "{box} [x]", "box": "a"}, None) == "{box} [x]"
