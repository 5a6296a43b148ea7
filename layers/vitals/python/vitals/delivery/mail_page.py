"""A mail's HTML, as Outlook and Gmail show it: tables and styles in place, no other file."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from vitals.delivery.colours import BAD, GOOD, INK, LINE, MUTED, PAPER, WASH
from vitals.delivery.letter import BETTER, SEVERITY_COLOURS, WORSE, Letter, Row
from vitals.delivery.wording import Item, Message, more_line

_FONT = "font-family:Arial,Helvetica,sans-serif"
_LAYOUT = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_TONES = {BETTER: GOOD, WORSE: BAD}


def page(message: Message, letter: Letter, leave: str) -> str:
    """Return *letter*, which says *message*; *leave* is the link by which it is left, or "".

    It is 600 pixels wide at most, and white where the dark is preferred: its colours are for that.
    """
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="supported-color-schemes" content="light dark">',
            f"<title>{escape(letter.subject)}</title></head>",
            f'<body style="margin:0;padding:0;background-color:{WASH}">',
            *_opening(letter),
            f'<table {_LAYOUT} width="100%" bgcolor="{WASH}" style="background-color:{WASH}"><tr>'
            '<td align="center" style="padding:16px 8px">',
            # Outlook takes the attribute, everything else the style.
            f'<table {_LAYOUT} width="600" bgcolor="{PAPER}" style="width:100%;max-width:600px;'
            f'background-color:{PAPER}">',
            f'<tr><td height="4" bgcolor="{letter.accent.colour}" style="height:4px;font-size:1px;'
            f'line-height:4px;background-color:{letter.accent.colour}">&nbsp;</td></tr>',
            f'<tr><td align="left" style="padding:24px;{_FONT};font-size:15px;line-height:1.5;'
            f'color:{INK};text-align:left">',
            *_content(message, letter),
            *_ending(message, letter, leave),
            "</td></tr></table></td></tr></table>",
            "</body></html>",
            "",
        ]
    )


def _opening(letter: Letter) -> Iterator[str]:
    if letter.opening:
        yield (
            '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;'
            f'line-height:1px;color:{WASH}">{escape(letter.opening)}</div>'
        )


def _content(message: Message, letter: Letter) -> Iterator[str]:
    if letter.brand:
        yield (
            f'<p style="margin:0 0 4px;font-weight:bold;color:{letter.accent.text}">'
            f"{escape(letter.brand)}</p>"
        )
    space = "2px" if letter.beneath else "12px"
    yield (
        f'<h1 style="margin:0 0 {space};font-size:22px;line-height:1.3;color:{INK}">'
        f"{_word(message.severity)}{escape(letter.heading)}</h1>"
    )
    if letter.beneath:
        yield f'<p style="margin:0 0 16px;color:{MUTED}">{escape(letter.beneath)}</p>'
    yield from (f'<p style="margin:0 0 8px">{escape(line)}</p>' for line in message.lines)
    yield from _table(letter)
    yield from _list(message)
    if message.link:
        yield from _button(letter, *message.link)


def _ending(message: Message, letter: Letter, leave: str) -> Iterator[str]:
    small = f"font-size:13px;color:{MUTED}"
    if message.footer:
        yield f'<p style="margin:20px 0 0;{small}">{escape(message.footer)}</p>'
    if leave:
        yield (
            f'<p style="margin:4px 0 0;{small}"><a href="{escape(leave)}" '
            f'style="color:{letter.accent.text}">Unsubscribe</a></p>'
        )


def _table(letter: Letter) -> Iterator[str]:
    if not letter.rows:
        return
    yield (
        '<table width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="width:100%;border-collapse:collapse;margin:12px 0">'
    )
    yield from (_row(row, figures=letter.figures) for row in letter.rows)
    yield "</table>"


def _row(row: Row, *, figures: bool) -> str:
    line = f"padding:7px 0;border-bottom:1px solid {LINE};vertical-align:top"
    side = "right" if figures else "left"
    wide = "" if figures else ' width="35%"'
    weight = ";font-weight:bold" if figures else ""
    moved = ""
    if row.moved:
        moved = (
            f'<br><span style="font-size:13px;font-weight:normal;'
            f'color:{_TONES.get(row.tone, MUTED)}">{escape(row.moved)}</span>'
        )
    return (
        f'<tr><th scope="row" align="left"{wide} style="{line};padding-right:16px;text-align:left;'
        f'font-weight:normal;color:{MUTED}">{escape(row.label)}</th>'
        f'<td align="{side}" style="{line};text-align:{side};color:{INK}{weight}">'
        f"{escape(row.value)}{moved}</td></tr>"
    )


def _button(letter: Letter, label: str, url: str) -> Iterator[str]:
    accent = letter.accent
    # An edge that is seen even if the accent is nearly white.
    yield (
        f'<table {_LAYOUT} style="margin:20px 0 0"><tr><td align="center" '
        f'bgcolor="{accent.colour}" style="background-color:{accent.colour};'
        f'border:1px solid {accent.text};padding:10px 20px">'
        f'<a href="{escape(url)}" style="color:{accent.on};font-weight:bold;'
        f'text-decoration:none">{escape(label)}</a></td></tr></table>'
    )


def _list(message: Message) -> Iterator[str]:
    if not message.items:
        return
    yield '<ul style="margin:8px 0;padding-left:20px">'
    yield from map(_list_item, message.items)
    yield "</ul>"
    if message.more:
        yield f'<p style="margin:0 0 8px">{more_line(message.more)}</p>'


def _list_item(item: Item) -> str:
    said = f"{_word(item.severity)}<strong>{escape(item.title)}</strong>: {escape(item.text)}"
    return f'<li style="margin:0 0 4px">{said}</li>'


def _word(severity: str | None) -> str:
    if not severity:
        return ""
    colour = SEVERITY_COLOURS[severity]
    return f'<span style="color:{colour}">{severity.capitalize()}:</span> '
