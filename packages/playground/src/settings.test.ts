import { describe, expect, it } from 'vitest';
import type { Catalog } from './catalog.js';
import {
  DEFAULTS,
  formatAddress,
  isUnchangedData,
  methodOptions,
  parseAddress,
  valueOf,
} from './settings.js';

const facts = {
  label: '',
  summary: '',
  formula: '',
  paper: '',
  teachers: true,
  validation: false,
  widths: {},
};
const alpha = { key: 'g2d-loss.alpha', help: '', kind: 'number', default: 1, min: 0, whole: false } as const;
const phases = { key: 'smp.phaseEpochs', help: '', kind: 'phases', default: 0.5 } as const;
const scope = {
  key: 'smp.scope',
  help: '',
  kind: 'choice',
  default: 'conv',
  choices: ['conv', 'encoder'],
} as const;
const catalog: Catalog = [
  { ...facts, name: 'joint', parts: ['joint'], controls: [], fixed: {} },
  {
    ...facts,
    name: 'g2d',
    parts: ['g2d-loss', 'smp'],
    controls: [alpha, phases, scope],
    fixed: { smp: { ties: 'together' } },
  },
];

describe('the address', () => {
  it('says nothing where everything has its default, and reads nothing as that', () => {
    expect(formatAddress(DEFAULTS, catalog)).toBe('');
    expect(parseAddress('', catalog)).toEqual({ settings: DEFAULTS, problems: [] });
  });

  it('keeps every setting', () => {
    const settings = {
      ...DEFAULTS,
      epochs: 20,
      seed: 7,
      signalToNoise: -10,
      imageComponents: 16,
      beside: false,
      teachers: 'page',
      backend: 'webgl',
      options: { 'g2d-loss.alpha': 2.5, 'smp.phaseEpochs': 5, 'smp.scope': 'encoder' },
    } as const;
    const address = formatAddress(settings, catalog);
    expect(address).toBe(
      '#epochs=20&seed=7&signalToNoise=-10&imageComponents=16&teachers=page&backend=webgl&beside=nothing&g2d-loss.alpha=2.5&smp.phaseEpochs=5&smp.scope=encoder',
    );
    expect(parseAddress(address, catalog)).toEqual({ settings, problems: [] });
  });

  it.each([
    ['#method=g3d', 'The address has method = "g3d", which must be one of joint, g2d; g2d is taken.'],
    [
      '#epochs=1e9',
      'The address has epochs = "1e9", which must be a whole number from 4 to 200; 60 is taken.',
    ],
    ['#seed=', 'The address has seed = "", which must be a whole number from 0 to 2147483647; 0 is taken.'],
    [
      '#g2d-loss.alpha=-1',
      'The address has g2d-loss.alpha = "-1", which must be a number of at least 0; 1 is taken.',
    ],
    [
      '#smp.phaseEpochs=61',
      'The address has smp.phaseEpochs = "61", which must be a whole number from 0 to 60; 30 is taken.',
    ],
    ['#beside=ogm', 'The address has beside = "ogm", which must be one of joint, nothing; joint is taken.'],
    ['#<script>=1', 'The address has "<script>", which this page does not know.'],
  ])('goes on with defaults where it is nonsense: %s', (hash, problem) => {
    expect(parseAddress(hash, catalog)).toEqual({ settings: DEFAULTS, problems: [problem] });
  });

  it('leaves the options of other methods alone', () => {
    const { settings, problems } = parseAddress('#method=joint&g2d-loss.alpha=3', catalog);
    expect([settings.options, problems]).toEqual([{}, []]);
  });
});

describe('the options of a method', () => {
  it('are those of its definitions, with phases that fill the training', () => {
    const settings = { ...DEFAULTS, epochs: 20, options: { 'g2d-loss.alpha': 2 } };
    expect(methodOptions(settings, catalog[1]!)).toEqual({
      'g2d-loss': { alpha: 2 },
      smp: { ties: 'together', phaseEpochs: [10, 10], scope: 'conv' },
    });
  });

  it('follow the number of epochs where they are a part of it, until they are set', () => {
    const every = {
      ...alpha,
      key: 'gradient-blending.every',
      default: 10,
      byEpochs: Array.from({ length: 197 }, (_, i) => Math.round((i + 4) / 6)),
    } as const;
    expect([60, 4, 24, 200].map((epochs) => valueOf({ ...DEFAULTS, epochs }, every))).toEqual([10, 1, 4, 33]);
    const options = { 'gradient-blending.every': 7 };
    expect(valueOf({ ...DEFAULTS, epochs: 24, options }, every)).toBe(7);
  });

  it('never have a phase that is longer than the training', () => {
    expect(valueOf({ ...DEFAULTS, epochs: 8, options: { 'smp.phaseEpochs': 30 } }, phases)).toBe(8);
  });
});

it('knows for which data the loaded teachers are', () => {
  expect(isUnchangedData(DEFAULTS)).toBe(true);
  expect(isUnchangedData({ ...DEFAULTS, signalToNoise: 0 })).toBe(false);
});
