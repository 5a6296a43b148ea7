"""Reading schedules from a template, and when they occur."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from local.console import LocalCloudError
from local.schedules import Schedule
from local.template import read

TEMPLATE = """
Parameters:
  Often: {Type: String, Default: "cron(0/15 * * * ? *)"}
Resources:
  DecayFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/decay
      Handler: decay.handler
      Events:
        DayTurned:
          Type: ScheduleV2
          Properties:
            Description: Midnight comes to some time zone every quarter of an hour
            ScheduleExpression: !Ref Often
            RetryPolicy: {MaximumRetryAttempts: 5}
            Input: '{"time": "<aws.scheduler.scheduled-time>"}'
"""
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
BEFORE = NOON - timedelta(microseconds=1)


def schedules(folder: Path, text: str) -> tuple[Schedule, ...]:
    path = folder / "template.yaml"
    path.write_text(text)
    return read(path, {}).schedules


def schedule(folder: Path, expression: str) -> Schedule:
    [found] = schedules(folder, TEMPLATE.replace("!Ref Often", expression))
    return found


def test_a_schedule_invokes_its_function_with_the_time_of_the_occurrence(tmp_path: Path) -> None:
    [found] = schedules(tmp_path, TEMPLATE)
    assert (found.name, found.function) == ("DecayFunction.DayTurned", "DecayFunction")
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    assert found.event(midnight) == {"time": "2026-03-03T00:00:00Z"}


def test_without_an_input_the_event_is_empty(tmp_path: Path) -> None:
    text = TEMPLATE.replace("            Input: '{", "            Description: '{")
    [found] = schedules(tmp_path, text.replace("Description: Midnight", "Name: Midnight"))
    assert found.event(NOON) == {}


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("cron(0/15 * * * ? *)", ["03-02 12:15", "03-02 12:30"]),
        ("cron(0 8 * * ? *)", ["03-03 08:00", "03-04 08:00"]),
        ("cron(30 6 ? * MON-FRI *)", ["03-03 06:30", "03-04 06:30"]),
        ("cron(0 12 ? * MON#1 *)", ["04-06 12:00", "05-04 12:00"]),
        ("cron(0 0 1 * ? *)", ["04-01 00:00", "05-01 00:00"]),
        ("cron(0 0 L * ? *)", ["03-31 00:00", "04-30 00:00"]),
        ("cron(5,10 12 * MAR ? *)", ["03-02 12:05", "03-02 12:10"]),
        ("rate(5 minutes)", ["03-02 12:05", "03-02 12:10"]),
        ("rate(1 hour)", ["03-02 13:00", "03-02 14:00"]),
        ("rate(1 day)", ["03-03 00:00", "03-04 00:00"]),
    ],
)
def test_occurrences_follow_as_eventbridge_has_them(
    tmp_path: Path, expression: str, following: list[str]
) -> None:
    found = islice(schedule(tmp_path, expression).after(NOON), 2)
    assert [f"{at:%m-%d %H:%M}" for at in found] == following


@pytest.mark.parametrize("expression", ["cron(0/15 * * * ? *)", "rate(15 minutes)"])
def test_the_latest_is_the_one_that_is_now_or_was_just_before(
    tmp_path: Path, expression: str
) -> None:
    found = schedule(tmp_path, expression)
    assert found.latest(NOON) == found.latest(NOON + timedelta(seconds=899.9)) == NOON
    assert found.latest(BEFORE) == NOON - timedelta(minutes=15)
    assert next(found.after(BEFORE)) == NOON


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("!Ref Often", "at(2026-12-24T09:00:00)", r"play DecayFunction.DayTurned: at\("),
        ("!Ref Often", "cron(0 8 * * ? 2027)", r"cron\(0 8 \* \* \? 2027\)"),
        ("!Ref Often", "cron(0 8 ? * 2 *)", r"cron\(0 8 \? \* 2"),
        ("!Ref Often", "cron(0 8 * * *)", r"cron\(0 8"),
        ("!Ref Often", "cron(0 8 * * * *)", r"cron\(0 8"),
        ("!Ref Often", "cron(0 8 15W * ? *)", "Bad day-of-month"),
        ("!Ref Often", "cron(0 8 30 2 ? *)", "cron"),
        ("!Ref Often", "cron()", r"cron\(\)"),
        ("!Ref Often", "rate(0 minutes)", "rate"),
        ("!Ref Often", "rate(5 weeks)", "rate"),
        ("Input: '{", "Input: '", "an Input that is not JSON"),
        ("RetryPolicy: {", "State: DISABLED\n            RetryPolicy: {", "DayTurned: State"),
        ("RetryPolicy:", "ScheduleExpressionTimezone: UTC\n            RetryPolicy:", "Timezone"),
        ("Type: ScheduleV2", "Type: Schedule", "use ScheduleV2"),
    ],
)
def test_what_it_cannot_play_is_named_when_the_template_is_read(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in TEMPLATE
    with pytest.raises(LocalCloudError, match=said):
        schedules(tmp_path, TEMPLATE.replace(old, new))
