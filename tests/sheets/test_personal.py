from __future__ import annotations

import pytest

from skrynka.sheets.personal import ListRejected, PersonalRow, read_rows

HEADER = "account,address_code,meter_serials,box,case_type,branch,providers\n"
PERSONAL = "77701234567"


def test_a_full_row_is_read() -> None:
    rows = read_rows((HEADER + "0012345678,80391-117,19054321+KT-2,OBL-03,VER,DIS,KTE+KVK\n").encode())
    assert rows == [
        PersonalRow(
            line=2,
            account="0012345678",
            address_code="80391-117",
            meter_serials=("19054321", "KT-2"),
            box="OBL-03",
            case_type="VER",
            branch="DIS",
            providers=("KTE", "KVK"),
        )
    ]


def test_what_a_spreadsheet_saves_is_read() -> None:
    text = '\ufeffAccount;Meter_serials;box\r\n0012345678;"1;2; kt-3";obl-03\r\n;;\r\n 12345 ;;\r\n'
    rows = read_rows(text.encode())
    assert [(row.line, row.account, row.meter_serials, row.box) for row in rows] == [
        (2, "0012345678", ("1", "2", "KT-3"), "OBL-03"),
        (4, "12345", (), None),
    ]


def test_tabs_separate_and_short_rows_say_nothing_of_the_rest() -> None:
    assert read_rows(b"account\tbox\n12345\n") == [PersonalRow(line=2, account="12345")]


def test_a_line_within_quotation_marks_counts() -> None:
    rows = read_rows(b'account,meter_serials\n12345,"1+\n2"\n12346,\n')
    assert [(row.line, row.meter_serials) for row in rows] == [(2, ("1", "2")), (4, ())]


def test_the_account_pattern_is_a_parameter() -> None:
    assert read_rows(b"account\nAB-1\n", account_pattern="^AB-")[0].account == "AB-1"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, None),
        (HEADER, 1, None),
        ("account,surname\n", 1, 2),
        ("account,box,account\n", 1, 3),
        (f"account\n12345\n{PERSONAL}99\n", 3, 1),
        (f"account\n{PERSONAL[:4]}\n", 2, 1),
        (f"account\n١٢٣٤٥{PERSONAL[0]}\n", 2, 1),
        (f"box,account\nOBL-03,{PERSONAL}x/y\n", 2, 2),
        (f"meter_serials\n{PERSONAL}+{PERSONAL}\n", 2, 1),
        ("meter_serials\n" + "+".join(str(number) for number in range(9)) + "\n", 2, 1),
        (f"meter_serials\nКТ{PERSONAL}\n", 2, 1),
        (f"address_code\n{'9' * 33}\n", 2, 1),
        (f"account\n12345,{PERSONAL}\n", 2, 2),
        (f'account\n12345\n"{PERSONAL}\n', 3, None),
    ],
)
def test_an_error_points_at_line_and_column_and_echoes_nothing(text: str, line: int, column: int | None) -> None:
    with pytest.raises(ListRejected) as caught:
        read_rows(text.encode())
    assert (caught.value.line, caught.value.column) == (line, column)
    assert PERSONAL[:4] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_another_encoding_is_told_with_its_line() -> None:
    with pytest.raises(ListRejected, match="UTF-8") as caught:
        read_rows("account,box\n12345,скринька\n".encode("cp1251"))
    assert caught.value.line == 2
