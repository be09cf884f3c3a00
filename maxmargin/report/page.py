"""The page around the report: one style sheet, readable on screen (light and dark) and on paper."""

from __future__ import annotations

from html import escape

from ..plots import style

STYLE = (
    """
:root { color-scheme: light dark; --ink: #1f2328; --muted: #5f6670; --rule: #dfe2e6; --paper: #ffffff; --card: #f6f7f8;
  --f1: F1COLOUR; --f2: F2COLOUR; --ntk: NTKCOLOUR; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --muted: #a2a9b4; --rule: #3a3f47; --paper: #16191d;
  --card: #20242a; --f1: #35c79a; --f2: #d98fca; --ntk: #e3ab4a; } }
* { box-sizing: border-box; }
html { font-size: 17px; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.6;
  font-family: Charter, "Bitstream Charter", "Source Serif 4", "Sitka Text", Cambria, Georgia, serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3.5rem 1.5rem 4rem; }
h1, h2, h3, th, .kicker, .facts, figcaption b, .tag, td.number, code, pre, .object {
  font-family: "Inter", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
.kicker { color: var(--muted); font-size: .78rem; letter-spacing: .08em; text-transform: uppercase; margin: 0; }
h1 { font-size: 2.35rem; line-height: 1.15; margin: .3rem 0 1rem; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 .8rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
section { border-top: 1px solid var(--rule); margin-top: 2.6rem; padding-top: 1.6rem; }
sub, sup { line-height: 0; }
p { margin: .7rem 0; max-width: 46rem; }
.lead { font-size: 1.2rem; line-height: 1.55; max-width: 48rem; }
.lead strong { white-space: nowrap; }
.facts { display: flex; flex-wrap: wrap; gap: .4rem 1.7rem; margin: 1.6rem 0 0; padding: 0; list-style: none;
  font-size: .85rem; }
.facts b { display: block; font-size: 1.05rem; font-weight: 600; }
.facts span { color: var(--muted); }
.note { font-size: .92rem; border-left: 3px solid var(--ntk); padding-left: .8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; line-height: 1.4; }
th { text-align: left; font-weight: 600; font-size: .74rem; color: var(--muted); border-bottom: 1.5px solid var(--ink);
  padding: .35rem .9rem .35rem 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--rule); padding: .6rem .9rem .6rem 0; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td small, .quiet { color: var(--muted); font-size: .86em; }
.object { font-weight: 600; }
.f1 { color: var(--f1); } .f2, .f2m { color: var(--f2); } .ntk { color: var(--ntk); }
.tag { display: inline-block; font-size: .72rem; font-weight: 600; border: 1px solid currentColor; border-radius: 1rem;
  padding: .05rem .55rem; white-space: nowrap; }
.bar { position: relative; height: .5rem; width: 9rem; max-width: 100%; border-radius: .25rem; background: var(--rule);
  margin-top: .35rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.bar i { position: absolute; inset: 0 auto 0 0; border-radius: .25rem; background: currentColor; }
figure { margin: 1.8rem 0 2.6rem; break-inside: avoid; }
figure img { display: block; width: 100%; height: auto; background: #fff; border-radius: 6px; }
.quiet { font-size: .82rem; }
@media (prefers-color-scheme: dark) { figure img { padding: .6rem; } }
figcaption { font-size: .9rem; line-height: 1.5; color: var(--muted); max-width: 46rem;
  margin-top: .6rem; }
figcaption b { color: var(--ink); font-size: .86rem; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .84em; }
pre { background: var(--card); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; font-size: .92rem;
  line-height: 1.5; }
.hash { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.4rem; font-size: .9rem; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { html { font-size: 16px; } dl { display: block; } dd { margin-bottom: .6rem; } }
@media print { html { font-size: 11pt; } main { padding: 0; max-width: none; } section { break-inside: auto; }
  figure img { width: 82%; }
  h2, h3 { break-after: avoid; } pre { white-space: pre-wrap; } }
""".replace("F1COLOUR", style.F1)
    .replace("F2COLOUR", style.F2)
    .replace("NTKCOLOUR", style.NTK)
)


def document(title: str, body: str) -> str:
    """A complete HTML5 document; `title` is escaped, `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )
