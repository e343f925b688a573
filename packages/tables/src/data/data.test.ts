import { METHOD_NAMES } from '@g2d/runs/internal';
import { methods } from '@g2d/methods';
import { describe, expect, it } from 'vitest';
import { claimsOf, ratioClaims, type Term } from './claims.js';
import { doubtsOf, paperValues, publishedCells } from './paper-values.js';
import { standIns } from './stand-ins.js';

const { cells, methods: names, tables } = paperValues();
const places = Object.keys(tables);

describe('the paper’s numbers', () => {
  it('are 322 cells of twelve tables, and those of one run are equal in every table', () => {
    expect([cells.length, places.length]).toEqual([322, 12]);
    const known = new Map<string, number>();
    for (const { run, head, metric, value } of cells) {
      const key = `${run} ${head} ${metric}`;
      expect(known.get(key) ?? value, key).toBe(value);
      known.set(key, value);
    }
  });

  it('have methods that exist', () => {
    const known = new Set(methods.map(({ name }) => name));
    expect(METHOD_NAMES).toEqual([...known]);
    const parts = [...Object.keys(names), ...cells.map(({ method }) => method)].flatMap((name) =>
      name.split('+'),
    );
    expect([...new Set(parts)].filter((name) => name !== 'teacher' && !known.has(name))).toEqual([]);
  });

  it('are k / 744 and k / 994 where the file says so', () => {
    for (const { checks, value, run } of cells) {
      for (const { kind, k, n } of checks) {
        if (kind !== 'count' || typeof k !== 'number' || typeof n !== 'number') continue;
        expect(Math.abs((100 * k) / n - value), `${run} ${value}`).toBeLessThan(0.0051);
      }
    }
  });

  it('have the doubts of their own table', () => {
    expect(doubtsOf('table-1').some(({ where }) => where.includes('table-10'))).toBe(false);
    expect(doubtsOf('table-10').map(({ level }) => level)).toEqual(['meaning']);
  });
});

describe('the claims', () => {
  const all = places.filter((place) => place !== 'table-10').flatMap(claimsOf);

  it('are 76 about tables, and two about costs', () => {
    expect(all.length + ratioClaims().length).toBe(78);
  });

  it('have methods that exist, and are what the published numbers say', () => {
    const published = (
      place: string,
      dataset: string,
      { method, head, metric = 'accuracy', setting = {} }: Term,
    ) => {
      const own = publishedCells(place).filter(
        (cell) =>
          cell.dataset === dataset && cell.head === head && cell.metric === metric && cell.method === method,
      );
      const wanted = JSON.stringify(Object.entries(setting));
      const found = own.find((cell) => JSON.stringify(Object.entries(cell.setting ?? {})) === wanted);
      return (found ?? own.find((cell) => !cell.setting))?.value as number;
    };
    for (const claim of all) {
      const value = (term: Term): number => published(claim.place, claim.dataset, term);
      const isTrue = {
        greater: () => claim.kind === 'greater' && value(claim.left) > value(claim.right),
        less: () => claim.kind === 'less' && value(claim.left) < value(claim.right),
        best: () => claim.kind === 'best' && claim.others.every((other) => value(claim.left) > value(other)),
        increasing: () => {
          if (claim.kind !== 'increasing') return false;
          const values = claim.levels.map((setting) => value({ method: 'g2d', head: 'fused', setting }));
          return values.every((one, at) => at === 0 || one > (values[at - 1] as number));
        },
        'smaller drop': () => {
          if (claim.kind !== 'smaller drop') return false;
          const drop = (term: Term): number => value({ ...term, setting: claim.from }) - value(term);
          return drop(claim.left) < drop(claim.right);
        },
      }[claim.kind]();
      expect(isTrue, `${claim.id} ${claim.dataset}`).toBe(claim.published.true);
    }
    // Cross-attention is third on AV-MNIST.
    expect(
      all.filter(({ published: { true: isTrue } }) => !isTrue).map(({ id, dataset }) => [id, dataset]),
    ).toEqual([['T5.2', 'av-mnist']]);
  });
});

describe('standIns', () => {
  it('are the datasets themselves but for the small scale', () => {
    const [own] = standIns(1, 'paper', ['crema-d']);
    expect([own?.paper, own?.head('video'), own?.claimed('video')]).toEqual(['crema-d', 'video', 'video']);
  });

  it('know which modality starves', () => {
    const [small] = standIns(1, 'small', ['av-mnist-small']);
    expect([small?.paper, small?.head('audio'), small?.claimed('audio')]).toEqual([
      'av-mnist',
      'audio',
      'image',
    ]);
    expect(standIns(12, 'small', ['av-mnist-small', 'multiple-features']).map(({ paper }) => paper)).toEqual([
      'crema-d',
      'ur-funny',
    ]);
  });
});
