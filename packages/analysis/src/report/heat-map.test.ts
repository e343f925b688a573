import { describe, expect, it } from 'vitest';
import { heatMap } from './heat-map.js';

const identity = (size: number): number[][] =>
  Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => Number(row === column)),
  );

describe('heatMap', () => {
  it('colours a cell by its share of the true class and says the count', () => {
    const { markup } = heatMap({
      counts: [
        [3, 1],
        [0, 0],
      ],
      classNames: ['cat', '<dog>'],
      color: 'm0',
      description: 'confusion',
    });
    expect(markup).toContain('true cat, predicted cat: 3 of 4 (75 %)');
    expect(markup).toContain('true cat, predicted &lt;dog&gt;: 1 of 4 (25 %)');
    expect(markup).toContain('true &lt;dog&gt;, predicted cat: 0 of 0 (0 %)');
    expect([...markup.matchAll(/fill-opacity="([^"]*)"/g)].map((match) => match[1])).toEqual([
      '0.75',
      '0.25',
    ]);
  });

  it('writes numbers while there is room, then only colours, then a picture', () => {
    const map = (size: number): string =>
      heatMap({ counts: identity(size), classNames: [], color: 'm0', description: 'confusion' }).markup;
    expect(map(10)).toContain('class="count');
    expect(map(20)).not.toContain('class="count');
    expect(map(20)).toContain('<rect class="fill"');
    expect(map(60)).toMatch(/^<img [^>]*alt="confusion">$/);
  });
});

describe('labels of a heat map', () => {
  it('have room for the longest name, and say where one is cut', () => {
    const counts = [
      [1, 2, 3],
      [1, 5, 0],
      [0, 0, 9],
    ];
    const classNames = ['healthy', 'ill', 'beyond recovery'];
    const { markup } = heatMap({ counts, classNames, color: 'fused', description: 'three classes' });
    const labels = [...markup.matchAll(/class="tick"[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(labels).toContain('healthy');
    expect(labels).toContain('beyond re…');
    expect(markup).toContain('beyond re…<title>beyond recovery</title>');
    // 10 and ten letters of 6: the names of rows end where the cells begin.
    expect(markup).toContain('translate(70 20)');
    // Cells take what is left: 180 / (3 − 0.06) = 61.2 wide, 0.94 of it filled; (57.6 + 2) / 6 gives a column 9 letters.
    expect(labels.filter((text) => text === 'beyond r…')).toHaveLength(1);
  });

  it('leave a short name whole on the left', () => {
    const counts = [
      [1, 2],
      [1, 5],
    ];
    const { markup } = heatMap({ counts, classNames: ['dead', 'ill'], color: 'fused', description: 'two' });
    // 10 + 4 · 6: 29 are left of the label's end at −5, and four letters of 9.5 px are 24 wide.
    expect(markup).toContain('translate(34 20)');
    expect(markup).toContain('>dead</text>');
  });
});
