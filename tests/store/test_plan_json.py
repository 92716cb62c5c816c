from __future__ import annotations

import dataclasses

import pytest

from skrynka.core.errors import ConservationBroken
from skrynka.core.model import PageRef
from skrynka.store.plan_json import plan_from_json, plan_to_json
from tests.store.samples import judged_plan

PLAN = judged_plan([PageRef("s", number) for number in (1, 2, 3)])
BEFORE_SIGNATURES = """
{"plan": {
  "cases": [{
    "ordinal": 1,
    "documents": [
      {"kinds": ["COVER"], "pages": [{"scan_id": "s", "number": 1}]},
      {"kinds": ["UNSORTED", "CERT"], "pages": [{"scan_id": "s", "number": 2}]}],
    "reviews": [
      {"reason": "serial_repeated", "page": {"scan_id": "s", "number": 1}},
      {"reason": "always_reviewed", "page": null}],
    "held": false, "serial": "A000123", "case_type": "VER", "branch": null, "providers": ["KVK", "KTE"],
    "account": "00123456", "address_code": "ADR-77", "meter_serials": ["M-778899"]}],
  "pages": [
    {"ref": {"scan_id": "s", "number": 1}, "disposition": "sheet", "held": false, "case": 1, "document": 1,
     "page_in_document": 1},
    {"ref": {"scan_id": "s", "number": 2}, "disposition": "document", "held": false, "case": 1, "document": 2,
     "page_in_document": 1},
    {"ref": {"scan_id": "s", "number": 3}, "disposition": "blank", "held": false, "case": null, "document": null,
     "page_in_document": null}],
  "findings": [{"reason": "claim_gap", "page": {"scan_id": "s", "number": 3}}],
  "collection_serial": "B000001", "emptied_on": "2026-03-01", "counted": 2},
 "completeness": [{
   "state": "incomplete", "branch": "DIS", "branch_source": "inferred",
   "missing": [{"branch": "DIS", "sets": [["PHOTO"]]}], "reviews": []}]}
"""
"""As it was stored by the program that didn't verify signatures."""


def test_a_plan_that_an_earlier_program_stored_is_still_cut_by() -> None:
    assert plan_from_json(BEFORE_SIGNATURES) == PLAN


def test_what_verification_said_is_in_the_stored_plan() -> None:
    case = dataclasses.replace(PLAN.plan.cases[0], follows="OBL-03/2026/000001")
    judged = dataclasses.replace(PLAN, plan=dataclasses.replace(PLAN.plan, cases=(case,)))
    assert plan_from_json(plan_to_json(judged)) == judged


def test_what_is_no_plan_is_refused_without_a_word_of_it() -> None:
    with pytest.raises(ConservationBroken) as refused:
        plan_from_json(BEFORE_SIGNATURES.replace('"ordinal": 1', '"ordinal": "A000123"'))
    assert "A000123" not in str(refused.value)
