"""A small catalogue and a sheet of every kind, as a station would print them."""

from __future__ import annotations

from datetime import date

from skrynka.core.catalogue import (
    BUILT_IN_KINDS,
    AllOf,
    AnyOf,
    Branch,
    CaseType,
    Catalogue,
    DocumentKind,
    Names,
    Needed,
    Provider,
)
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.sheets.ordering import BoxNames, sheet_order

_KINDS = {
    "CERT": "свідоцтво про повірку",
    "PHOTO": "фото лічильника",
    "PROTOCOL": "протокол повірки",
    "WORKS": "акт виконаних робіт",
    "DISMANTLE": "акт демонтажу",
    "INSTALL": "акт монтажу",
    "SEAL": "акт опломбування",
    "UNSEAL": "акт розпломбування",
}
CATALOGUE = Catalogue(
    kinds=(*(DocumentKind(code, Names(uk, code.lower())) for code, uk in _KINDS.items()), *BUILT_IN_KINDS),
    providers=(
        Provider("KTE", Names("КП «Київтеплоенерго»", "heat")),
        Provider("KVK", Names("ПрАТ АК «Київводоканал»", "water")),
    ),
    case_types=(
        CaseType(
            "VER",
            Names("актуалізація інформації після повірки", "update after verification"),
            requires=AllOf((Needed("CERT"), Needed("PHOTO"))),
            branches=(
                Branch(
                    "ONS",
                    Names("повірено на місці, без демонтажу", "verified on site"),
                    AnyOf((Needed("PROTOCOL"), Needed("WORKS"))),
                    frozenset({"PROTOCOL", "WORKS"}),
                ),
                Branch(
                    "DIS",
                    Names("повірено з демонтажем", "dismantled"),
                    AllOf((Needed("DISMANTLE"), Needed("INSTALL"), Needed("SEAL"), Needed("UNSEAL"))),
                    frozenset({"DISMANTLE", "INSTALL", "UNSEAL"}),
                ),
            ),
            hints_uk=(("PHOTO", "з показаннями на поточну дату"),),
        ),
        CaseType("OTH", Names("інше звернення", "anything else"), always_reviewed=True),
    ),
)
BOXES = {"OBL-03": BoxNames(box="Скринька № 3", centre="Сервісний центр «Оболонь»")}
PHONES = ("(044) 000-00-00", "(044) 000-00-01")

PERSONAL = RoutingCode(
    SheetKind.CASE,
    serial="A000126",
    box="OBL-03",
    case_type="VER",
    branch="DIS",
    providers=("KTE", "KVK"),
    account="001234567890",
    address_code="80391-04512-117",
    meter_serials=("19054321", "KT19054322", "20-771234-B"),
    follow_up="OBL-03-2022-000123",
    key_id="2",
    signature="ABCD2345EF",
)
"""As long as a code gets in practice: three meters, a follow-up, a signature."""

CODES = {
    "case": RoutingCode(SheetKind.CASE, serial="A000123", box="OBL-03", case_type="VER", providers=("KTE", "KVK")),
    "bare_case": RoutingCode(SheetKind.CASE, serial="A000124", box="OBL-03", case_type="OTH"),
    "personal_case": PERSONAL,
    "collection": RoutingCode(SheetKind.COLLECTION, serial="OB000017", box="OBL-03"),
    "filled_collection": RoutingCode(
        SheetKind.COLLECTION, serial="OB000018", box="OBL-03", emptied_on=date(2022, 2, 23), counted=41
    ),
    "document": RoutingCode(SheetKind.DOCUMENT, serial="D000455", document_kinds=("DISMANTLE", "INSTALL")),
    "separator": RoutingCode(SheetKind.SEPARATOR),
    "repeat": RoutingCode(SheetKind.REPEAT, serial="R000003"),
    "end": RoutingCode(SheetKind.END),
}


ORDERS = {name: sheet_order(code, CATALOGUE, BOXES, PHONES) for name, code in CODES.items()}
