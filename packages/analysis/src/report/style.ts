/**
 * The style sheet. Colours of modalities are the Okabe–Ito palette, which colour-blind readers can tell apart, in a
 * lighter set on dark ground; the fused head has the colour of text.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f6f7f8; --text: #16191d; --muted: #59626c; --rule: #dde1e5; --band: #eef0f2; --mark: #dcebe4;
  --m0: #0072b2; --m1: #d55e00; --m2: #009e73; --m3: #b5608f; --m4: #b27a00; --m5: #3a9bd1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --raised: #1d2125; --text: #e9ecef; --muted: #a4adb6; --rule: #353b42; --band: #22272c; --mark: #1f3d33;
    --m0: #56b4e9; --m1: #ff8c42; --m2: #2fc79b; --m3: #e3a0c6; --m4: #e6b02e; --m5: #9dd4f5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 70rem; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1, h2, h3, h4, p, figure, dl, dd, ul, ol, table, pre { margin: 0; padding: 0; }
h1 { font-size: 1rem; font-weight: 600; color: var(--muted); letter-spacing: .01em; margin-bottom: .75rem; }
h2 { font-size: 1.35rem; line-height: 1.3; letter-spacing: -.01em; margin-bottom: .35rem; }
h3 { font-size: 1rem; line-height: 1.35; }
h4 { font-size: .9rem; }
a { color: inherit; text-underline-offset: .2em; text-decoration-color: var(--muted); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--m0); outline-offset: 3px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
section { margin-top: 3.25rem; scroll-margin-top: 1rem; }
section > h3, section .explained + h3 { margin-top: 1.75rem; }
.lead { font-size: 1.125rem; max-width: 50em; text-wrap: pretty; }
.introduction { margin-top: .75rem; max-width: 55em; color: var(--muted); }
.headline { font-size: clamp(1.3rem, 1rem + 1.4vw, 1.75rem); line-height: 1.25; max-width: 42em; text-wrap: balance;
  margin-bottom: 1.25rem; }
.hint { color: var(--muted); font-size: .925rem; max-width: 60em; margin-bottom: 1.1rem; text-wrap: pretty; }
#overview { margin-top: 1.75rem; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; margin-top: 2.5rem; padding: .75rem 0; font-size: .925rem;
  border-block: 1px solid var(--rule); }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--muted);
  font-size: .85rem; }

.m0 { --c: var(--m0); } .m1 { --c: var(--m1); } .m2 { --c: var(--m2); }
.m3 { --c: var(--m3); } .m4 { --c: var(--m4); } .m5 { --c: var(--m5); }
.fused { --c: var(--text); } .muted { --c: var(--muted); }
.swatch { display: inline-block; width: .7em; height: .7em; margin-right: .4em; border-radius: 2px;
  background: var(--c); print-color-adjust: exact; -webkit-print-color-adjust: exact; }

svg { display: block; }
svg text { font-family: inherit; fill: var(--text); }
svg .tick, svg .note { fill: var(--muted); font-size: 11px; }
svg .note { font-size: 10px; }
svg .fill { fill: var(--c); }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .axis { stroke: var(--muted); stroke-width: 1; }

.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; list-style: none; font-size: .875rem; color: var(--muted);
  margin-bottom: .6rem; }
.legend li { display: flex; align-items: center; gap: .5em; }
.legend svg { flex: none; }
.method { display: grid; grid-template-columns: minmax(0, 21rem) minmax(0, 1fr); gap: 0 1.5rem; align-items: center;
  padding: .55rem 0; border-top: 1px solid var(--rule); }
.method-head { display: flex; justify-content: space-between; gap: 1rem; align-items: center; }
.method-head p { color: var(--muted); font-size: .85rem; line-height: 1.35; margin-top: .1rem; text-wrap: pretty; }
.score { flex: none; min-width: 5.4em; text-align: right; font-size: 1.7rem; font-weight: 650; line-height: 1.05;
  letter-spacing: -.02em; }
.score .unit { font-size: .55em; font-weight: 500; color: var(--muted); }
.score small { display: block; margin-top: .25rem; font-size: .8rem; font-weight: 400; letter-spacing: 0;
  color: var(--muted); }
.score { min-width: 0; }
.reference .score, .reference h3 { font-weight: 500; }
.lane { display: grid; grid-template-columns: var(--names) minmax(0, 1fr) 6.2rem; gap: .6rem; align-items: center;
  font-size: .85rem; line-height: 1.1; }
.lane-name { text-align: right; color: var(--muted); line-height: 1.4; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lane-value { white-space: nowrap; }
.lane-value b { font-weight: 600; display: inline-block; min-width: 2.4em; text-align: right; }
.lane-value span { color: var(--muted); }
.track { overflow: visible; }
.track .missing, .legend .missing { fill: var(--c); fill-opacity: .2; }
.teacher { fill: var(--c); }
.outline { fill: none; stroke: var(--c); stroke-width: 1.5; }
.halo { stroke: var(--ground); stroke-width: 3.5; }
.mean { stroke: var(--text); stroke-width: 1.5; stroke-dasharray: 2 3; }
.axis-row { padding: 0; }
.lane-value.tick { color: var(--muted); font-size: .75rem; }
.points { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.25rem 2.5rem; list-style: none;
  margin-top: 1.75rem; }
.points p { margin-top: .3rem; font-size: .925rem; text-wrap: pretty; }
.words { margin-top: 1.5rem; font-size: .925rem; }
.words summary { cursor: pointer; color: var(--muted); }
.words dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: .6rem 2rem; margin-top: .75rem; }
.words dt { font-weight: 600; }
.words dd { color: var(--muted); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .925rem; }
th { font-weight: 500; text-align: left; }
thead th { color: var(--muted); font-size: .85rem; border-bottom: 1px solid var(--muted); }
th, td { padding: .38rem 1.1rem .38rem 0; vertical-align: baseline; }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
.number { text-align: right; white-space: nowrap; padding-left: 1.1rem; }
.results { min-width: min(100%, 36rem); }
.better { color: var(--m2); } .worse { color: var(--m1); }
.results .teachers > *, .results .reference > * { color: var(--muted); }

.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19.5rem), 1fr)); gap: 1.5rem 1.25rem; }
.panels figcaption, .explained figcaption { font-size: .925rem; margin-bottom: .15rem; }
.chart { width: 100%; height: auto; overflow: visible; }
.chart .band { fill: var(--band); }
.chart .vertical { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 3; }
.chart .level { stroke: var(--c); stroke-width: 1.4; stroke-dasharray: 1 3; stroke-linecap: round; }
.chart .line { fill: none; stroke: var(--c); stroke-linejoin: round; stroke-linecap: round; }
.chart .main { stroke-width: 2.4; } .chart .solid { stroke-width: 1.8; }
.chart .faint { stroke-width: 1; stroke-dasharray: 3 2.5; stroke-opacity: .75; }
.chart .dashed { stroke-width: 1.6; stroke-dasharray: 5 4; } .chart .dotted { stroke-width: 1.8; stroke-dasharray: .5 4; }
.chart .marker { fill: var(--c); stroke: transparent; stroke-width: 10; pointer-events: all; }
.chart .unseen { fill: transparent; }
.chart .ring { fill: none; stroke: var(--c); stroke-width: 1.4; }
.chart .end { font-size: 11px; }

.explained { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.5rem 2.5rem; align-items: start; }
.explained .chart { max-width: 27rem; }
.equations { list-style: none; display: grid; gap: .8rem; font-size: .95rem; max-width: 36em; }
.equations b { display: block; }
.strips { margin-top: .9rem; }
.strips h4 { margin: 0 0 .3rem; }
.strip { grid-template-columns: var(--names) minmax(0, 1fr); margin-bottom: 2px; }
.strip .off { fill: var(--band); stroke: var(--rule); }

.heats { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5rem), 1fr)); gap: 1rem 2rem; margin: .5rem 0 1.5rem; }
.heats figcaption { font-size: .9rem; margin-bottom: .3rem; }
.heat { width: 100%; max-width: 22rem; height: auto; overflow: visible; }
.heat .cell { fill: var(--band); }
.heat .tick { font-size: 9.5px; }
.heat .count { font-size: 8px; text-anchor: middle; }
.heat.fused .mid, .heat.fused .high, .heat .top { fill: var(--ground); }
@media (prefers-color-scheme: dark) { .heat .high { fill: var(--ground); } }

.chart .dashdot { stroke-width: 1.7; stroke-dasharray: 6 3 .5 3; }
.chart .area { fill: var(--c); fill-opacity: .14; stroke: none; }
.legend .line { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linecap: round; }
.legend .dashed { stroke-dasharray: 5 4; } .legend .dotted { stroke-dasharray: .5 4; } .legend .dashdot { stroke-dasharray: 6 3 .5 3; }

.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.wide .chart .line { stroke-width: 1.1; }
.wide .chart .tick { font-size: 8px; }

.dots { font-size: .85rem; }
.dots-row { display: grid; grid-template-columns: minmax(8rem, 15rem) repeat(var(--heads), minmax(0, 1fr)); gap: .2rem 1.25rem; align-items: center; padding: .3rem 0;
  border-top: 1px solid var(--rule); }
.dots-row:first-child { border-top: 0; color: var(--muted); }
.dots-row h3, .dots-row .label { font-size: .9rem; font-weight: 500; line-height: 1.25; overflow-wrap: anywhere; }
.dots-row .mark { display: inline-block; margin-right: .4em; overflow: visible; vertical-align: -.1em; }
.dot-cell { display: grid; grid-template-columns: minmax(0, 1fr) var(--value); gap: .5rem; align-items: center; }
.dot-head { display: none; color: var(--muted); }
.dot-value { white-space: nowrap; text-align: right; }
.dots .interval { stroke: var(--c); stroke-width: 3; stroke-linecap: round; stroke-opacity: .45; }
.dots .seed { fill: var(--c); fill-opacity: .4; }
.dots .dot { fill: var(--c); }
.dots .axis-cell { color: var(--muted); }
.dots + .points { margin-top: 1.25rem; }
.compared { font-size: .82rem; }
.compared th, .compared td { padding-right: .45rem; }
.compared .number { padding-left: .45rem; }
.compared thead th { font-size: .78rem; }
.compared th:first-child { min-width: 8.5rem; }
.table-title { margin: 2rem 0 .6rem; }
.notes { margin: .7rem 0 0 1.1rem; font-size: .9rem; color: var(--muted); max-width: 60em; }
.notes li + li { margin-top: .25rem; }

.name { white-space: nowrap; }
.scatter { width: 100%; max-width: 22rem; height: auto; }
.scatter .dots { fill: none; stroke: var(--c); stroke-width: 4; stroke-linecap: round; stroke-opacity: .45; }
.alone { max-width: 48rem; }
.facts + h3, .panels + .panels { margin-top: 1.5rem; }
.heats + h3 { margin: 1rem 0 .4rem; }

.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.25rem; }
.card { background: var(--raised); border: 1px solid var(--rule); border-radius: 10px; padding: 1rem; min-width: 0; }
.parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .75rem; margin: .7rem 0; align-items: start; }
.parts figcaption { font-size: .85rem; color: var(--muted); margin-bottom: .3rem; }
.pixels { image-rendering: pixelated; }
.parts .pixels { width: 100%; aspect-ratio: 1; display: block; border-radius: 4px; }
audio { width: 100%; height: 2.2rem; margin-top: .4rem; display: block; }
.answers { width: 100%; font-size: .85rem; }
.answers th { padding: .22rem .35rem .22rem 0; }
.answers td { padding: .22rem .35rem; }
.answers thead th + th { padding-left: .35rem; }
.answers thead th:first-child { font-weight: 400; }
.right { font-weight: 650; } .wrong, .none { color: var(--muted); }
.answers .right { background: linear-gradient(var(--mark), var(--mark)) 0 50% / calc(100% - .3rem) 78% no-repeat; }

.command { overflow-x: auto; background: var(--raised); border: 1px solid var(--rule); border-radius: 6px; padding: .7rem .9rem; margin: .4rem 0 1.5rem; }
.facts { font-size: .925rem; margin-top: .4rem; }
.facts div { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: .75rem; padding: .3rem 0; border-top: 1px solid var(--rule); }
.facts dt { color: var(--muted); } .facts dd { overflow-wrap: anywhere; }
.time { width: 100%; margin-top: .4rem; }
.time .wide { width: 50%; padding-right: 0; vertical-align: middle; }
.time .total > * { font-weight: 600; }
.config { font-size: .85rem; margin: .5rem 0 .9rem; }
.config td { white-space: nowrap; }

@media (max-width: 46rem) {
  .dots-row { grid-template-columns: minmax(0, 1fr); padding: .5rem 0; }
  .dots-row:first-child { display: none; }
  .dot-cell { grid-template-columns: 4.5rem minmax(0, 1fr) var(--value); }
  .dot-cell.empty, .dots-row .label:empty { display: none; }
  .dot-head { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  body { padding: 1.25rem 1rem 2.5rem; }
  .lead { font-size: 1.05rem; }
  .method { grid-template-columns: minmax(0, 1fr); gap: .5rem; padding: .8rem 0; }
  .axis-row { padding: 0; }
  .lane { grid-template-columns: min(var(--names), 4.5rem) minmax(0, 1fr) 5.6rem; gap: .45rem; }
  .strip { grid-template-columns: min(var(--names), 4.5rem) minmax(0, 1fr); }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav, audio, footer { display: none; }
  section { margin-top: 1.5rem; }
  figure, .card, .method, .dots-row, .strips, tr, .points li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  svg, img { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
