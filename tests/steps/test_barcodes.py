"""Codes are read at any rotation, judged, told from their mirror images, and looked for harder where one must be."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest
import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from skrynka.core.errors import EnvironmentUnfit
from skrynka.core.model import Code, Engine, Standing, Symbology
from skrynka.steps.barcodes import Glance, glance, is_enough, judged, may_settle, read_codes
from skrynka.steps.barcodes.engines import Seen, zbar, zxing
from skrynka.steps.barcodes.qr_side import is_mirrored
from skrynka.steps.barcodes.softening import softened
from tests.support import ink, papers
from tests.support.drawn_sheets import SheetFields, back_of_sheet, full_sheet, linear_code, plain_sheet, qr, stickered
from tests.support.patterns import PATTERNS
from tests.support.routing_text import closed, short_text
from tests.support.scanner import Encoding, Scanning, degrade, scan
from tests.support.typeset import Picture, grey
from tests.support.typeset import pixels as pixels_of

DPI = 150
EVERY = frozenset(Symbology)
USUAL = frozenset({Symbology.QR, Symbology.CODE_128})
FIELDS = SheetFields("C", serial="A000123", box="OBL-03", case_type="VER", branch="DIS", providers=("KTE", "KVK"))
TEXT = FIELDS.text()
SHORT = short_text("C", "A000123")


class Full:
    """The page's own pixels, and whether they were asked for."""

    def __init__(self, pixels: Picture) -> None:
        self.pixels = pixels
        self.asked = False

    def __call__(self) -> Picture:
        """Give them."""
        self.asked = True
        return self.pixels


def _with_one_qr_code_covered(sheet: Picture) -> Picture:
    covered = sheet.copy()
    covered[: pixels_of(60, 75), pixels_of(140, 75) :] = 255
    return covered


def _read(
    pixels: Picture,
    symbologies: frozenset[Symbology] = USUAL,
    separators: frozenset[str] = frozenset(),
    *,
    foreign_text: bool = True,
    sign: bool = False,
    blank: bool = False,
    full: Callable[[], Picture] | None = None,
) -> tuple[Code, ...]:
    return read_codes(
        np.ascontiguousarray(pixels),
        DPI,
        symbologies,
        separators,
        foreign_text=foreign_text,
        sign=sign,
        blank=blank,
        full=full or Full(pixels),
    )


@pytest.mark.parametrize("turn", [0, 5, 90, 93, 180, 176, 270])
def test_a_sheets_three_codes_are_read_upside_down_and_skewed(turn: int) -> None:
    full = Full(papers.blank_paper(DPI))
    sheet = Image.fromarray(full_sheet(FIELDS, 1, DPI)).rotate(
        turn, Image.Resampling.BILINEAR, expand=True, fillcolor=255
    )

    codes = _read(np.asarray(sheet), sign=True, full=full)

    assert sorted((code.symbology, code.text) for code in codes) == [
        (Symbology.CODE_128, SHORT),
        (Symbology.QR, TEXT),
        (Symbology.QR, TEXT),
    ]
    assert all(code.standing is Standing.OWN and not code.mirrored for code in codes)
    assert not full.asked


@pytest.mark.parametrize("turn", range(17, 360, 31))
def test_a_sheets_qr_codes_are_read_at_any_rotation(turn: int) -> None:
    sheet = Image.fromarray(full_sheet(FIELDS, 1, DPI)).rotate(turn, Image.Resampling.BILINEAR, expand=True)

    squares = [code for code in _read(np.asarray(sheet), sign=True) if code.symbology is Symbology.QR]

    assert [(code.text, code.mirrored) for code in squares] == [(TEXT, False)] * 2


@pytest.mark.parametrize("turn", [18, 26, 34, 42])
def test_a_code_is_read_of_which_the_page_cuts_a_corner_off(turn: int) -> None:
    sheet = Image.fromarray(full_sheet(FIELDS, 1, DPI)).rotate(turn, Image.Resampling.BILINEAR, fillcolor=200)

    codes = [code for code in _read(np.asarray(sheet)) if code.symbology is Symbology.QR]

    assert {code.text for code in codes} == {TEXT}
    assert all(any(part < 0 or part > 1 for corner in code.corners for part in corner) for code in codes)


def test_corners_go_clockwise_from_the_codes_own_top_left() -> None:
    page = _on_paper(qr(TEXT, DPI), 30, 60)
    upright, turned = (_read(picture)[0].corners for picture in (page, np.rot90(page)))

    assert _is_near(upright[0], (30 + 0.9 * 4, 60 + 0.9 * 4), page.shape)
    assert upright[0][0] < upright[1][0]
    assert upright[1][1] < upright[2][1]
    # A quarter turn to the left: the code's own top is on the left.
    assert turned[0][1] > turned[1][1]
    assert turned[1][0] < turned[2][0]


@pytest.mark.parametrize("engine", [Engine.ZXING, Engine.ZBAR])
@pytest.mark.parametrize("turns", range(4))
def test_both_engines_tell_which_way_a_linear_code_runs(engine: Engine, turns: int) -> None:
    page = _on_paper(linear_code("FOREIGN-128", DPI), 30, 60)
    read = zbar if engine is Engine.ZBAR else lambda *given: zxing(*given)[0]
    for picture, way in ((page, 1), (page[:, ::-1], -1)):
        (code,) = read(np.ascontiguousarray(np.rot90(picture, turns)), frozenset({Symbology.CODE_128}), "fast")
        (x, y), (along_x, along_y) = code.corners[:2]
        # A quarter turn to the left: what ran to the right runs upwards.
        expected = way * np.exp(-1j * np.pi / 2 * turns)
        seen = complex(along_x - x, along_y - y)

        assert abs(seen / abs(seen) - expected) < 0.1


def test_separators_keep_their_text_and_foreign_codes_only_when_asked() -> None:
    page = _on_paper(qr("HTTPS://BANK.EXAMPLE/PAY", DPI), 20, 40)
    page = _on_paper(linear_code("PATCHT", DPI), 20, 120, page)

    private = {code.text: code.standing for code in _read(page, separators=frozenset({"PATCHT"}), foreign_text=False)}
    shown = {code.text: code.standing for code in _read(page)}

    assert private == {None: Standing.FOREIGN, "PATCHT": Standing.SEPARATOR}
    assert shown == {"HTTPS://BANK.EXAMPLE/PAY": Standing.FOREIGN, "PATCHT": Standing.FOREIGN}


@pytest.mark.parametrize("text", ["skr1/c/S:A000123", "SKR2/NEW", " SKR1/C"])
def test_a_text_that_claims_to_be_ours_is_own_whether_it_verifies_or_not(text: str) -> None:
    (code,) = {(code.text, code.standing) for code in _read(_on_paper(qr(text, DPI), 30, 40))}

    assert code == (text, Standing.OWN)


def test_only_the_symbologies_asked_for_are_read() -> None:
    pages = {
        Symbology.QR: qr("FOREIGN 1", DPI),
        Symbology.CODE_128: linear_code("FOREIGN-128", DPI),
        Symbology.CODE_39: _written(zxingcpp.BarcodeFormat.Code39, 3),
        Symbology.DATA_MATRIX: _written(zxingcpp.BarcodeFormat.DataMatrix, 5),
    }
    for symbology, drawn in pages.items():
        page = _on_paper(drawn, 20, 40)
        assert {code.symbology for code in _read(page, EVERY)} == {symbology}
        assert {code.symbology for code in _read(page, EVERY - {symbology})} == set()
        assert _read(page, frozenset()) == ()


@pytest.mark.parametrize("kin", ["MicroQRCode", "RMQRCode"])
def test_what_is_only_kin_to_a_qr_code_is_none(kin: str) -> None:
    page = np.asarray(zxingcpp.create_barcode("12345", zxingcpp.BarcodeFormat[kin]).to_image(scale=6))

    assert zxing(np.pad(page, 50, constant_values=255), EVERY, "x") == ([], [])


def test_control_characters_are_given_as_they_are() -> None:
    assert [code.text for code in _read(_on_paper(qr("A\x1dB\nC", DPI), 30, 40))] == ["A\x1dB\nC"]


def test_zbar_says_nothing_of_a_text_that_is_not_ascii() -> None:
    ascii_page, other = (_on_paper(qr(text, DPI), 30, 40) for text in ("ASCII", "Київ"))

    assert [seen.text for seen in zbar(ascii_page, USUAL, "x")] == ["ASCII"]
    assert zbar(other, USUAL, "x") == []
    assert [seen.text for seen in zxing(other, USUAL, "x")[0]] == ["Київ"]


def test_zbar_is_not_asked_for_what_it_is_not_to_read() -> None:
    assert zbar(_on_paper(qr("ASCII", DPI), 30, 40), frozenset({Symbology.DATA_MATRIX}), "x") == []


@pytest.mark.parametrize("read", [lambda page: zxing(page, USUAL, "x")[0], lambda page: zbar(page, USUAL, "x")])
def test_mirrored_qr_codes_are_told_in_every_version_mask_and_position(
    read: Callable[[Picture], list[Seen]],
) -> None:
    wrong, seen = [], 0
    for case, (version, mask, turn) in enumerate(itertools.product(range(2, 7), range(8), range(8))):
        rng = np.random.default_rng([12, case])
        mirrored = turn >= 4
        codes = read(_poor_qr(rng, version, mask, turn % 4, mirrored=mirrored))
        seen += len(codes)
        wrong += [(version, mask, turn) for code in codes if code.mirrored is not mirrored]

    assert wrong == []
    assert seen > 290  # of 320: the drawing is poor on purpose


def test_a_foreign_code_is_never_called_mirrored() -> None:
    page = _on_paper(qr("HTTPS://BANK.EXAMPLE/PAY", DPI), 20, 40)[:, ::-1]

    assert [code.mirrored for code in _read(page)] == [False]


@pytest.mark.parametrize("strength", [0.12, 0.2, 0.5])
def test_a_sheet_that_shines_through_is_read_as_mirrored(strength: float) -> None:
    back = back_of_sheet(full_sheet(FIELDS, 1, DPI), strength)

    squares = [code for code in _read(back, blank=True) if code.symbology is Symbology.QR]

    assert squares
    assert all(code.mirrored and code.text == TEXT for code in squares)


def test_a_page_with_a_sound_code_or_nothing_on_it_costs_no_more_than_one_attempt() -> None:
    rng = np.random.default_rng(1)
    sticker = stickered(papers.paper("SEAL", 1, rng, DPI), FIELDS, DPI)
    for page, blank in ((sticker, False), (papers.blank_paper(DPI), True)):
        full = Full(page)
        codes = _read(page, blank=blank, full=full)
        assert {code.rung for code in codes} <= {"fast"}
        assert {engine for code in codes for engine in code.engines} <= {Engine.ZXING}
        assert not full.asked


def test_an_ordinary_paper_never_asks_for_its_own_pixels() -> None:
    asked = []
    for kind in papers.KINDS:
        page = papers.paper(kind, 1, np.random.default_rng(4), DPI)
        full = Full(page)
        _read(page, full=full)
        if full.asked:
            asked.append(kind)

    assert asked == []


def test_a_marked_page_without_a_code_is_looked_at_in_every_way() -> None:
    full = Full(_on_paper(qr(TEXT, DPI), 30, 40))

    (code,) = _read(papers.blank_paper(DPI), sign=True, blank=True, full=full)

    assert (code.text, code.rung, code.engines) == (TEXT, "full", (Engine.ZXING,))


def test_an_own_text_that_does_not_verify_is_looked_at_again_and_kept() -> None:
    wrong = TEXT[:-2] + ("00" if TEXT[-2:] != "00" else "01")
    page = _on_paper(qr(wrong, DPI), 30, 40)
    full = Full(page)

    (code,) = _read(page, full=full)

    assert full.asked
    assert (code.text, code.engines, code.rung) == (wrong, (Engine.ZXING, Engine.ZBAR), "fast")


def test_a_linear_code_alone_is_not_enough_of_a_sheet() -> None:
    short_only = _on_paper(linear_code(SHORT, DPI), 30, 40)
    full = Full(_on_paper(qr(TEXT, DPI), 30, 150, short_only))

    codes = _read(short_only, sign=True, full=full)

    assert sorted(code.text or "" for code in codes) == [TEXT, SHORT]
    assert {code.text: code.rung for code in codes} == {TEXT: "full", SHORT: "fast"}


def test_a_reusable_sheets_short_text_in_a_qr_code_is_enough() -> None:
    page = full_sheet(SheetFields("P"), 1, DPI)
    full = Full(page)

    codes = _read(page, sign=True, full=full)

    assert {code.text for code in codes} == {closed("SKR1/P")}
    assert not full.asked


def test_one_code_on_a_marked_page_gets_a_second_opinion() -> None:
    page = _on_paper(qr(TEXT, DPI), 30, 40)

    assert [code.engines for code in _read(page, sign=True)] == [(Engine.ZXING, Engine.ZBAR)]


def test_the_same_text_in_two_places_is_two_codes_and_two_texts_in_one_place_are_two() -> None:
    page = _on_paper(qr(TEXT, DPI), 20, 30)
    twice = _on_paper(qr(TEXT, DPI), 120, 200, page)
    other = SheetFields("C", serial="B000007", box="OBL-03").text()

    assert [code.text for code in _read(twice)] == [TEXT, TEXT]
    # Another text at the same place of the page's own pixels, as a wrong reading would be.
    wrong = TEXT[:-2] + "00"
    codes = _read(_on_paper(qr(wrong, DPI), 20, 30), sign=True, full=Full(_on_paper(qr(other, DPI), 20, 30)))
    assert [(code.text, code.rung) for code in codes] == [(wrong, "fast"), (other, "full")]


def test_softening_reads_sheets_that_the_fast_attempt_misses() -> None:
    rungs = []
    for case in range(60):
        page = _poor_plain_sheet(np.random.default_rng([7, case]))
        codes = _read(page, full=lambda: papers.blank_paper(DPI))
        rungs += [code.rung for code in codes if code.text == TEXT]

    assert rungs.count("fast") >= 30
    assert rungs.count("soft") >= 3


def test_softening_gives_each_pixel_the_mean_of_its_neighbourhood() -> None:
    for seed, shape in enumerate([(1, 1), (1, 9), (40, 31)]):
        page = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
        around = np.pad(page, 1, mode="edge").astype(np.float64)
        mean = sum(around[y : y + shape[0], x : x + shape[1]] for y in range(3) for x in range(3)) / 9
        assert np.abs(softened(page) - mean).max() <= 1
    white = np.full((5, 5), 255, np.uint8)
    assert np.array_equal(softened(white), white)


def test_a_coarse_page_has_no_finer_pixels_to_be_read_from() -> None:
    page = _on_paper(qr(TEXT[:-2] + "00", DPI), 20, 30)
    (code,) = read_codes(page, DPI, USUAL, frozenset(), foreign_text=True, sign=True, blank=False, full=None)
    assert (code.text, code.rung) == (TEXT[:-2] + "00", "fast")


def test_a_glance_reads_the_qr_codes_of_a_usual_sheet_and_its_linear_one_where_the_mark_is() -> None:
    seen = glance(full_sheet(FIELDS, 1, 75), USUAL, sign=False, blank=False)

    assert [code.text for code in judged(seen.seen, frozenset(), foreign_text=False)] == [TEXT, TEXT]
    assert {one.rung for one in seen.seen} == {"quick"}
    marked = glance(full_sheet(FIELDS, 1, 75), USUAL, sign=True, blank=False)
    assert {one.text for one in marked.seen} == {TEXT, SHORT}
    assert glance(full_sheet(FIELDS, 1, 75), frozenset({Symbology.CODE_128}), sign=False, blank=False) == Glance()


def test_a_linear_code_that_is_taken_for_another_on_few_pixels_was_not_read() -> None:
    texts: Counter[str] = Counter()
    for case in range(200):
        rng = np.random.default_rng([9, case])
        fields = replace(FIELDS, serial=f"A{case:06d}")
        sheet = Image.fromarray(full_sheet(fields, 1, 120)).rotate(rng.uniform(-1, 1), Image.Resampling.BILINEAR)
        few = np.asarray(sheet.resize((620, 877), Image.Resampling.BOX))
        wrong = {one.text for one in zxing(few, frozenset({Symbology.CODE_128}), "", shrinking=False)[0]}
        wrong.discard(short_text("C", fields.serial))
        texts["misread"] += len(wrong)
        seen = {one.text for one in glance(few, USUAL, sign=True, blank=False).seen}
        texts["kept"] += len(seen & wrong)
        texts["right"] += short_text("C", fields.serial) in seen

    assert texts["misread"] > 0
    assert texts["kept"] == 0
    assert texts["right"] > 50


def test_a_glance_looks_twice_where_there_is_ink_and_no_code_of_ours() -> None:
    rungs = []
    for case in range(20):
        page = plain_sheet(TEXT, 1, 75, module_mm=1.1)
        worn = np.where(np.random.default_rng([7, case]).random(page.shape) < 0.15, np.uint8(255), page)
        rungs += [one.rung for one in glance(worn, USUAL, sign=False, blank=False).seen if one.text == TEXT]
        assert glance(worn, USUAL, sign=False, blank=True).seen == ()

    assert rungs.count("quick_soft") >= 10


def test_a_negative_is_no_mirror_image() -> None:
    for dpi in (75, 150):
        seen = glance(255 - full_sheet(FIELDS, 1, dpi), USUAL, sign=False, blank=False)
        assert [(one.text, one.mirrored) for one in seen.seen] == [(TEXT, False)] * 2


@pytest.mark.parametrize(
    ("picture", "marked", "enough"),
    [
        (full_sheet(FIELDS, 1, 75), True, True),
        (full_sheet(replace(FIELDS, serial=None), 1, 75, text=TEXT), True, False),  # it may say something else
        (_with_one_qr_code_covered(full_sheet(FIELDS, 1, 75)), True, False),  # it may say something else too
        (full_sheet(replace(FIELDS, serial="A000124"), 1, 75, text=TEXT), True, False),  # its linear code contradicts
        (plain_sheet(TEXT, 1, 75), False, True),
        (plain_sheet(TEXT, 1, 75), True, False),  # the other corner may say something else
        (plain_sheet(TEXT[:-2] + "00", 1, 75), False, False),
        (papers.blank_paper(75), False, True),
        (papers.blank_paper(75), True, False),
    ],
)
def test_a_glance_is_enough_where_it_settles_what_codes_there_are(
    picture: Picture, *, marked: bool, enough: bool
) -> None:
    assert is_enough(glance(picture, USUAL, sign=marked, blank=False), USUAL, sign=marked, blank=False) is enough


@pytest.mark.parametrize(
    ("symbologies", "separators", "may"),
    [
        (USUAL, (), True),
        ({Symbology.QR}, ("PATCHT",), True),
        (USUAL, ("PATCHT",), False),  # they may be linear
        ({Symbology.CODE_128}, (), False),
        ({Symbology.DATA_MATRIX}, (), False),
        ((), (), False),
    ],
)
def test_a_glance_may_settle_it_only_where_qr_codes_are_all_that_matters(
    symbologies: Iterable[Symbology], separators: tuple[str, ...], *, may: bool
) -> None:
    assert may_settle(frozenset(symbologies), frozenset(separators), foreign_text=False) is may
    asked_for_all = may_settle(frozenset(symbologies), frozenset(separators), foreign_text=True)
    assert asked_for_all is (set(symbologies) == {Symbology.QR})


@pytest.mark.parametrize("level", ["m", "h"])
def test_an_unmarked_code_of_the_smallest_modules_that_are_allowed_is_read_at_a_glance(level: str) -> None:
    for offset in range(6):
        code = segno.make_qr(TEXT, error=level)
        matrix = np.array([list(row) for row in code.matrix_iter(border=4)], np.uint8)
        side = round(0.6 / 25.4 * 300 * len(matrix))
        drawn = Image.fromarray(np.where(matrix > 0, 0, 255).astype(np.uint8)).resize((side, side))
        page = Image.fromarray(papers.blank_paper(300))
        page.paste(drawn, (300 + offset, 500 + 2 * offset))
        seen = glance(np.asarray(page.reduce(4)), USUAL, sign=False, blank=False)
        assert [one.text for one in seen.seen] == [TEXT]


@pytest.mark.parametrize("strength", [0.12, 0.2])
def test_a_sheet_that_shines_through_is_seen_as_mirrored_at_a_glance(strength: float) -> None:
    back = Image.fromarray(back_of_sheet(full_sheet(FIELDS, 1, 300), strength)).reduce(4)
    seen = glance(np.asarray(back), USUAL, sign=False, blank=False)

    assert [(one.text, one.mirrored) for one in seen.seen] == [(TEXT, True)] * 2


def test_a_code_that_was_found_and_not_read_is_a_reason_to_look_again() -> None:
    page = plain_sheet("HTTPS://BANK.EXAMPLE/1", 1, 75)
    (read,) = glance(page, USUAL, sign=False, blank=False).seen
    (left, top), (right, bottom) = read.corners[0], read.corners[2]
    inside = (left + right) / 2, (top + bottom) / 2

    for place, enough in ((inside, True), ((inside[0], 0.9), False)):
        unsettled = Glance((read,), broken=(place,))
        assert is_enough(unsettled, USUAL, sign=False, blank=False) is enough


def test_what_looked_like_a_code_at_a_glance_alone_costs_one_more_look_and_no_more() -> None:
    page = papers.paper("SEAL", 1, np.random.default_rng(4), DPI)
    full = Full(page)

    read_codes(
        page, DPI, USUAL, frozenset(), foreign_text=False, sign=False, blank=False, full=full,
        glanced=Glance((), broken=((0.2, 0.3),)),
    )  # fmt: skip
    assert not full.asked


def test_what_a_glance_saw_is_not_lost_where_more_pixels_read_less() -> None:
    seen = glance(plain_sheet(TEXT, 1, 75), USUAL, sign=False, blank=False)

    (code,) = read_codes(
        papers.blank_paper(DPI),
        DPI,
        USUAL,
        frozenset(),
        foreign_text=False,
        sign=True,
        blank=False,
        full=None,
        glanced=seen,
    )
    assert (code.text, code.rung) == (TEXT, "quick")


def test_nothing_on_varied_pages_is_read_as_a_code_of_ours() -> None:
    for case in range(84):
        rng = np.random.default_rng([13, case])
        if case % 3 == 0:
            page = PATTERNS[case // 3 % len(PATTERNS)](rng, 75)
        elif case % 3 == 1:
            page = rng.integers(0, 256, (600, 500)).astype(np.uint8)
        else:
            kind = papers.KINDS[case // 3 % len(papers.KINDS)]
            turn = int(rng.choice([0, 90, 180, 270]))
            page = degrade(papers.paper(kind, case, rng, 100), 100, Scanning(noise=9, blur=1, turn=turn), rng)
        seen, _ = zxing(np.ascontiguousarray(page), EVERY, "x")
        assert not [one for one in seen if one.text.upper().startswith("SKR")], case


def _written(symbology: zxingcpp.BarcodeFormat, scale: int) -> Picture:
    """Draw a code of zxing-cpp's own making, grey, with its quiet zone."""
    return np.asarray(zxingcpp.create_barcode("FOREIGN 39", symbology).to_image(scale=scale, add_quiet_zones=True))


def _on_paper(drawn: Picture, left_mm: float, top_mm: float, page: Picture | None = None) -> Picture:
    page = papers.blank_paper(DPI) if page is None else page.copy()
    papers.paste(page, drawn, left_mm, top_mm, DPI)
    return page


def _is_near(corner: tuple[float, float], place_mm: tuple[float, float], shape: tuple[int, ...]) -> bool:
    at = np.multiply(corner, (shape[1], shape[0])) / DPI * 25.4
    return bool(np.abs(at - place_mm).max() < 0.6)


def _poor_qr(rng: np.random.Generator, version: int, mask: int, quarter: int, *, mirrored: bool) -> Picture:
    """Draw an own QR code skewed, blurred, pale, noisy, in this quarter turn."""
    level = "LMQH"[int(rng.integers(4))]
    text = "SKR1/C/S:A" + "".join(rng.choice(list("0123456789ABCDEFGHJ-./:"), size=2 + 5 * (version - 2)))
    code = segno.make_qr(text, error=level, version=version, mask=mask, boost_error=False)
    matrix = np.array([list(row) for row in code.matrix_iter(border=6)], np.uint8)
    side = round(len(matrix) * rng.choice([4.7, 5.3, 6]))
    image = Image.fromarray(np.where(matrix, 0, 255).astype(np.uint8)).resize((side, side), Image.Resampling.BOX)
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.rotate(90 * quarter + rng.uniform(-8, 8), Image.Resampling.BILINEAR, expand=True, fillcolor=255)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.6)))
    contrast = rng.choice([1, 0.5, 0.25, 0.12])
    pale = 255 - (255 - np.asarray(image, np.float32)) * contrast
    noisy = np.clip(pale + rng.normal(0, 3, pale.shape), 0, 255).astype(np.uint8)
    page = np.full((noisy.shape[0] + 120, noisy.shape[1] + 160), 252, np.uint8)
    page[50 : 50 + noisy.shape[0], 70 : 70 + noisy.shape[1]] = noisy
    return page


def _poor_plain_sheet(rng: np.random.Generator) -> Picture:
    """Draw another program's sheet (one QR code), badly printed and badly scanned at 300 dpi, at half its scale."""
    sheet = plain_sheet(TEXT, 1, 300, module_mm=float(rng.uniform(0.5, 0.9))).copy()[:1100, 1100:]
    if rng.random() < 0.25:
        ink.lay(sheet, ink.stain(rng, 300, (40, 40), 0.6), ink.COFFEE, 300, 600)
    toner = Image.fromarray(sheet)
    spread = int(rng.choice([3, 5]))
    if rng.random() < 0.7:
        toner = toner.filter(ImageFilter.MinFilter(spread) if rng.random() < 0.5 else ImageFilter.MaxFilter(spread))
    scanning = Scanning(
        encoding=Encoding.G4 if rng.random() < 0.4 else Encoding.JPEG,
        quality=int(rng.integers(25, 80)),
        skew=float(rng.uniform(-6, 6)),
        blur=float(rng.uniform(0, 4)),
        noise=float(rng.uniform(0, 28)),
        contrast=float(rng.uniform(0.3, 1)),
        threshold=int(rng.integers(90, 210)),
        grime=float(rng.uniform(0, 0.03)) if rng.random() < 0.4 else 0.0,
    )
    scanned = grey(scan(np.asarray(toner), 300, scanning, rng).picture())
    return np.asarray(Image.fromarray(scanned).reduce(2))


def test_what_is_read_only_without_white_around_the_page_is_read_at_last() -> None:
    page = _struck_through(123)
    square = frozenset({Symbology.QR})
    assert zxing(page, square, "here")[0] == zbar(page, square, "here") == []

    (code,) = _read(page, square, sign=True)

    assert (code.text, code.rung) == (TEXT, "bare")


def _struck_through(seed: int) -> Picture:
    """Draw a small page with a code at a chance place, and some broad grey strokes across it."""
    rng = np.random.default_rng(seed)
    square = qr(TEXT, DPI)
    height, width = (int(rng.integers(260, 420)) for _ in range(2))
    page = np.full((height, width), 255, np.uint8)
    top, left = (int(rng.integers(2, side - length)) for side, length in zip(page.shape, square.shape, strict=True))
    page[top : top + square.shape[0], left : left + square.shape[1]] = square
    struck = Image.fromarray(page)
    pen = ImageDraw.Draw(struck)
    for _ in range(6):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        line = [x, y, x + rng.normal() * 200, y + rng.normal() * 200]
        pen.line(line, fill=int(rng.integers(60, 200)), width=int(rng.integers(4, 14)))
    return np.asarray(struck)


def test_a_code_whose_modules_lie_elsewhere_than_they_should_is_hardly_ever_taken_for_one_seen_through_the_paper() -> (
    None
):
    square = qr(TEXT, DPI)
    (seen,) = zxingcpp.read_barcodes(square, zxingcpp.BarcodeFormat.QRCode)
    version, mask = int(seen.extra["Version"]), int(seen.extra["DataMask"])
    place = seen.position
    corners = [(p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    module = (corners[1][0] - corners[0][0]) / (17 + 4 * version)

    wrong = 0
    for seed in range(200):
        moved = np.asarray(corners) + np.random.default_rng(seed).normal(0, 0.6 * module, (4, 2))
        told = [(float(x), float(y)) for x, y in moved]
        wrong += is_mirrored(square, told, version=version, level=seen.ec_level, mask=mask)
    assert wrong <= 2


def test_zbar_asks_for_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyzbar", None)

    with pytest.raises(EnvironmentUnfit) as caught:
        zbar(qr(TEXT, DPI), USUAL, "here")

    assert "libzbar0" in caught.value.remedy
