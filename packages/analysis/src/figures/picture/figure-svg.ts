import { markup, type Markup } from '../../report/markup.js';
import type { FigureData, Panel } from '../data/figure-data.js';
import { barEntries, barsPlot } from './bars-panel.js';
import {
  AXIS_HEIGHT,
  captionHeight,
  captionOf,
  heading,
  linesOf,
  PANEL_WIDTH,
  PLOT_BOTTOM,
  px,
} from './layout.js';
import { legend, legendHeight, type LegendEntry } from './legend.js';
import { lineEntries, linesPlot } from './lines-panel.js';
import { pointEntries, pointsPlot } from './points-panel.js';
import { FONT, INK, PAPER } from './tones.js';

const TITLE = { size: 15, line: 20, top: 26, room: 12 } as const;
const MARGIN = 10;

/**
 * A figure as SVG: panels in a grid on white, in colours that people of all kinds of sight tell apart. It stands alone: no style sheet, no
 * script, nothing from elsewhere but the font.
 *
 * @returns The whole file.
 */
export function figureSvg({ number, title, panels, columns }: FigureData): string {
  const rows = Array.from({ length: Math.ceil(panels.length / columns) }, (_, row) =>
    panels.slice(row * columns, (row + 1) * columns),
  );
  const width = Math.min(columns, panels.length) * PANEL_WIDTH + 2 * MARGIN;
  const titles = linesOf(title, TITLE.size * 1.16, width - 2 * MARGIN);
  let bottom = TITLE.top + (titles.length - 1) * TITLE.line + TITLE.room;
  const placed = rows.map((row) => {
    const top = bottom;
    bottom += Math.max(...row.map(heightOf)) + MARGIN;
    return row.map(
      (panel, column) =>
        markup`<g transform="translate(${px(MARGIN + column * PANEL_WIDTH)} ${px(top)})">
${drawn(panel)}</g>
`,
    );
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${px(bottom)}" viewBox="0 0 ${width} ${px(bottom)}" font-family="${FONT}" role="img" aria-label="Figure ${number}: ${title}">
<rect width="${width}" height="${px(bottom)}" fill="${PAPER}"/>
${titles.map(
  (line, i) =>
    markup`<text x="${MARGIN + 6}" y="${TITLE.top + i * TITLE.line}" font-size="${TITLE.size}" font-weight="bold" fill="${INK}">${line}</text>
`,
)}${placed}</svg>
`.markup;
}

function entriesOf(panel: Panel): LegendEntry[] {
  if (panel.kind === 'lines') return lineEntries(panel);
  return panel.kind === 'bars' ? barEntries(panel) : pointEntries(panel);
}

const axisHeight = ({ kind }: Panel): number => (kind === 'bars' ? AXIS_HEIGHT - 14 : AXIS_HEIGHT);

/** Where the names of the colours end. */
const legendEnd = (panel: Panel): number => PLOT_BOTTOM + axisHeight(panel) + legendHeight(entriesOf(panel));

const heightOf = (panel: Panel): number => legendEnd(panel) + captionHeight(panel);

function drawn(panel: Panel): Markup {
  return markup`${heading(panel)}${plot(panel)}${legend(entriesOf(panel), PLOT_BOTTOM + axisHeight(panel))}${captionOf(panel, legendEnd(panel))}`;
}

function plot(panel: Panel): Markup {
  if (panel.kind === 'lines') return linesPlot(panel);
  return panel.kind === 'bars' ? barsPlot(panel) : pointsPlot(panel);
}
