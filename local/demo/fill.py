"""A local cloud is filled: a year of writes over HTTP, on a clock that is moved day by day."""

import base64
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from local.console import LocalCloudError, say
from local.control import Hand, hand
from local.demo.history import Write, year_of
from local.demo.portfolio import YEAR, portfolio
from local.demo.serving import Api, serving
from local.folder import DataFolder, write_private

TIME_ZONE = "Europe/Berlin"
_MORNING = time_of_day(9, tzinfo=ZoneInfo(TIME_ZONE))
_DIGESTS = 4
_LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 32" width="72" height="32">
<path d="M2 24c10 2 16-2 20-12l8-4-4 6c1 10-8 17-18 15z" fill="#0f766e"/>
<path d="M36 26v-8M46 26V13M56 26V8M66 26V3" stroke="#0f766e" stroke-width="6"/></svg>
"""
_BRANDING = {
    "name": "Larkfield Cloud",
    "accent": "#0f766e",
    "locale": "en-GB",
    "currency": "EUR",
    "logo": base64.b64encode(_LOGO.encode()).decode(),
}
_DIGEST = {
    "report": "weekly_digest",
    "name": "Monday digest",
    "schedule": {"type": "weekly", "on": "monday", "at": "09:00", "time_zone": TIME_ZONE},
    "recipients": ["head-of-cs@larkfield.example", "board@larkfield.example"],
    "format": "pdf",
}
_MADE_BY = "made-by-demo"


def fill(folder: DataFolder, companies: int = 200, days: int = YEAR) -> None:
    """Make *folder* anew, with *days* of history of so many *companies* that end now.

    Raises LocalCloudError, as for a folder that holds anything else.
    """
    _emptied(folder)
    mornings = [datetime.combine(day, _MORNING) for day in _last(days)]
    first = mornings[0].date()
    history = year_of(portfolio(first, companies), first, days)
    begun = mornings[0].astimezone(UTC) - timedelta(hours=1)
    with serving(folder, begun) as api, hand(folder) as clock:
        api.call("put_branding", _BRANDING)
        # With nobody there, nobody is scored anew.
        api.call("update_config", {"time_zone": TIME_ZONE, "rescore": False})
        digest_from = mornings[max(0, days - 7 * _DIGESTS)]
        for month, found in groupby(
            zip(mornings, history, strict=True), key=lambda each: f"{each[0]:%B %Y}"
        ):
            counts = [_lived(api, clock, at, writes, digest_from) for at, writes in found]
            say(f"{month:14} {len(counts):2} days, {sum(counts):5,} writes")
        clock.move(datetime.now(UTC), pause=True)
    say(f"\n{folder.path} holds {companies} companies and {days} days of their history.")


def is_filled(folder: DataFolder) -> bool:
    """Return whether *folder* was made by fill()."""
    return (folder.path / _MADE_BY).exists()


def _emptied(folder: DataFolder) -> None:
    """Remove what the last fill() made; never anything else."""
    if folder.running() is not None:
        raise LocalCloudError(f"A local cloud runs on {folder.path}: stop it first.")
    if folder.path.exists() and any(folder.path.iterdir()):
        if not is_filled(folder):
            raise LocalCloudError(f"{folder.path} is no demonstration, and is left as it is.")
        shutil.rmtree(folder.path)
    folder.path.mkdir(parents=True, exist_ok=True)
    write_private(folder.path / _MADE_BY, "make demo removes this folder and makes it anew.\n")


def _last(days: int) -> Iterator[date]:
    """Yield the last *days* days whose mornings have come, the oldest first."""
    now = datetime.now(_MORNING.tzinfo)
    last = now.date() - timedelta(days=now < datetime.combine(now.date(), _MORNING))
    for ago in reversed(range(days)):
        yield last - timedelta(days=ago)


def _lived(api: Api, clock: Hand, at: datetime, writes: list[Write], digest_from: datetime) -> int:
    """Let a morning come, and have its writes; return how many customers were written."""
    clock.move(at, pause=True)
    if at == digest_from:
        api.call("put_report_schedule", _DIGEST)
    for action, data in writes:
        _refuse_errors(api.call(action, data))
    return sum(len(data["customers"]) if "customers" in data else 1 for _, data in writes)


def _refuse_errors(answer: dict[str, Any]) -> None:
    summary = answer.get("summary", {})
    if summary.get("error") or summary.get("not_attempted"):
        results = answer.get("results", ())
        wrong = next((each for each in results if each["status"] not in _FINE), summary)
        raise LocalCloudError(f"A record was refused: {wrong}")


_FINE = {"created", "updated", "unchanged"}
