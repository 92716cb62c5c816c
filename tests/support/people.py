"""The people of the drawn world: all of them, their streets and their meters are invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """An invented consumer and the meter at home."""

    name: str
    signed: str
    address: str
    account: str
    meter: str
    model: str
    reading: str
    date: str
    number: str


PEOPLE = (
    Person("Калинченко Ганна Остапівна", "Калинченко Г. О.", "м. Київ, вул. Яблунева, буд. 14, кв. 37", "0041726385",
           "28104477", "СВК-15Г", "00412,617", "14.02.2022", "1027"),
    Person("Журавський Тарас Юхимович", "Журавський Т. Ю.", "м. Київ, пров. Липневий, буд. 3-А, кв. 112", "1180934",
           "30566129", "Е-Т 1,5-У", "00087,045", "02.03.2022", "318/К"),
    Person("Ґудзенко Їлина Єгорівна", "Ґудзенко Ї. Є.", "м. Київ, бульв. Тополиний, буд. 52, кв. 8", "730015562",
           "19-884031", "ЛК-15Х", "01934,880", "27.01.2022", "55-22"),
    Person("Приходько Левко Семенович", "Приходько Л. С.", "м. Київ, вул. Озерна, буд. 21, корп. 2, кв. 204",
           "26651908", "7740265", "GSD8-RFM", "00650,301", "21.02.2022", "2290"),
)  # fmt: skip
