"""Every report of a local cloud in every form, as files."""

import time
import urllib.error
import urllib.request
from pathlib import Path

from local.console import LocalCloudError, say
from local.demo.serving import Api, serving
from local.folder import DataFolder

REPORTS = (
    "portfolio_summary", "at_risk_accounts", "renewal_forecast", "csm_performance",
    "segment_analysis", "trend", "churn_risk", "customer_health", "score_history", "weekly_digest",
)  # fmt: skip
FORMS = ("pdf", "html", "csv", "json")
_OF_ONE = {"customer_health", "score_history"}
_AT_RISK = {"critical", "at_risk"}
_SECONDS = 60
_PAUSE_SECONDS = 1.0  # between two looks at a report under way
_MADE_SECONDS = 120


def make_reports(folder: DataFolder, into: Path, names: tuple[str, ...] = REPORTS) -> None:
    """Write the reports of *folder* into the folder *into*, and say which files they are.

    Two of them are about one customer: of those at risk, the one to call first. Raises
    LocalCloudError.
    """
    if not folder.has_data:
        raise LocalCloudError(f"There is nothing in {folder.path} yet: `make demo` fills it.")
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    with serving(folder) as api:
        first = _urgent(api)
        say(f"{'report':20} {'':5}" + "".join(f"{form:>12}" for form in FORMS))
        for name in names:
            if name in _OF_ONE and first is None:
                say(f"{name:20} is about a customer with a score, and there is none")
                continue
            asked = {"report": name} | ({"customer": first} if first and name in _OF_ONE else {})
            sizes = [_written(api, asked, form, into / f"{name}.{form}") for form in FORMS]
            say(f"{name:20} bytes" + "".join(f"{size:12,}" for size in sizes))
    say(f"\nThey are in {into}.")


def _urgent(api: Api) -> str | None:
    """Return the id of the customer to call first; None where nobody has a score."""
    urgent = api.call("get_portfolio", {})["data"]["priority_accounts"]
    at_risk = [each["id"] for each in urgent if each["status"] in _AT_RISK]
    found: str | None = next(iter([*at_risk, *(each["id"] for each in urgent)]), None)
    return found


def _written(api: Api, asked: dict[str, str], form: str, file: Path) -> int:
    content = _content(api, {**asked, "format": form, "link": True})
    file.write_bytes(content)
    return len(content)


def _content(api: Api, asked: dict[str, object]) -> bytes:
    """Return the file of a report, which its link opens."""
    answer = api.call("run_report", asked)
    deadline = time.monotonic() + _MADE_SECONDS
    while answer["data"]["link"] is None:
        if answer["data"]["state"] not in {"queued", "running"}:
            raise LocalCloudError(f"{asked['report']} was not made: {answer['data']}")
        if time.monotonic() > deadline:
            raise LocalCloudError(f"{asked['report']} was not made in {_MADE_SECONDS} s.")
        time.sleep(_PAUSE_SECONDS)
        answer = api.call("run_report", {"job_id": answer["job_id"]})
    try:
        with urllib.request.urlopen(answer["data"]["link"]["url"], timeout=_SECONDS) as file:  # noqa: S310 - a link of our own API
            content: bytes = file.read()
    except urllib.error.URLError as error:
        raise LocalCloudError(f"The file of {asked['report']} was not there: {error}") from error
    return content
