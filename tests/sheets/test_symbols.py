from __future__ import annotations

import pytest

from skrynka.core import mark
from skrynka.core.errors import ConfigurationError
from skrynka.core.routing_code import compose, compose_short
from skrynka.sheets import symbols
from tests.sheets.examples import CODES, PERSONAL

SHORT = compose_short(CODES["case"])
LONGEST = "SKR1/C/" + "A" * 490
"""About what the grammar's maxima add up to: eight providers and eight meters among them."""


@pytest.mark.parametrize("text", [*(compose(code) for code in CODES.values()), LONGEST])
def test_modules_are_large_enough_however_long_the_text(text: str) -> None:
    drawn = symbols.draw(text, SHORT)
    assert drawn.qr.module >= 0.8
    assert drawn.qr.quiet == pytest.approx(4 * drawn.qr.module)
    assert drawn.qr.width >= symbols.QR_SIDE_MM - 1e-9
    assert drawn.middle >= 35
    assert drawn.linear.module >= 0.4


def test_mark_code_and_what_stands_between_fill_the_width_between_the_margins() -> None:
    drawn = symbols.draw(compose(CODES["case"]), SHORT)
    beside = 42 + symbols.GAP_MM + drawn.middle + symbols.GAP_MM + drawn.qr.quiet + drawn.qr.width
    assert 15 + beside + 15 == pytest.approx(210)
    assert 2 * mark.RADIUS_MM == 42
    assert symbols.GAP_MM >= 5


def test_what_people_read_gives_way_to_a_long_text() -> None:
    usual = symbols.draw(compose(CODES["case"]), SHORT)
    longest = symbols.draw(LONGEST, SHORT)
    assert 35 <= longest.middle < usual.middle


def test_a_personalised_sheet_with_three_meters_needs_no_larger_square() -> None:
    assert symbols.draw(compose(PERSONAL), SHORT).qr.width == pytest.approx(symbols.QR_SIDE_MM)


def test_the_linear_code_and_its_quiet_zones_fit_between_the_margins() -> None:
    for code in CODES.values():
        drawn = symbols.draw(compose(code), compose_short(code))
        assert drawn.linear.width + 2 * drawn.linear.quiet <= 180 + 1e-9
        assert drawn.linear.height >= 12


@pytest.mark.parametrize(("text", "short"), [("A" * 1600, SHORT), (compose(CODES["case"]), "SKR1/C/S:" + "Q" * 40)])
def test_a_text_too_long_to_be_printed_large_is_refused(text: str, short: str) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        symbols.draw(text, short)
