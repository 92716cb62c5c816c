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
    assert drawn.band >= 80
    assert drawn.linear.module >= 0.4


def test_band_code_and_gap_fill_the_width_between_the_margins() -> None:
    drawn = symbols.draw(compose(CODES["case"]), SHORT)
    assert 15 + drawn.band + symbols.BAND_GAP_MM + drawn.qr.quiet + drawn.qr.width + 15 == pytest.approx(210)
    assert symbols.BAND_GAP_MM >= 5


def test_the_mark_gives_way_to_a_long_text_and_stays_long_enough() -> None:
    usual = symbols.draw(compose(CODES["case"]), SHORT)
    longest = symbols.draw(LONGEST, SHORT)
    assert 80 <= longest.band < usual.band
    assert longest.band > mark.SHORTEST_RUN_MM


def test_a_personalised_sheet_with_three_meters_needs_no_larger_square() -> None:
    assert symbols.draw(compose(PERSONAL), SHORT).qr.width == pytest.approx(symbols.QR_SIDE_MM)


def test_the_linear_codes_quiet_zone_fits_the_gap() -> None:
    for code in CODES.values():
        drawn = symbols.draw(compose(code), compose_short(code))
        assert drawn.linear.width <= drawn.band + 1e-9
        assert drawn.linear.quiet <= symbols.BAND_GAP_MM
        assert drawn.linear.height >= 12


@pytest.mark.parametrize(("text", "short"), [("A" * 1600, SHORT), (compose(CODES["case"]), "SKR1/C/S:" + "Q" * 40)])
def test_a_text_too_long_to_be_printed_large_is_refused(text: str, short: str) -> None:
    with pytest.raises(ConfigurationError, match="too long"):
        symbols.draw(text, short)


def test_bars_of_the_mark_are_four_and_fill_the_band() -> None:
    bars = symbols.mark_bars()
    assert bars == [(0, 4), (6, 2), (10, 2), (14, 4)]
