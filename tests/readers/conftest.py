"""What is ordered of reader processes, noted on the way to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from skrynka.readers import processes
from skrynka.readers.child import answers_of
from skrynka.readers.messages import Answer, ReadOrder


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[ReadOrder]:
    """What was ordered of reader processes."""
    given: list[ReadOrder] = []

    def noted(context: Any, order: ReadOrder, *others: Any) -> Iterator[Answer]:  # noqa: ANN401 - passed on
        given.append(order)
        return answers_of(context, order, *others)

    monkeypatch.setattr(processes, "answers_of", noted)
    return given
