"""What people are told about papers that the real daemon filed: cases, their documents, the quarantine."""

from __future__ import annotations

import io
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest

from tests.cli.conftest import Skrynka
from tests.support.drawn_sheets import SheetFields
from tests.support.scanner import CLEAN
from tests.support.scans import pdf_of, program_bytes
from tests.support.stacks import DrawnStack, Envelope, Paper, draw_stack
from tests.support.stations import Station, make_station
from tests.support.stored_documents import ids_in_pdf

pytestmark = pytest.mark.usefixtures("daemons_start_warm")

ACCOUNT, METER = "0012345678", "19054321"
NAME = "Приходько\x1b[2J\n.pdf"
"""A surname, and characters that would steer a terminal."""


def drawn() -> DrawnStack:
    """A complete case, one whose branch the papers tell, and one that nothing tells anything of."""
    told = SheetFields(serial="T000001", box="OBL-01", case_type="NUM", account=ACCOUNT, meters=(METER,))
    untold = SheetFields(serial="T000002", box="OBL-01", case_type="VER", providers=("KTE", "KVK"))
    envelopes = [
        Envelope((Paper("PASSPORT", declared=("PASSPORT",)), Paper("SEAL", declared=("SEAL",)),
                  Paper("PHOTO", declared=("PHOTO",))), told),
        Envelope((Paper("DISMANTLE", pages=2, declared=("DISMANTLE", "INSTALL")),), untold),
        Envelope((Paper("CERT"),), SheetFields(serial="T000003", box="OBL-01", case_type="VER"), look="torn"),
    ]  # fmt: skip
    return draw_stack(envelopes, np.random.default_rng(3), dpi=150, scanning=lambda _: CLEAN)


def enlarged(scan: bytes, by: int) -> bytes:
    """Put something useless into a PDF."""
    with pikepdf.open(io.BytesIO(scan)) as pdf:
        pdf.Root.Ballast = pdf.make_stream(b" " * by)
        saved = io.BytesIO()
        pdf.save(saved, compress_streams=False)
    return saved.getvalue()


@pytest.fixture(scope="module")
def filed_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Station, DrawnStack]:
    """A station with three cases and two scans in quarantine: one too large for its limit, one that is no scan."""
    station = make_station(tmp_path_factory.mktemp("filed") / "station", options={"LIMITS__SCAN_MEGABYTES": "5"})
    stack = drawn()
    station.drop(pdf_of(stack.scanned))
    station.once()
    station.drop(program_bytes(), NAME)
    station.drop(enlarged(pdf_of(stack.scanned[:2]), 6 << 20), "large.pdf")
    station.once()
    return station, stack


@pytest.fixture
def filed(filed_once: tuple[Station, DrawnStack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    """A copy of it for each test."""
    once, _ = filed_once
    shutil.copytree(once.folder, tmp_path / "station", symlinks=True)
    config = tmp_path / "station" / "skrynka.toml"
    config.write_text(config.read_text().replace(str(once.folder), str(tmp_path / "station")), encoding="utf-8")
    monkeypatch.setenv("SKRYNKA_CONFIG", str(config))
    return Station(tmp_path / "station", f"sqlite:///{tmp_path / 'station' / 'skrynka.db'}", dict(once.environment))


@pytest.fixture
def filed_skrynka(skrynka: Skrynka, filed: Station) -> Skrynka:
    """The command, with that station named in the environment."""
    assert filed.folder.exists()
    return skrynka


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [int(each["number"].rpartition("/")[2]) for each in found]


def case(skrynka: Skrynka, ordinal: int) -> dict[str, Any]:
    number = skrynka("cases", "list", "--json").json[ordinal - 1]["number"]
    found: dict[str, Any] = skrynka("cases", "show", number, "--json").json
    return found


def test_every_case_is_listed_with_what_is_known_of_it(filed_skrynka: Skrynka) -> None:
    complete, incomplete, held = filed_skrynka("cases", "list", "--json").json
    assert (complete["completeness"], complete["missing"], complete["needs_review"]) == ("complete", [], False)
    assert (incomplete["branch"], incomplete["branch_source"]) == ("DIS", "inferred")
    assert incomplete["providers"] == ["KTE", "KVK"]
    assert incomplete["missing"] == [{"branch": "DIS", "sets": [["CERT", "SEAL", "UNSEAL", "PHOTO"]]}]
    assert (held["held"], held["review"], held["case_type"]) == (True, ["sheet_unreadable"], None)
    table = filed_skrynka("cases", "list").out.splitlines()
    assert table[2].split() == [incomplete["number"], incomplete["received_on"], "VER/DIS", "incomplete", "3", "-"]
    assert table[3].endswith("held, sheet_unreadable")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--review"], [3]),
        (["--incomplete"], [2]),
        (["--type", "NUM"], [1]),
        (["--box", "OBL-01"], [1, 2, 3]),
        (["--box", "OBL-02"], []),
        (["--since", "2020-01-01"], [1, 2, 3]),
        (["--since", "2999-01-01"], []),
        (["--limit", "2"], [2, 3]),
        (["--limit", "0"], [1, 2, 3]),
    ],
)
def test_the_list_is_narrowed_as_asked(words: list[str], shown: list[int], filed_skrynka: Skrynka) -> None:
    assert numbers(filed_skrynka("cases", "list", *words, "--json").json) == shown


def test_a_case_is_shown_with_its_papers_and_where_they_came_from(filed_skrynka: Skrynka) -> None:
    found = case(filed_skrynka, 2)
    assert [(paper["kinds"], [page["page"] for page in paper["pages"]]) for paper in found["papers"]] == [
        (["COVER"], [8]),
        (["DISMANTLE", "INSTALL"], [10, 11]),
    ]
    assert {page["scan"] for paper in found["papers"] for page in paper["pages"]} == {"ST-1"}
    shown = filed_skrynka("cases", "show", found["number"]).out
    assert "ST-1: 10–11" in shown
    assert "if it is DIS: CERT + SEAL + UNSEAL + PHOTO" in shown
    assert [each["event"] for each in found["history"]].count("case_recorded") == 1


def test_a_case_is_found_by_its_id_too(filed_skrynka: Skrynka) -> None:
    found = case(filed_skrynka, 1)
    assert filed_skrynka("cases", "show", found["id"], "--json").json == found


def test_what_is_private_is_shown_to_who_asks_for_the_case_and_in_no_list(filed_skrynka: Skrynka) -> None:
    found = case(filed_skrynka, 1)
    assert (found["account"], found["meters"]) == (ACCOUNT, [METER])
    shown = filed_skrynka("cases", "show", found["number"]).out
    assert ACCOUNT in shown
    assert METER in shown
    listed = filed_skrynka("cases", "list", "--json").out + filed_skrynka("cases", "list").out
    assert ACCOUNT not in listed
    assert METER not in listed


def test_why_a_person_must_look_is_a_sentence(filed_skrynka: Skrynka) -> None:
    held = case(filed_skrynka, 3)
    (review,) = held["reviews"]
    shown = filed_skrynka("cases", "show", held["number"]).out
    assert f"sheet_unreadable: {review['sentence']} (ST-1, page {review['page']})" in shown


def test_a_case_that_is_not_there_is_wrong_usage(filed_skrynka: Skrynka) -> None:
    assert filed_skrynka("cases", "show", "OBL-01/1999/000001").code == 2
    assert filed_skrynka("documents", "export", "OBL-01/1999/000001", "out").code == 2


def test_documents_are_exported_whole_under_names_that_tell_nothing(
    filed_skrynka: Skrynka, tmp_path: Path, filed_once: tuple[Station, DrawnStack]
) -> None:
    found = case(filed_skrynka, 2)
    told = filed_skrynka("documents", "export", found["number"], tmp_path / "out")
    assert told.code == 0
    year = found["number"].split("/")[1]
    names = [f"OBL-01-{year}-000002-1-COVER.pdf", f"OBL-01-{year}-000002-2-DISMANTLE+INSTALL.pdf"]
    assert told.out.splitlines() == [str(tmp_path / "out" / name) for name in names]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()} == {0o640}
    _, stack = filed_once
    ids = [page_id for name in names for page_id in ids_in_pdf(tmp_path / "out" / name)]
    assert ids == stack.cases[1].page_ids


def test_an_export_writes_over_nothing_unless_forced(filed_skrynka: Skrynka, tmp_path: Path) -> None:
    number = case(filed_skrynka, 2)["number"]
    first, second = filed_skrynka("documents", "export", number, tmp_path).out.splitlines()
    Path(first).unlink()
    Path(second).write_bytes(b"mine")
    assert filed_skrynka("documents", "export", number, tmp_path).code == 2
    assert not Path(first).exists()
    assert Path(second).read_bytes() == b"mine"
    assert filed_skrynka("documents", "export", number, tmp_path, "--force").code == 0
    assert Path(second).read_bytes().startswith(b"%PDF")


def test_a_document_that_changed_in_the_archive_is_never_exported(
    filed_skrynka: Skrynka, filed: Station, tmp_path: Path
) -> None:
    found = case(filed_skrynka, 2)
    sha256 = found["papers"][1]["sha256"]
    stored = filed.archive / "documents" / sha256[:2] / f"{sha256}.pdf"
    stored.chmod(0o640)
    stored.write_bytes(stored.read_bytes().replace(b"%PDF", b"%FDP", 1))
    told = filed_skrynka("documents", "export", found["number"], tmp_path / "out")
    assert told.code == 3
    assert "isn't what was stored" in told.err
    assert [path.name[-11:] for path in (tmp_path / "out").iterdir()] == ["1-COVER.pdf"]


def test_the_quarantine_says_why_and_whether_to_try_again(filed_skrynka: Skrynka) -> None:
    no_scan, large = filed_skrynka("quarantine", "list", "--json").json
    assert (no_scan["scan"], no_scan["reason"], no_scan["retry_can_help"]) == ("ST-2", "unsupported", False)
    assert (large["scan"], large["reason"], large["retry_can_help"]) == ("ST-3", "too_large", True)
    table = filed_skrynka("quarantine", "list").out
    assert "won't help" in table
    assert "may help" in table
    assert "Приходько" not in table


def test_a_scan_in_quarantine_is_shown_with_its_original_and_no_control_characters(
    filed_skrynka: Skrynka, filed: Station
) -> None:
    found = filed_skrynka("quarantine", "show", "ST-2", "--json").json
    assert Path(found["original"]).read_bytes() == program_bytes()
    assert Path(found["original"]).is_relative_to(filed.archive)
    assert found["original_name"] == r"Приходько\x1b[2J\n.pdf"
    shown = filed_skrynka("quarantine", "show", found["id"]).out
    assert r"Приходько\x1b[2J\n.pdf" in shown
    assert "\x1b" not in shown
    assert found["remedy"] in shown
    assert "the file's" in shown


@pytest.mark.parametrize("name", ["ST-1", "ST-99", "nonsense"])
def test_a_scan_that_is_not_in_quarantine_is_wrong_usage(name: str, filed_skrynka: Skrynka) -> None:
    assert filed_skrynka("quarantine", "show", name).code == 2
    assert filed_skrynka("quarantine", "retry", name).code == 2


def test_what_to_retry_must_be_said(filed_skrynka: Skrynka) -> None:
    assert filed_skrynka("quarantine", "retry").code == 2
    assert filed_skrynka("quarantine", "retry", "ST-2", "--all").code == 2


def test_all_for_which_it_can_help_are_taken_again(filed_skrynka: Skrynka, filed: Station) -> None:
    told = filed_skrynka("quarantine", "retry", "--all")
    assert told.out.startswith("ST-3 is taken again.\n1 left")
    assert [path.name[:4] for path in (filed.archive / "quarantine").iterdir()] == ["ST-2"]
    assert filed_skrynka("status", "--json").json["scans"]["received"] == 1
    # The limit is raised, and the scan becomes a case.
    filed.environment["SKRYNKA_LIMITS__SCAN_MEGABYTES"] = "50"
    filed.once()
    assert filed_skrynka("cases", "list", "--json").json[-1]["case_type"] == "NUM"
    assert [each["scan"] for each in filed_skrynka("quarantine", "list", "--json").json] == ["ST-2"]


def test_a_scan_for_which_it_cannot_help_is_tried_when_it_is_named(filed_skrynka: Skrynka, filed: Station) -> None:
    assert "ST-2 is taken again (though unsupported" in filed_skrynka("quarantine", "retry", "ST-2").out
    filed.once()
    assert len(filed_skrynka("quarantine", "list", "--json").json) == 2
    assert len(list((filed.archive / "quarantine").iterdir())) == 2


def test_the_status_counts_what_there_is(filed_skrynka: Skrynka) -> None:
    told = filed_skrynka("status", "--json").json
    assert told["scans"] == {"received": 0, "reading": 0, "read": 0, "filed": 1, "quarantined": 2, "duplicate": 0}
    assert told["stacks"] == {"open": 0, "closed": 0, "planned": 0, "filed": 1, "quarantined": 0}
    assert told["cases"] == {"all": 3, "for_review": 1}
    (box,) = told["boxes"]
    assert (box["code"], box["last_scan"], box["open_stack"]) == ("OBL-01", "ST-3", None)
    shown = filed_skrynka("status").out
    assert "1 filed, 2 quarantined" in shown
    assert "3, 1 for review" in shown
    assert "2 scans (skrynka quarantine list)" in shown
