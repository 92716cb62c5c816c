"""A case type that nobody has heard of, by configuration alone: from the printed sheet to what the case lacks."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pdf2image import convert_from_path

from tests.support.oracle import query
from tests.support.papers import paper
from tests.support.scanner import OFFICE, EncodedPage, scan
from tests.support.scans import pdf_of
from tests.support.stations import COMMAND, Station
from tests.support.typeset import Picture

DPI = 150
CONFIGURATION = """
[[kind]]
code = "CONTRACT"
uk = "договір на заміну лічильника"
en = "replacement contract"

[[kind]]
code = "INVOICE"
uk = "рахунок майстра"
en = "fitter's invoice"

[[kind]]
code = "ORDER"
uk = "наряд постачальника"
en = "provider's work order"

[[provider]]
code = "GAZ"
uk = "АТ «Київгаз»"
en = "Kyivgaz (gas)"

[[case_type]]
code = "REP"
uk = "заміна лічильника"
en = "meter replaced"
requires = { all = ["CONTRACT", { any = ["PASSPORT", "CERT"] }] }

[[case_type.branch]]
code = "OWN"
uk = "майстер споживача"
en = "by the consumer's fitter"
requires = { all = ["INVOICE", "SEAL"] }
evidence = ["INVOICE"]

[[case_type.branch]]
code = "PRO"
uk = "майстер постачальника"
en = "by the provider's fitter"
requires = { all = ["ORDER", "SEAL"] }
evidence = ["ORDER"]

[[case_type.provider]]
code = "GAZ"
requires = "CONTRACT"
branches.PRO = "SEAL"
"""


@dataclass(frozen=True, slots=True)
class Filed:
    """A station that knows the new type, the sheet that it printed, and the cases that it filed, in order."""

    station: Station
    words: str
    """On the case sheet."""
    cases: list[dict[str, Any]]


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    folder = tmp_path_factory.mktemp("new") / "station"
    subprocess.run([*COMMAND, "init", folder], check=True, capture_output=True, timeout=60)
    with (folder / "case_types.toml").open("a", encoding="utf-8") as file:
        file.write(CONFIGURATION)
    quick = {"SKRYNKA_INTAKE__QUIET_SECONDS": "0.3", "SKRYNKA_INTAKE__SWEEP_SECONDS": "0.5"}
    station = Station(folder, f"sqlite:///{folder / 'skrynka.db'}", quick)
    sheets = {
        "case": _printed(station, "case", "--type", "REP", "--box", "OBL-01", "--copies", "3"),
        "gaz": _printed(station, "case", "--type", "REP", "--branch", "PRO", "--provider", "GAZ"),
        **{
            kind: _printed(station, "document", "--kind", kind, "--copies", "3")
            for kind in ("CONTRACT", "INVOICE", "SEAL", "CERT")
        },
    }
    submissions = (
        ("case", "CONTRACT", "CERT", "INVOICE", "SEAL"),
        ("case", "CONTRACT", "INVOICE"),
        ("case", "SEAL"),
        ("gaz", "CONTRACT", "SEAL"),
    )
    station.drop(_scanned(submissions, sheets))
    station.once()
    cases = json.loads(station.run("cases", "list", "--json").stdout)
    words = subprocess.run(["pdftotext", folder / "case-0.pdf", "-"], check=True, capture_output=True, text=True)
    return Filed(station, words.stdout, cases)


def test_its_sheet_lists_its_papers_for_people(filed: Filed) -> None:
    told = " ".join(filed.words.split()).lower()
    for words in ("заміна лічильника", "договір на заміну лічильника", "рахунок майстра", "акт опломбування"):
        assert words in told


def test_each_submission_is_a_case_of_the_new_type(filed: Filed) -> None:
    assert [(case["case_type"], case["review"]) for case in filed.cases] == [("REP", [])] * 4


def test_it_is_complete_when_all_is_there_and_its_branch_is_told_by_evidence(filed: Filed) -> None:
    case = filed.cases[0]
    assert (case["completeness"], case["missing"]) == ("complete", [])
    assert (case["branch"], case["branch_source"]) == ("OWN", "inferred")


def test_it_is_incomplete_with_the_shortest_ways_to_complete_it(filed: Filed) -> None:
    case = filed.cases[1]
    assert (case["completeness"], case["branch"]) == ("incomplete", "OWN")
    (lack,) = case["missing"]
    assert lack["branch"] == "OWN"
    assert sorted(map(sorted, lack["sets"])) == [["CERT", "SEAL"], ["PASSPORT", "SEAL"]]


def test_without_evidence_of_a_branch_each_branch_says_what_it_lacks(filed: Filed) -> None:
    case = filed.cases[2]
    assert (case["completeness"], case["branch"]) == ("incomplete", None)
    lacks = {lack["branch"]: sorted(map(sorted, lack["sets"])) for lack in case["missing"]}
    assert lacks == {
        "OWN": [["CERT", "CONTRACT", "INVOICE"], ["CONTRACT", "INVOICE", "PASSPORT"]],
        "PRO": [["CERT", "CONTRACT", "ORDER"], ["CONTRACT", "ORDER", "PASSPORT"]],
    }


def test_a_new_provider_may_ask_for_less(filed: Filed) -> None:
    case = filed.cases[3]
    assert (case["providers"], case["branch"], case["branch_source"]) == (["GAZ"], "PRO", "declared")
    assert case["completeness"] == "complete"


def test_the_database_and_the_command_say_the_same(filed: Filed) -> None:
    rows = query(filed.station.database, 'SELECT number, case_type, completeness FROM "case" ORDER BY number')
    assert [(row["number"], row["case_type"], row["completeness"]) for row in rows] == [
        (case["number"], case["case_type"], case["completeness"]) for case in filed.cases
    ]
    shown = json.loads(filed.station.run("cases", "show", filed.cases[1]["number"], "--json").stdout)
    assert [paper["kinds"] for paper in shown["papers"]] == [["COVER"], ["CONTRACT"], ["INVOICE"]]
    assert shown["missing"] == filed.cases[1]["missing"]
    told = filed.station.run("cases", "show", filed.cases[1]["number"]).stdout
    assert "incomplete" in told
    assert "CERT + SEAL" in told or "SEAL + CERT" in told


def _printed(station: Station, kind: str, *words: str) -> list[Picture]:
    """Print sheets with the command, and draw the PDF to pixels: what a scanner would see."""
    path = station.folder / f"{kind}-{len(list(station.folder.glob(f'{kind}-*.pdf')))}.pdf"
    station.run("sheets", kind, *words, "--output", str(path))
    return [np.asarray(page) for page in convert_from_path(path, dpi=DPI, grayscale=True)]


def _scanned(submissions: tuple[tuple[str, ...], ...], sheets: dict[str, list[Picture]]) -> bytes:
    rng = np.random.default_rng(12)
    pages: list[EncodedPage] = []
    for sheet, *kinds in submissions:
        pages.append(scan(sheets[sheet].pop(0), DPI, OFFICE, rng))
        for kind in kinds:
            pages.append(scan(sheets[kind].pop(0), DPI, OFFICE, rng))
            drawn = kind if kind in {"SEAL", "CERT"} else "APPLICATION"
            pages.append(scan(paper(drawn, len(pages), rng, DPI), DPI, OFFICE, rng))
    return pdf_of(pages)
