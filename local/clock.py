"""The local cloud's clock, and which schedules have run: one file that outlives a kill."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path


def shown(instant: datetime) -> str:
    """Return *instant* as EventBridge and people write it."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class LocalClock:
    """How far the local cloud's time is from the real one; its functions read the same file.

    *schedules* that the file does not know count as run up to now. A new clock says what *begins*
    says, or else what the real one does.
    """

    def __init__(
        self, path: Path, schedules: tuple[str, ...] = (), begins: datetime | None = None
    ) -> None:
        self._path = path
        self._lock = threading.Lock()
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        present = datetime.now(UTC)
        start = (begins or present) - present
        self._ahead = timedelta(seconds=kept.get("ahead", start.total_seconds()))
        ran = {name: datetime.fromisoformat(at) for name, at in kept.get("ran", {}).items()}
        self._ran: dict[str, datetime] = {name: self.now() for name in schedules} | ran
        if self._ran != ran or not kept:
            self._keep()

    def now(self) -> datetime:
        """Return the present instant of the local cloud, in UTC."""
        return datetime.now(UTC) + self._ahead

    @property
    def variables(self) -> dict[str, str]:
        """Where functions find it."""
        return {"VITALS_CLOCK": str(self._path)}

    @property
    def is_moved(self) -> bool:
        """Whether it says another time than the real one."""
        return self._ahead != timedelta(0)

    def ran(self, schedule: str) -> datetime:
        """Return the last occurrence of *schedule* that is done."""
        return self._ran[schedule]

    def keep(self, ran: Mapping[str, datetime] | None = None, now: datetime | None = None) -> None:
        """Note what *ran*, and move the clock forward to *now*; it never goes back."""
        with self._lock:
            self._ran |= ran or {}
            if now is not None:
                self._ahead = max(self._ahead, now - datetime.now(UTC))
            self._keep()

    def _keep(self) -> None:
        ran = {name: at.isoformat() for name, at in self._ran.items()}
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps({"ahead": self._ahead.total_seconds(), "ran": ran}))
        draft.replace(self._path)  # whole or not at all, and without an fsync: enough for a kill
