import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { paperUses, usesWords } from './paper-tables.js';

const cremaD = { train: 6698, test: 744, sounds: 7442, 'frame folders': 7442 };
const namesOf = (name: string): string[] =>
  paperUses(name, { expected: {}, found: {}, asPublished: true }).map((use) => use.name);

describe('paperUses', () => {
  it('knows where the paper has each of its datasets', () => {
    expect(namesOf('crema-d').join(', ')).toBe(
      'Table 1, Table 4, Table 5, Table 6, Table 7, Table 8, Table 9, Table 12, Figure 1, Figure 3, Figure 5, Figure 6',
    );
    expect(namesOf('vgg-sound')).toEqual(['Table 1', 'Table 5', 'Table 6', 'Figure 3', 'Figure 6']);
    expect(namesOf('iemocap')).toEqual(['Table 7', 'Table 11']);
    expect(namesOf('mis-me')).toEqual(['Table 3']);
    expect(namesOf('watch')).toEqual([]);
  });

  it('says of a whole, a half and an empty folder what can be run', () => {
    const of = (found: Readonly<Record<string, number>>, asPublished = false) =>
      new Set(paperUses('crema-d', { expected: cremaD, found, asPublished }).map((use) => use.with));
    expect(of(cremaD, true)).toEqual(new Set(['as published']));
    expect(of({ ...cremaD, train: 3000 })).toEqual(new Set(['fewer samples']));
    expect(of({ ...cremaD, test: 0 })).toEqual(new Set(['nothing']));
  });

  it('wants all folds where their mean is taken', () => {
    const check = {
      expected: { utterances: 5531, folds: 10 },
      found: { utterances: 600, folds: 2 },
      asPublished: false,
    };
    const uses = paperUses('iemocap', check);
    expect(usesWords(uses)).toBe(`
What cannot be run yet:
  Table 7, beside crema-d
  Table 11
`);
    expect(usesWords(paperUses('iemocap', { ...check, found: { utterances: 5000, folds: 10 } }))).toMatch(
      /with the samples that are there .*:\n {2}Table 7, beside crema-d\n {2}Table 11\n$/,
    );
  });

  it('has the datasets whose configurations ship', () => {
    for (const name of ['crema-d', 'av-mnist', 'vgg-sound', 'ur-funny', 'iemocap', 'mis-me']) {
      const path = new URL(`../../../../examples/${name}/paper.json`, import.meta.url);
      const { dataset } = JSON.parse(readFileSync(path, 'utf8')) as { dataset: { name: string } };
      expect(dataset.name).toBe(name);
      expect(namesOf(name).length).toBeGreaterThan(0);
    }
  });
});
