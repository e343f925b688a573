import { markup, type Markup } from '../../report/markup.js';
import type { FigureData, Panel } from '../data/figure-data.js';
import { barEntries, barsPlot } from './bars-panel.js';
import { AXIS_HEIGHT, heading, PANEL_WIDTH, PLOT_BOTTOM, px } from './layout.js';
import { legend, legendHeight, type LegendEntry } from './legend.js';
import { lineEntries, linesPlot } from './lines-panel.js';
import { pointEntries, pointsPlot } from './points-panel.js';
import { FONT, INK, PAPER } from './tones.js';

const TITLE_HEIGHT = 38;
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
  let bottom = TITLE_HEIGHT;
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
  const width = Math.min(columns, panels.length) * PANEL_WIDTH + 2 * MARGIN;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${px(bottom)}" viewBox="0 0 ${width} ${px(bottom)}" font-family="${FONT}" role="img" aria-label="Figure ${number}: ${title}">
<rect width="${width}" height="${px(bottom)}" fill="${PAPER}"/>
<text x="${MARGIN + 6}" y="26" font-size="15" font-weight="bold" fill="${INK}">${title}</text>
${placed}</svg>
`.markup;
}

function entriesOf(panel: Panel): LegendEntry[] {
  if (panel.kind === 'lines') return lineEntries(panel);
  return panel.kind === 'bars' ? barEntries(panel) : pointEntries(panel);
}

const axisHeight = ({ kind }: Panel): number => (kind === 'bars' ? AXIS_HEIGHT - 14 : AXIS_HEIGHT);

const heightOf = (panel: Panel): number => PLOT_BOTTOM + axisHeight(panel) + legendHeight(entriesOf(panel));

function drawn(panel: Panel): Markup {
  return markup`${heading(panel)}${plot(panel)}${legend(entriesOf(panel), PLOT_BOTTOM + axisHeight(panel))}`;
}

function plot(panel: Panel): Markup {
  if (panel.kind === 'lines') return linesPlot(panel);
  return panel.kind === 'bars' ? barsPlot(panel) : pointsPlot(panel);
}
