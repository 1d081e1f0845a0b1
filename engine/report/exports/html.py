"""The comparison as one HTML file that loads nothing: to be sent, or kept beside the data."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.plan.text import clean
from engine.report.cells import cell, marks, number
from engine.report.column import Column
from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison, Row
from engine.report.exports.courses import Courses
from engine.report.exports.curves import charts
from engine.report.exports.html_classes import STYLE, classes_sections
from engine.report.exports.markdown import SIGNS, by_class, held, reasons, shown
from engine.report.spelling import UNKNOWN

_STYLE = """
:root{color-scheme:light dark;--ink:#1a1a1a;--quiet:#666;--line:#ddd;--page:#fff;--mark:#eef4fa}
@media(prefers-color-scheme:dark){
:root{--ink:#e6e6e6;--quiet:#999;--line:#333;--page:#14161a;--mark:#1d2731}}
body{font:14px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);
margin:2rem auto;max-width:1400px;padding:0 1rem}
h1{font-size:1.2rem}h2{font-size:1rem;margin-top:2rem}
.verdict{font-size:1.1rem}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th button{all:unset;cursor:pointer;font-weight:600}
th button:focus-visible{outline:2px solid}
.text{text-align:left}.baseline{background:var(--mark)}.long{white-space:normal;min-width:20rem}
.quiet,li{color:var(--quiet)}
.charts{display:flex;flex-wrap:wrap;gap:1rem}.charts svg{width:460px;max-width:100%}
svg text{fill:currentColor;font-size:11px}svg .title{font-weight:600}
.right{text-anchor:end}.middle{text-anchor:middle}.grid{stroke:var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;list-style:none;padding:0}
.key{width:28px;height:8px;margin-right:.4rem}
"""

_SCRIPT = """
for(const table of document.querySelectorAll('table:not(.matrix)')){
 table.querySelectorAll('th').forEach((th,place)=>th.firstChild.onclick=()=>{
  const down=th.getAttribute('aria-sort')==='ascending';
  table.querySelectorAll('th').forEach(each=>each.removeAttribute('aria-sort'));
  th.setAttribute('aria-sort',down?'descending':'ascending');
  const key=row=>row.cells[place].dataset.v;
  const rows=[...table.tBodies[0].rows].sort((a,b)=>{
   const x=key(a),y=key(b);
   if(x===undefined||y===undefined)return (x===undefined)-(y===undefined);
   const by=th.dataset.n?x-y:x.localeCompare(y);
   return down?-by:by});
  table.tBodies[0].append(...rows)})}
"""


def to_html(comparison: Comparison, courses: Courses | None = None) -> str:
    """Verdict, the columns that are shown by default, curves, what was held equal, all columns."""
    names = dict.fromkeys(clean(row.figures.experiment) for row in comparison.rows)
    title = escape(", ".join(names) or "comparison")
    columns = shown(comparison)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">",
        f"<title>{title} · resnet-tui</title><style>{_STYLE}{STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f'<p class="verdict">{_text(comparison.verdict or "There is nothing to compare yet.")}</p>',
        _table(columns, comparison),
        '<p class="quiet">▲ best, ▼ worst of a column; a heading sorts.</p>',
        charts(comparison, courses or {}),
        _listed("Before rows are compared", comparison.remarks),
        _listed("Runs that ended early", reasons(comparison.rows)),
        _listed("Held constant", [held(each) for each in comparison.held]),
        classes_sections(by_class(comparison, courses or {})),
        f"<h2>All columns</h2>{_table(_known(comparison), comparison)}",
        _listed("What they are", [f"{each.title}: {each.about}" for each in COLUMNS]),
        f"<script>{_SCRIPT}</script></body></html>",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def _known(comparison: Comparison) -> tuple[Column, ...]:
    """The columns in which a row has a value."""
    return tuple(
        column for column in COLUMNS if any(cell(column, row) != UNKNOWN for row in comparison.rows)
    )


def _table(columns: Sequence[Column], comparison: Comparison) -> str:
    if not comparison.rows:
        return '<p class="quiet">No rows.</p>'
    heads = "".join(_head(column) for column in columns)
    best = {column.name: marks(column, comparison.rows) for column in columns}
    lines = []
    for row in comparison.rows:
        kind = ' class="baseline"' if row.key == comparison.baseline else ""
        cells = "".join(_cell(column, row, best[column.name].get(row.key)) for column in columns)
        lines.append(f"<tr{kind}>{cells}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _head(column: Column) -> str:
    numeric = "" if _is_text(column) else ' data-n="1"'
    kind = ' class="text"' if _is_text(column) else ""
    about = escape(column.about, quote=True)
    return f'<th{kind}{numeric} title="{about}"><button>{escape(column.title)}</button></th>'


def _cell(column: Column, row: Row, mark: str | None) -> str:
    told = cell(column, row)
    value = column.value(row)
    sort = number(value) if not _is_text(column) else told if told != UNKNOWN else None
    known = "" if sort is None else f' data-v="{escape(str(sort), quote=True)}"'
    kinds = ["text"] if _is_text(column) else []
    kinds += ["long"] if len(told) > 40 else []
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    sign = f" {SIGNS[mark]}" if mark else ""
    return f"<td{kind}{known}>{escape(told)}{sign}</td>"


def _listed(title: str, told: Sequence[str]) -> str:
    if not told:
        return ""
    items = "".join(f"<li>{_text(each)}</li>" for each in told)
    return f"<h2>{escape(title)}</h2><ul>{items}</ul>"


def _text(text: str) -> str:
    return escape(clean(text))


def _is_text(column: Column) -> bool:
    return column.unit in ("text", "flag")
