"""What stands on the papers that people leave in a drop box: Typst markup in Ukrainian, everything in it invented.

A paper has a few variants (other people, streets, meters), no more: each is typeset once and then kept.
"""

from __future__ import annotations

from tests.support.people import Person

_HEAD = """#set text(font: "Libertinus Serif", size: 11.5pt, lang: "uk")
#set par(justify: true, leading: 0.62em)
#let line-to(length: 60mm) = box(width: length, stroke: (bottom: 0.5pt), height: 0.9em)
#let filled(body) = box(stroke: (bottom: 0.5pt), inset: (bottom: 1.5pt), outset: (x: 2pt), body)
#let title(body) = align(center, text(14pt, weight: "bold", body))
"""
_SMALL = """#set page(margin: (x: 14mm, top: 12mm, bottom: 18mm))
#set text(size: 9.6pt)
"""
_LABORATORY = """#align(center)[
  #text(9pt)[ТОВ «ПОВІРОЧНА ЛАБОРАТОРІЯ „МІРИЛО“» \\ Свідоцтво про уповноваження № П-042-2020 від 11.06.2020 \\
  02000, м. Київ, вул. Заводська, 9, тел. (044) 000-00-00]
  #line(length: 100%, stroke: 0.8pt)
]
"""


def certificate(p: Person) -> str:
    """Write a verification certificate (CERT); A5."""
    return f"""{_HEAD}{_SMALL}#rect(width: 100%, height: 100%, stroke: 1.6pt + rgb("#3a6b4a"), inset: 5mm)[
{_LABORATORY}
#title[СВІДОЦТВО \\ про повірку законодавчо регульованого \\ засобу вимірювальної техніки]
#align(center)[№ #strong[{p.number}-Л] #h(8mm) Чинне до #strong[{p.date[:-4]}{int(p.date[-4:]) + 4} р.]]
Назва, умовне позначення: #filled[лічильник води крильчастий {p.model}]

Заводський № #filled[*{p.meter}*], рік виготовлення #filled[2017], Ду 15 мм, клас точності B.

Власник (користувач): #filled[{p.name}]

Місце встановлення: #filled[{p.address}]

За результатами повірки, проведеної #filled[{p.date}] відповідно до методики МПУ 178/03-2007,
встановлено, що засіб вимірювальної техніки *відповідає вимогам* ДСТУ EN ISO 4064-1.

#v(1fr)
#grid(columns: (1fr, 30mm, 1fr), align: bottom, [Керівник лабораторії], [], [О. В. Міряйло])
#v(4mm)
#grid(columns: (1fr, 30mm, 1fr), align: bottom, [Повірник], [], [С. К. Точний])
#v(4mm)
М. П.
]
"""


def protocol(p: Person) -> str:
    """Write a verification protocol (PROTOCOL)."""
    rows = ", ".join(
        f"[{flow}], [{volume}], [{volume * (1 + error / 100):.3f}], [{error:+.2f}], [±{limit},0]".replace(".", ",")
        for flow, volume, error, limit in (
            ("1,500", 100, 0.42 + int(p.meter[-1]) / 20, 2),
            ("0,750", 50, -0.31, 2),
            ("0,120", 20, 0.88, 2),
            ("0,030", 5, -2.14 + int(p.meter[-2]) / 10, 5),
        )
    )
    return f"""{_HEAD}{_LABORATORY}
#title[ПРОТОКОЛ № {p.number} \\ повірки лічильника води]
Дата повірки: #filled[{p.date}] #h(1fr) Місце проведення: на місці експлуатації, без демонтажу

*Тип лічильника:* #filled[{p.model}] #h(6mm) *Заводський №:* #filled[{p.meter}] #h(6mm) *Ду:* #filled[15 мм]

*Адреса:* #filled[{p.address}]

*Користувач:* #filled[{p.name}] #h(6mm) *Показання, м³:* #filled[{p.reading}]

*Еталон:* установка повірочна переносна УПВ-П, зав. № 0117, похибка ±0,3 %.
Умови: температура води 11 °C, температура повітря 19 °C, тиск 0,35 МПа.

+ Зовнішній огляд: #filled[відповідає вимогам].
+ Перевірка герметичності: #filled[протікань не виявлено].
+ Визначення відносної похибки:

#table(columns: (1fr,) * 5, align: center + horizon, inset: 6pt,
  [*Витрата, м³/год*], [*Об'єм за еталоном, дм³*], [*Об'єм за лічильником, дм³*], [*Похибка, %*], [*Допуск, %*], {rows})

*Висновок:* лічильник #filled[придатний] до застосування. Міжповірочний інтервал 4 роки.

#v(16mm)
Повірник #h(6mm) #line-to() #h(4mm) С. К. Точний #h(1fr) М. П.
"""


def works_act(p: Person) -> str:
    """Write a completed-works act (WORKS)."""
    return f"""{_HEAD}{_LABORATORY}
#title[АКТ № {p.number} \\ виконаних робіт]
м. Київ #h(1fr) {p.date} р.

Ми, що нижче підписалися, представник Виконавця С. К. Точний, з одного боку, та Замовник #filled[{p.name}], що мешкає
за адресою #filled[{p.address}], з другого боку, склали цей акт про те, що Виконавцем виконано такі роботи:

#table(columns: (10mm, 1fr, 18mm, 25mm, 25mm), align: (center, left, center, right, right), inset: 6pt,
  [*№*], [*Найменування робіт*], [*К-сть*], [*Ціна, грн*], [*Сума, грн*],
  [1], [Повірка лічильника води {p.model} зав. № {p.meter} на місці встановлення], [1], [420,00], [420,00],
  [2], [Виїзд фахівця за адресою], [1], [80,00], [80,00],
  table.cell(colspan: 4, align: right)[*Разом без ПДВ:*], [*500,00*])

Загальна вартість робіт: *п'ятсот гривень 00 копійок*. Роботи виконано в повному обсязі та в установлений строк. Сторони
претензій одна до одної не мають. Показання лічильника на момент повірки: #filled[{p.reading}] м³.

#v(12mm)
#grid(columns: (1fr, 1fr), gutter: 10mm,
  [*Виконавець:* \\ ТОВ «Повірочна лабораторія „Мірило“» \\ #v(12mm) #line-to(length: 45mm) С. К. Точний \\ М. П.],
  [*Замовник:* \\ {p.name} \\ #v(12mm) #line-to(length: 45mm)])
"""


def dismantling_act(p: Person) -> str:
    """Write an act of dismantling and installation (DISMANTLE, INSTALL)."""
    return f"""{_HEAD}
#grid(columns: (1fr, 1fr), [ЖЕД «Озерна» \\ дільниця № 4], align(right)[Форма А-7])
#title[АКТ \\ демонтажу / монтажу лічильника води]
№ #filled[{p.number}] #h(1fr) «#filled[{p.date[:2]}]» #filled[{p.date[3:5]}] {p.date[6:]} р.

Адреса: #filled[{p.address}] #h(1fr) Особовий рахунок: #filled[{p.account}]

Споживач: #filled[{p.name}]

#table(columns: (1fr, 1fr, 1fr), inset: 8pt, align: (left, center, center),
  [], [*ДЕМОНТОВАНО*], [*ВСТАНОВЛЕНО*],
  [Тип лічильника], [{p.model}], [{p.model}],
  [Заводський номер], [{p.meter}], [{p.meter}],
  [Показання, м³], [{p.reading}], [{p.reading}],
  [Пломба №], [К 0{p.meter[-4:]}81], [К 0{p.meter[-4:]}96],
  [Дата повірки], [—], [{p.date}],
  [Призначення], [ХВП / #strike[ГВП]], [ХВП / #strike[ГВП]])

Причина демонтажу: #filled[періодична повірка у лабораторії]

Зауваження: #line-to(length: 100mm)

#v(10mm)
Роботу виконав: #line-to() слюсар-сантехнік В. Гайка

#v(8mm)
Споживач: #h(12mm) #line-to() {p.signed}

#v(8mm)
М. П.
"""


def sealing_act(p: Person) -> str:
    """Write a sealing act (SEAL, UNSEAL)."""
    return f"""{_HEAD}
#align(right)[Додаток 2 до Порядку прийняття \\ приладів обліку на абонентський облік]
#title[АКТ № {p.number} \\ про опломбування лічильника]
«{p.date[:2]}» #filled[{p.date[3:5]}] {p.date[6:]} р. #h(1fr) м. Київ

Комісія у складі: представника виконавця послуг #filled[контролера дільниці № 4 П. П. Свинцевого] та споживача
#filled[{p.name}] склала цей акт про те, що за адресою #filled[{p.address}] опломбовано прилад обліку:

- тип #filled[{p.model}], заводський № #filled[*{p.meter}*];
- показання на момент опломбування: #filled[{p.reading}] м³;
- пломбу № #filled[К 0{p.meter[-4:]}96] встановлено на #filled[накидну гайку, сенсор магнітного поля];
- дата наступної повірки: #filled[{p.date[3:5]}.{int(p.date[6:]) + 4}].

Споживача попереджено про відповідальність за збереження пломб згідно з Правилами надання послуг з централізованого
водопостачання. Самовільне зняття пломб тягне за собою нарахування за нормою споживання.

#v(12mm)
#grid(columns: (1fr, 1fr), row-gutter: 12mm, [Представник виконавця], [#line-to()], [Споживач], [#line-to()])
#v(4mm)
М. П.
"""


def passport(p: Person) -> str:
    """Write a page of a meter's passport (PASSPORT); A5."""
    return f"""{_HEAD}{_SMALL}#align(center)[#text(16pt, weight: "bold")[{p.model}] \\ ЛІЧИЛЬНИК ВОДИ КРИЛЬЧАСТИЙ \\
*ПАСПОРТ* \\ ЛВ.407223.00{p.meter[-1]} ПС]
*1. Призначення.* Лічильник призначений для вимірювання об'єму питної води за температури від 5 до 40 °C.

*2. Технічні характеристики*
#table(columns: (1fr, 26mm), inset: 4pt, align: (left, center),
  [Номінальна витрата Qn, м³/год], [1,5], [Мінімальна витрата, клас B, м³/год], [0,03],
  [Поріг чутливості, м³/год], [0,015], [Робочий тиск, МПа, не більше], [1,6],
  [Ємність лічильного механізму, м³], [99 999], [Маса, кг], [0,58])
*3. Комплектність:* лічильник 1 шт., паспорт 1 прим., штуцер 2 шт., прокладка 2 шт.

*4. Свідоцтво про приймання.* Лічильник заводський № #filled[*{p.meter}*] відповідає технічним умовам
і визнаний придатним до експлуатації.

Дата випуску #filled[11.2017] #h(1fr) Контролер ВТК #line-to(length: 25mm)

*5. Відомості про повірку*
#table(columns: (1fr, 1fr, 1fr), inset: 5pt, [Дата], [Результат], [Підпис, тавро],
  [{p.date}], [придатний], [], [], [], [], [], [], [])
"""


def application(p: Person) -> str:
    """Write the printed part of an application (APPLICATION); the rest is handwritten."""
    del p
    return f"""{_HEAD}#align(right)[#block(width: 85mm)[#set align(left)
До сервісного центру \\ комунального концерну \\ #v(34mm) #line(length: 100%, stroke: 0.4pt)
#text(8pt)[(прізвище, ім'я, по батькові, адреса, телефон)]]]
#v(14mm)
"""


def application_by_hand(p: Person) -> tuple[str, str]:
    """Give what is written by hand on an application: who writes, and what about."""
    return (
        f"від {p.name}\n{p.address}\nтел. 067 000 {p.meter[-4:]}",
        (
            "Заява\n"
            f"Прошу внести зміни до відомостей про лічильник\nхолодної води № {p.meter} після повірки. Показання\n"
            f"на сьогодні {p.reading} куб. м. Копії документів додаю:\nсвідоцтво про повірку, фото лічильника, акт.\n"
            f"Прошу зробити перерахунок за лютий.\n\n{p.date}"
        ),
    )


def unfitness_notice(p: Person) -> str:
    """Write an unfitness notice (UNFIT)."""
    return f"""{_HEAD}{_LABORATORY}
#title[ДОВІДКА № {p.number}-Н \\ про непридатність засобу вимірювальної техніки]
Видана #filled[{p.name}] про те, що лічильник води {p.model} заводський № #filled[*{p.meter}*], встановлений за адресою
#filled[{p.address}], за результатами періодичної повірки від #filled[{p.date}] визнано *непридатним* до застосування.

Причина: #filled[відносна похибка на мінімальній витраті −17,4 % за допуску ±5 %].

Лічильник підлягає заміні. Попереднє свідоцтво про повірку втрачає чинність.

#v(20mm)
Керівник лабораторії #line-to() О. В. Міряйло #h(1fr) М. П.
"""


def bill(p: Person) -> str:
    """Write a bill (BILL) with room for the provider's own QR code at its upper right."""
    return f"""{_HEAD}#set text(size: 9.5pt)
#block(width: 125mm)[#text(13pt, weight: "bold")[РАХУНОК-ПОВІДОМЛЕННЯ] \\ за комунальні послуги, січень 2022 р.

Особовий рахунок: *{p.account}* \\ Споживач: {p.name} \\ Адреса: {p.address}

Сплатити до: 20.02.2022 #h(8mm) *До сплати: 1 284,16 грн* \\ Оплатіть за QR-кодом у застосунку вашого банку.]
#v(6mm)
#table(columns: (1fr, 20mm, 22mm, 22mm, 24mm, 24mm), inset: 4.5pt, align: (left, center, right, right, right, right),
  table.header[*Послуга*][*Од.*][*Спожито*][*Тариф*][*Нараховано*][*До сплати*],
  [Постачання гарячої води], [м³], [4,117], [97,89], [403,01], [403,01],
  [Постачання теплової енергії], [Гкал], [0,412], [1 654,41], [681,62], [681,62],
  [Централізоване водопостачання], [м³], [5,200], [14,58], [75,82], [75,82],
  [Централізоване водовідведення], [м³], [9,317], [10,70], [99,69], [99,69],
  [Абонентське обслуговування], [міс.], [1], [24,02], [24,02], [24,02],
  table.cell(colspan: 5, align: right)[*Разом:*], [*1 284,16*])
#table(columns: (1fr, 32mm, 32mm, 32mm), inset: 4.5pt,
  [*Прилад обліку*], [*Зав. №*], [*Попереднє*], [*Поточне*],
  [Лічильник ХВП {p.model}], [{p.meter}], [{p.reading}], [#h(20mm)],
  [Лічильник ГВП], [44{p.meter[:4]}9], [00211,004], [])
#text(8pt)[Шановні споживачі! Перевірте, чи збігаються номери лічильників у рахунку з номерами у паспортах приладів
обліку. У разі розбіжності залиште заяву з копіями документів у скриньці для передачі заяв у сервісному
центрі. Нагадуємо про необхідність своєчасної повірки засобів обліку. Показання приймаються до 25 числа щомісяця.]
#v(4mm)
#line(length: 100%, stroke: (dash: "dashed", thickness: 0.6pt))
#grid(columns: (1fr, 1fr), [*ПОВІДОМЛЕННЯ* \\ Отримувач: КП «Постачальник» \\
 р/р UA00 0000 0000 0000 0000 0000 00000 \\ Рахунок {p.account}],
 [*Сума:* 1 284,16 грн \\ Платник: {p.signed} \\ Підпис: #line-to(length: 40mm) \\ Дата: #line-to(length: 30mm)])
"""


def continuation(p: Person, number: int) -> str:
    """Write a further page of any longer paper."""
    rows = ", ".join(
        f"[{row}], [{p.date}], [{(row * 37 + int(p.meter[-2:])) % 90 + 10},{row % 10}], "
        f"[{row * 3 % 7 + 1},0{row % 9}], []"
        for row in range(1, 19)
    )
    return f"""{_HEAD}#align(right)[Продовження, аркуш {number} \\ до № {p.number}]
*Відомість показань і робіт за приладом обліку № {p.meter}*
#table(columns: (12mm, 30mm, 1fr, 1fr, 40mm), inset: 5.5pt, align: center,
  [*№*], [*Дата*], [*Показання, м³*], [*Витрата, м³*], [*Підпис*], {rows})
Примітка. Відомість складено у двох примірниках, по одному для кожної зі сторін. Дані звірено з показаннями
приладу обліку за місцем встановлення: {p.address}.
"""
