"""Invented companies by name: some by hand, where scripts and lengths matter, the rest composed."""

from itertools import product
from random import Random

BY_HAND = (
    "Gebrüder Lindenhövel & Söhne Maschinenbau- und Anlagentechnik GmbH & Co. KG",
    "The Worshipful Company of Northern Lighthouse Instrument Makers and Engravers plc",
    "Compagnie Générale des Tisserands Réunis de la Vallée d'Aubrelle et de l'Ombrette",
    "青嵐精密機器株式会社",
    "月待ち醸造",
    "云帆泊数据科技有限公司",
    "한빛여울 물류",
    "Αιγαία Λευκοθέα Ναυτιλιακή",
    "Οπωρώνες Θεσπιάδων",
    "Северный Маяк Логистика",
    "Білий Журавель Агро",  # noqa: RUF001 - Ukrainian
    "Żurawinowa Spółdzielnia Łąkowa",
    "Ísöld & Þrúðvangur ehf.",
    "Çınaraltı Dokuma A.Ş.",  # noqa: RUF001 - Turkish
)
_FIRST = (
    "Quill", "Bront", "Ferro", "Larke", "Morrow", "Oster", "Pelli", "Rime", "Sable", "Thistle",
    "Umber", "Vesper", "Wyck", "Yarrow", "Alder", "Bracken", "Cinder", "Dunning", "Elder", "Fallow",
    "Gorse", "Hazel", "Ivo", "Juniper", "Kestrel", "Linnet", "Merle", "Nettle", "Orrin", "Plover",
)  # fmt: skip
_LAST = (
    "haven", "wick", "field", "mere", "ford", "dale", "gate", "brook", "stead", "mark", "holm",
    "combe",
)  # fmt: skip
_TRADES = (
    "Analytics", "Logistics", "Foods", "Health", "Robotics", "Energy", "Insurance", "Media",
    "Textiles", "Instruments", "Software", "Travel", "Print", "Optics", "Marine", "Timber",
)  # fmt: skip

MOST = len(BY_HAND) + len(_FIRST) * len(_LAST)
"""So many names there are."""


def names(count: int, chance: Random) -> list[str]:
    """Return *count* names, no two of them alike, in a random order; *count* is up to MOST."""
    composed = [first + last for first, last in product(_FIRST, _LAST)]
    chance.shuffle(composed)
    traded = [f"{name} {chance.choice(_TRADES)}" for name in composed]
    found = [*BY_HAND, *traded][:count]
    chance.shuffle(found)
    return found
