"""The same page scanned again has nearly the same fingerprint; another page has another."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from skrynka.steps.fingerprints import fingerprint
from tests.support import papers
from tests.support.scanner import Encoding, Scanning, scan
from tests.support.typeset import Picture, grey

SAME = 8
"""Bits of 64 that differ between two scans of one page, at most."""


def test_it_is_sixteen_lower_case_hexadecimal_digits() -> None:
    for picture in (np.zeros((3, 2), np.uint8), np.full((100, 80), 255, np.uint8), papers.blank_paper(75)):
        assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(picture))


@pytest.mark.parametrize("kind", papers.KINDS)
def test_resolution_changes_hardly_a_bit(kind: str) -> None:
    small, large = (papers.paper(kind, 1, np.random.default_rng(8), dpi) for dpi in (150, 300))
    if kind == "PHOTO":  # is drawn anew in each size
        large = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)

    assert _apart(fingerprint(small), fingerprint(large)) <= SAME


@pytest.mark.parametrize("kind", papers.KINDS)
@pytest.mark.parametrize(
    "scanning",
    [
        Scanning(noise=8, quality=40),
        Scanning(brightness=0.85, contrast=0.8),
        Scanning(skew=0.3, noise=4),
        Scanning(blur=1.5),
        Scanning(edge_shadow=0.15),
        Scanning(encoding=Encoding.DEFLATE, grime=0.0005),
    ],
    ids=["noise", "brightness", "skew", "blur", "shadow", "grime"],
)
def test_the_same_page_scanned_again_differs_in_few_bits(kind: str, scanning: Scanning) -> None:
    page = papers.paper(kind, 1, np.random.default_rng(8), 150)

    assert _apart(fingerprint(page), fingerprint(_scanned(page, scanning))) <= SAME


def test_papers_that_look_different_differ_in_many_bits() -> None:
    kinds = ("CERT", "PROTOCOL", "WORKS", "PASSPORT", "APPLICATION", "BILL", "PHOTO")
    prints = [fingerprint(papers.paper(kind, 1, np.random.default_rng(8), 150)) for kind in kinds]

    assert min(_apart(one, other) for one, other in itertools.combinations(prints, 2)) > SAME


def test_a_page_upside_down_has_another_fingerprint() -> None:
    page = papers.paper("BILL", 1, np.random.default_rng(8), 150)

    assert _apart(fingerprint(page), fingerprint(np.ascontiguousarray(page[::-1, ::-1]))) > SAME


def _scanned(page: Picture, scanning: Scanning) -> Picture:
    return grey(scan(page, 150, scanning, np.random.default_rng(9)).picture())


def _apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()
