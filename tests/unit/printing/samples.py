"""An invented document with a section of every kind, and the looks it is rendered in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from vitals.domain.reports import document as d
from vitals.domain.reports.document import (
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
    Prose,
    Section,
    Series,
    Table,
)
from vitals.domain.reports.look import LETTER, Look

AS_OF = datetime(2026, 11, 5, 23, 30, tzinfo=UTC)
LOGO = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40" width="120" height="40">
<circle cx="20" cy="20" r="14" fill="#1d4f91"/><rect x="44" y="12" width="70" height="16"
fill="#1b2430"/></svg>"""
LOOK = Look(name="Northwind Tools", locale="en-US", currency="USD")
GERMAN = Look(
    name="Nordwind Werkzeuge", locale="de", currency="EUR", logo=LOGO, logo_type="image/svg+xml",
    accent="#7a2e8e",
)  # fmt: skip
JAPANESE = Look(name="北風工具", locale="ja", currency="JPY", paper=LETTER, accent="#f2c230")

BANDS = ("critical", "at_risk", "watch", "healthy", "expansion")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
SPOKEN = "The Honourable Company of Very Long Names, Sons, Daughters & Partners (Holdings)"
NAMES = (
    LONG,
    SPOKEN[:80],
    "#emph[x] $x$ *bold* _it_ @ref",
    "<script>alert('x')</script>",
    "株式会社東京電力ホールディングス",
    "한국전자통신연구원",
    "上海浦东发展银行股份有限公司",
    "Ελληνικά Ταχυδρομεία",
    "Газпром нефть",
    "Rocket 🚀 Labs",
    'Quote "&" Sons \\ {{x}}',
)


def _series(
    name: str, label: str, values: Sequence[int | Decimal | None], band: str | None = None
) -> Series:
    return Series(name=name, label=label, values=tuple(values), band=band)


def document(*sections: Section, **changes: object) -> Document:
    """Return a document with those sections, or with every kind of one."""
    made = Document(
        report="portfolio_summary",
        title="Portfolio Summary",
        subject="How the whole book stands, and what moved it",
        as_of=AS_OF,
        time_zone="Europe/Berlin",
        model_version=7,
        headlines=HEADLINES,
        sections=sections or EVERYTHING,
        table="accounts",
        period=(date(2026, 10, 6), date(2026, 11, 5)),
        filters={"manager": ("ana lópez", "bo"), "tier": ("enterprise",)},
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # names are checked when it runs


HEADLINES = (
    Line("The average score is {}, {} since {}.",
         ((d.AVERAGE, Decimal("61.25")), (d.POINTS, Decimal("-2.5")), (d.DAY, date(2026, 10, 6)))),
    Line("{} of MRR is at risk, in {} accounts.", ((d.MONEY, 48200), (d.COUNT, 12))),
)  # fmt: skip


def accounts(count: int) -> Table:
    """Return a table of so many customers."""
    rows: list[tuple[Plain, ...]] = [
        (
            NAMES[at] if at < len(NAMES) else f"Customer {at:05d} Incorporated",
            ("ana lópez", "bo", None)[at % 3],
            (at * 37) % 101,
            BANDS[min(4, (at * 37) % 101 * 5 // 101)],
            ((at * 13) % 21) - 10,
            1000 + at * 7 if at % 5 else Decimal("1234.50"),
            date(2026, 11, 10) + timedelta(days=at % 90) if at % 4 else None,
            ("on_track", "due_soon", "overdue")[at % 3],
            Decimal("0.0421") / (1 + at % 7),
        )
        for at in range(count)
    ]
    return Table(
        name="accounts", title="Accounts by urgency",
        columns=(
            Column("name", "Customer", d.NAME), Column("manager", "Manager", d.TEXT),
            Column("score", "Score", d.SCORE), Column("status", "Band", d.BAND),
            Column("moved", "Moved", d.POINTS), Column("mrr", "MRR", d.MONEY),
            Column("renews", "Renews", d.DAY), Column("cadence", "Cadence", d.WORD),
            Column("priority", "Priority", d.INDEX),
        ),
        rows=tuple(rows), note=Line("Priority is risk × revenue × renewal."),
    )  # fmt: skip


FIGURES = Figures(
    name="kpis", title="Key figures",
    figures=(
        Figure(name="health", label="Portfolio health", kind=d.AVERAGE, value=Decimal("61.25"),
               previous=Decimal("63.75"), better=d.UP, note="Mean of 212 scores"),
        Figure(name="risk", label="Revenue at risk", kind=d.MONEY, value=48200, previous=51000,
               better=d.DOWN, note="MRR in the two lowest bands"),
        Figure(name="renewals", label="Renewals in 90 days", kind=d.COUNT, value=31, previous=31),
        Figure(name="expansion", label="Expansion opportunity", kind=d.MONEY, value=1234567890),
        Figure(name="share", label="At risk", kind=d.PERCENT, value=Decimal("12.34"), previous=10,
               better=d.DOWN),
        Figure(name="none", label="Median days since contact", kind=d.DAYS, value=None),
    ),
)  # fmt: skip
DISTRIBUTION = Chart(
    name="bands", title="Customers by band", chart=d.BARS, labels=BANDS, label_kind=d.BAND,
    kind=d.COUNT, series=(_series("count", "Customers", (12, 31, 58, 74, 37)),), bands=BANDS,
    says=Line("{} of 212 customers are critical.", ((d.COUNT, 12),)),
)  # fmt: skip
TIERS = Chart(
    name="tiers", title="Bands by tier", chart=d.STACKED, label_kind=d.WORD, kind=d.COUNT,
    labels=("enterprise", "mid_market", LONG),
    series=tuple(
        _series(band, band.replace("_", " ").capitalize(), (3 + at, 40 - at * 3, at * 11), band)
        for at, band in enumerate(BANDS)
    ),
    says=Line("Enterprise is the healthiest tier."),
)  # fmt: skip
TREND = Chart(
    name="trend", title="Score over time", chart=d.LINES, label_kind=d.DAY, kind=d.AVERAGE,
    labels=tuple(date(2026, 8, 8) + timedelta(days=at) for at in range(90)),
    series=(
        _series("all", "All customers",
               tuple(Decimal(640 - at + (at * 7) % 19) / 10 if at != 40 else None
                     for at in range(90))),
        _series("ana", "ana lópez",
               tuple(Decimal(600 + at + (at * 5) % 23) / 10 for at in range(90))),
        _series("bo", "bo", tuple(Decimal(590 + (at * 3) % 29) / 10 for at in range(90))),
    ),
    says=Line("The score fell by {} points in 90 days.", ((d.AVERAGE, Decimal("7.2")),)),
)  # fmt: skip
RENEWALS = Chart(
    name="renewals", title="Renewals by month", chart=d.STACKED, label_kind=d.MONTH, kind=d.MONEY,
    labels=tuple(date(2026 + (10 + at) // 12, (10 + at) % 12 + 1, 1) for at in range(12)),
    series=(
        _series("safe", "Safe", tuple(12000 + at * 997 for at in range(12))),
        _series("risk", "At risk", tuple((at * 3571) % 9000 for at in range(12))),
    ),
    says=Line("January is the largest month."),
)  # fmt: skip
MOVEMENT = Chart(
    name="movement", title="What moved the score", chart=d.WATERFALL, label_kind=d.TEXT,
    kind=d.AVERAGE,
    labels=("Score on Oct 6", "Improved", "Declined", "New customers", "Lost customers", "Now"),
    series=(_series("score", "Score", tuple(map(Decimal, ("63.75", "1.5", "-4.5", "0.75", "-0.25",
                                                         "61.25")))),),
    says=Line("Declines took {} points.", ((d.AVERAGE, Decimal("4.5")),)),
)  # fmt: skip
PARTS = Chart(
    name="parts", title="What makes the score", chart=d.CONTRIBUTIONS, label_kind=d.TEXT,
    kind=d.POINTS, labels=("Product logins in the last thirty days", "NPS", "Open tickets", "CSAT"),
    series=(_series("points", "Points", tuple(map(Decimal, ("12.5", "4.25", "-8.75", "0")))),),
    says=Line("Open tickets weigh most."),
)  # fmt: skip
CHARTS = (DISTRIBUTION, TIERS, TREND, RENEWALS, MOVEMENT, PARTS)
PROSE = Prose(
    name="how", title="How to read this",
    lines=(
           Line("A score is from {} to {}.", ((d.SCORE, 0), (d.SCORE, 100))),
           Line("{} is the most urgent.", ((d.NAME, NAMES[3]),))),
)  # fmt: skip
EMPTY = Table(
    name="none", title="Nobody", columns=(Column("name", "Customer", d.NAME),
                                          Column("score", "Score", d.SCORE)),
    rows=(), empty="No customer is overdue.",
)  # fmt: skip
EVERYTHING: tuple[Section, ...] = (FIGURES, *CHARTS, accounts(60), EMPTY, PROSE)
