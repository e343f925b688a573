import { describe, expect, it } from 'vitest';
import { chartScales, lineChart, SIZE, spread, type LineChartOptions } from './line-chart.js';

const options: LineChartOptions = {
  description: 'accuracy',
  x: { domain: [0, 10], label: 'epoch' },
  y: { domain: [0, 100], format: String },
  series: [],
};

describe('lineChart', () => {
  it('places a point by its values', () => {
    const { markup } = lineChart({
      ...options,
      series: [{ name: 'a', points: [[5, 50]], color: 'm0', stroke: 'solid', markers: true }],
    });
    const x = (SIZE.left + SIZE.width - SIZE.right) / 2;
    const y = (SIZE.top + SIZE.height - SIZE.bottom) / 2;
    expect(markup).toContain(`cx="${x}" cy="${y}"`);
    expect(markup).toContain('a, epoch 5: 50');
  });

  it('puts larger values higher and decades at equal distances on a logarithmic scale', () => {
    const { y, yTicks } = chartScales({ ...options, y: { domain: [0.01, 1], type: 'log', format: String } });
    expect(yTicks).toEqual([0.01, 0.1, 1]);
    expect(y(0.01) - y(0.1)).toBeCloseTo(y(0.1) - y(1), 8);
    expect(y(1)).toBe(SIZE.top);
  });

  it('leaves a gap where a value is not finite or cannot be shown on a logarithmic scale', () => {
    const path = (type: 'linear' | 'log', value: number): string =>
      lineChart({
        ...options,
        y: { domain: [0.1, 1], type, format: String },
        series: [
          {
            name: 'a',
            points: [
              [1, 1],
              [2, value],
              [3, 1],
            ],
            color: 'm0',
            stroke: 'solid',
          },
        ],
      }).markup.match(/ d="([^"]*)"/)?.[1] ?? '';
    for (const d of [path('linear', Number.NaN), path('log', 0)]) {
      expect(d).not.toContain('NaN');
      expect(d.match(/M/g)).toHaveLength(2);
    }
  });

  it('shades a span over exactly its epochs', () => {
    const { markup } = lineChart({ ...options, bands: [{ from: 0, to: 5, label: 'first' }] });
    const half = (SIZE.width - SIZE.left - SIZE.right) / 2;
    expect(markup).toContain(`class="band" x="${SIZE.left}" y="${SIZE.top}" width="${half}"`);
  });

  it('escapes names', () => {
    const { markup } = lineChart({
      ...options,
      description: '<"',
      series: [{ name: '<b>', points: [[1, 1]], color: 'm0', stroke: 'solid', label: true, markers: true }],
      levels: [{ y: 3, color: 'm0', name: '<i>' }],
    });
    expect(markup).not.toMatch(/<b>|<i>|aria-label="<"/);
  });
});

describe('spread', () => {
  it('pushes labels apart and keeps them inside', () => {
    expect(spread([10, 11, 50], 10, 0, 100)).toEqual([10, 20, 50]);
    expect(spread([97, 98, 99], 10, 0, 100)).toEqual([80, 90, 100]);
  });
});
