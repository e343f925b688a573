// `paper.json` of each dataset: its README says where every value comes from, and it fits the dataset, its commands and `small.json`.
import { readFileSync } from 'node:fs';
import { loadTensorFlow } from '@g2d/native';
import { readConfig, type RunConfig } from '@g2d/runs';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseSettings } from '../../packages/cli/src/data/arguments.js';
import { buildModel } from '../../packages/runs/src/build-model.js';
import { findDataset } from '../../packages/runs/src/components.js';
import { factsOf, modalitiesOf } from '../../packages/runs/src/modalities.js';
import { openData } from '../../packages/runs/src/open-data.js';
import { planModel } from '../../packages/runs/src/plan-model.js';
import { commands, DATASETS, exampleFile, NAMES, optionOf, readme, root } from './examples.js';

/** Features that the paper's encoders give. */
const WIDTHS: Readonly<Record<string, number>> = {
  resnet18: 512,
  transformer: 768,
  'mobilenet-v2': 1280,
  'tabular-mlp': 16,
};

/** `a.b` → value, for everything that is no object. */
function leaves(values: object, prefix = ''): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]: [string, unknown]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(leaves(value, `${prefix}${key}.`))
        : [[prefix + key, value]],
    ),
  );
}

/** Key → value and source, of the table in a README. */
const tableOf = (text: string): readonly (readonly [key: string, value: string, source: string])[] =>
  [...text.matchAll(/^\| `([^`]+)` +\| `([^`]+)` +\| (.+?) *\|$/gm)].map(([, key, value, source]) => [
    key as string,
    value as string,
    source as string,
  ]);

const spaceless = (text: string): string => text.replaceAll(' ', '');

// Fixtures are found from the repository, as the commands find them.
const before = process.cwd();
beforeAll(async () => {
  process.chdir(root);
  await loadTensorFlow({ quiet: true });
  return () => process.chdir(before);
});
afterEach(() => tf.disposeVariables());

describe.each(NAMES)('examples/%s/paper.json', (dataset) => {
  const modalities = DATASETS[dataset];
  const path = exampleFile(dataset, 'paper.json');
  const small = readConfig(exampleFile(dataset, 'small.json'));
  /** The paper's settings on the fixture tree. */
  const onFixtures = (changes: Readonly<Record<string, unknown>>): RunConfig => {
    const places = Object.entries(small.dataset)
      .filter(([key]) => ['root', 'imageFolder', 'tableFolder'].includes(key))
      .map(([key, value]) => [`dataset.${key}`, value]);
    return readConfig(path, { ...Object.fromEntries(places), ...changes });
  };

  it('has every value, and no other, in the table of its README, with a source', () => {
    const { $schema, ...values } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    expect($schema).toBe('../../packages/runs/schema/run.schema.json');
    const table = tableOf(readme(dataset));
    expect(table.map(([key, value]) => [key, spaceless(value)])).toEqual(
      Object.entries(leaves(values)).map(([key, value]) => [key, spaceless(JSON.stringify(value))]),
    );
    for (const [, , source] of table) {
      expect(source).toMatch(
        /^(paper|released|ours|as the released|code that the paper cites|MMIN|the |librosa)/,
      );
    }
  });

  it('is a configuration whose phases fill its epochs, with the same method and encoders as small.json', () => {
    const paper = readConfig(path);
    const phases = paper.methodOptions.smp?.phaseEpochs as readonly number[];
    expect(phases).toHaveLength(modalities.length);
    expect(phases.reduce((sum, epochs) => sum + epochs, 0)).toBe(paper.epochs);
    for (const config of [paper, small]) {
      expect(config.method).toBe('g2d');
      expect(config.fusion).toEqual({ type: 'late' });
      expect(config.methodOptions.smp?.scope).toBe(paper.methodOptions.smp?.scope);
      expect(config.dataset.name).toBe(dataset);
      expect(config.select).toBe('validation-best');
    }
    const types = (config: RunConfig) =>
      Object.entries(config.encoders).map(([name, { type }]) => [name, type]);
    expect(types(small)).toEqual(types(paper));
  });

  it.each(['paper', 'small'])('%s.json finds its teachers where the commands put them', (name) => {
    const { teachers } = readConfig(exampleFile(dataset, `${name}.json`));
    const trained = commands(dataset, `/${name}.json --teacher`);
    expect(
      Object.fromEntries(trained.map((words) => [optionOf(words, '--teacher'), optionOf(words, '--out')])),
    ).toEqual(teachers);
    expect(Object.keys(teachers ?? {})).toEqual(modalities);
    const students = commands(dataset, `/${name}.json`).slice(trained.length);
    expect(students.map((words) => optionOf(words, '--method'))).toEqual(['joint', undefined]);
  });

  it('builds its networks for the inputs of the dataset', async () => {
    const config = readConfig(path);
    const data = await openData({ dataset: await findDataset(small.dataset), config: small });
    const { encoders } = await buildModel(
      await planModel(config, []),
      factsOf(modalitiesOf(config, data.train), data.train),
    );
    await data.close();
    expect(Object.keys(encoders)).toEqual(modalities);
    for (const [name, encoder] of Object.entries(encoders)) {
      const type = config.encoders[name]?.type as string;
      expect(encoder.outputs[0]?.shape).toEqual([null, WIDTHS[type]]);
    }
  });

  it('becomes the published protocol with the settings that the README gives', async () => {
    const [, flags] = /\*\*As published\*\*: add `([^`]+)`/.exec(readme(dataset)) as unknown as [
      string,
      string,
    ];
    const config = onFixtures(
      parseSettings(
        flags
          .split('--set ')
          .filter(Boolean)
          .map((text) => text.trim()),
      ),
    );
    expect(config.select).toBe('test-best');
    const { validation, close } = await openData({ dataset: await findDataset(config.dataset), config });
    await close();
    // The released code has none; the other three datasets come with one.
    const released = ['crema-d', 'av-mnist', 'vgg-sound'].includes(dataset);
    expect(validation === undefined).toBe(released);
  });
});
