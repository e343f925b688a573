// The curves: how many test pairs each head gets right after each epoch, one chart for the method and one for joint training.
import { formatNumber } from '@g2d/core';
import uPlot from 'uplot';
import { HEADS, type ByHead, type EpochReport, type Head, type TeacherReport } from '../protocol.js';
import { element } from './element.js';

export const HEAD_LABELS: ByHead<string> = { fused: 'both', audio: 'sound', image: 'picture' };

/** A chart, its legend with the numbers of now, and a table of all of them. */
export interface Curves {
  readonly root: HTMLElement;
  show(history: readonly EpochReport[], teachers: TeacherReport | undefined): void;
  /** After a change of colours or of the font. */
  restyle(): void;
  destroy(): void;
}

/** @param epochs The last of the axis. */
export function curves(title: string, epochs: number): Curves {
  const legend = element('ul', { class: 'legend' });
  const chart = element('div', { class: 'chart', role: 'img' });
  const rows = element('tbody');
  const table = element(
    'details',
    { class: 'values' },
    element('summary', {}, 'The values as a table'),
    element(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Values of ${title}` },
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...['Epoch', ...HEADS.map((head) => HEAD_LABELS[head])].map((name) =>
              element('th', { scope: 'col' }, name),
            ),
          ),
        ),
        rows,
      ),
    ),
  );
  const root = element('figure', { class: 'curve' }, element('figcaption', {}, title), legend, chart, table);
  let plot: uPlot | undefined;
  let shown: readonly EpochReport[] = [];
  let known: TeacherReport | undefined;

  const data = (): uPlot.AlignedData => {
    const own = HEADS.map((head) => shown.map(({ accuracy }) => accuracy[head]));
    const lines = [known?.accuracy.audio, known?.accuracy.image].map((value) =>
      [1, epochs].map(() => value ?? null),
    );
    // The teachers' lines go from edge to edge, whatever has been trained.
    const at = shown.map(({ epoch }) => epoch);
    return uPlot.join([
      [at, ...own],
      [[1, epochs], ...(lines as number[][])],
    ] as uPlot.AlignedData[]);
  };

  const draw = (): void => {
    plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const axis: uPlot.Axis = {
      stroke: color('soft'),
      grid: { stroke: color('line'), width: 1 },
      ticks: { show: false },
      font: `12px ${style.getPropertyValue('--font')}`,
      size: 30,
    };
    const line = (head: Head): uPlot.Series => ({
      stroke: color(head),
      width: head === 'fused' ? 2.5 : 2,
      points: { show: false },
      spanGaps: true,
    });
    const teacher = (head: Head): uPlot.Series => ({ ...line(head), width: 1.2, dash: [5, 5] });
    plot = new uPlot(
      {
        width: Math.max(200, chart.clientWidth),
        height: 210,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 8, 0, 0],
        scales: { x: { time: false, range: [1, epochs] }, y: { range: [0, 100] } },
        axes: [axis, { ...axis, size: 34 }],
        series: [{}, line('fused'), line('audio'), line('image'), teacher('audio'), teacher('image')],
      },
      data(),
      chart,
    );
  };

  const resize = new ResizeObserver(() =>
    plot?.setSize({ width: Math.max(200, chart.clientWidth), height: 210 }),
  );
  resize.observe(chart);

  return {
    root,
    show(history, teachers) {
      shown = history;
      known = teachers;
      if (plot) plot.setData(data());
      else draw();
      const now = history.at(-1);
      legend.replaceChildren(
        ...HEADS.map((head) => {
          const value = now ? `${formatNumber(now.accuracy[head])} %` : '–';
          const alone = head === 'fused' ? undefined : teachers?.accuracy[head];
          return element(
            'li',
            { class: head },
            element('span', { class: 'key', 'aria-hidden': 'true' }),
            `${HEAD_LABELS[head]} `,
            element('b', {}, value),
            ...(alone === undefined
              ? []
              : [element('span', { class: 'alone' }, `, its teacher ${formatNumber(alone)} %`)]),
          );
        }),
      );
      chart.setAttribute('aria-label', described(title, now, teachers));
      for (const report of history.slice(rows.childElementCount)) rows.append(row(report));
    },
    restyle: draw,
    destroy() {
      resize.disconnect();
      plot?.destroy();
      root.remove();
    },
  };
}

const row = ({ epoch, accuracy }: EpochReport): HTMLElement =>
  element(
    'tr',
    {},
    element('th', { scope: 'row' }, String(epoch)),
    ...HEADS.map((head) => element('td', {}, formatNumber(accuracy[head]))),
  );

function described(title: string, now: EpochReport | undefined, teachers: TeacherReport | undefined): string {
  if (!now) return `${title}: no epoch yet.`;
  const values = HEADS.map((head) => `${HEAD_LABELS[head]} ${formatNumber(now.accuracy[head])} %`).join(', ');
  const lines = teachers
    ? ` Dashed lines: the teachers alone, sound ${formatNumber(teachers.accuracy.audio)} %, picture ${formatNumber(teachers.accuracy.image)} %.`
    : '';
  return `${title}, right answers after epoch ${now.epoch}: ${values}.${lines} All values are in the table below.`;
}
