from __future__ import annotations

import pytest

from skrynka.core.errors import ConfigurationError
from skrynka.store.boxes import Box, sync_boxes
from skrynka.store.database import Database
from tests.store.asking import active_boxes, events_after
from tests.store.samples import BOXES, received

NEW = Box("DNI-02", "Скринька 2", "Дніпро")


def _names(db: Database) -> list[str]:
    return [each.event.name for each in events_after(db)]


def test_the_configured_boxes_are_active(db: Database) -> None:
    assert active_boxes(db, "A") == list(BOXES)
    assert _names(db) == ["box_activated", "box_activated"]


def test_the_same_configuration_again_changes_nothing(db: Database) -> None:
    sync_boxes(db, "A", "Станція А", BOXES)
    assert _names(db) == ["box_activated", "box_activated"]


def test_a_box_that_isnt_configured_any_more_stays_with_its_scans(db: Database) -> None:
    received(db, 1)
    sync_boxes(db, "A", "Станція А", [NEW, BOXES[1]])
    assert active_boxes(db, "A") == [NEW, BOXES[1]]
    assert _names(db)[-2:] == ["box_deactivated", "box_activated"]
    sync_boxes(db, "A", "Станція А", BOXES)
    assert active_boxes(db, "A") == list(BOXES)


def test_names_are_kept_up_to_date(db: Database) -> None:
    renamed = Box("OBL-03", "Біля входу", "Оболонь")
    sync_boxes(db, "A", "Станція А", [renamed, BOXES[1]])
    assert active_boxes(db, "A") == [renamed, BOXES[1]]


def test_a_box_of_another_station_is_refused_until_that_one_lets_it_go(db: Database) -> None:
    with pytest.raises(ConfigurationError, match="OBL-03"):
        sync_boxes(db, "B", "Станція Б", [NEW, BOXES[0]])
    assert active_boxes(db, "B") == []
    sync_boxes(db, "A", "Станція А", [BOXES[1]])
    sync_boxes(db, "B", "Станція Б", [NEW, BOXES[0]])
    assert active_boxes(db, "B") == [NEW, BOXES[0]]
    assert active_boxes(db, "A") == [BOXES[1]]
