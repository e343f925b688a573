import { describe, expect, it } from 'vitest';
import { changedCase, filesOf, publicNames, type Json } from '../test/parity-files.js';
import { readCase } from './read-case.js';
import { readExpected } from './read-expected.js';

describe('readExpected', () => {
  it.each(publicNames(''))('knows every key of %s, in the order of computation', (name) => {
    const files = filesOf(name);
    const { expectations } = readExpected(files.expected, readCase(files.case));
    expect(expectations.length).toBeGreaterThan(10);
    for (const { truth, deviation } of expectations) {
      expect(truth).toBeDefined();
      expect(deviation).toBeDefined();
    }
  });

  it('reads values, deviations, tables and ties', () => {
    const files = filesOf('g2d-window');
    const { expectations, ties } = readExpected(files.expected, readCase(files.case));
    expect(ties).toEqual([0, 0, 1]);
    expect(
      expectations.find((item) => 'quantity' in item && item.quantity.path.join() === 'steps,0,strongest'),
    ).toMatchObject({
      truth: expect.stringMatching(/^(audio|visual)$/),
      deviation: 0,
    });
    const parameters = expectations.find(
      (item) => 'table' in item && item.table.path.join() === 'parameters',
    );
    expect([...(parameters!.truth as Map<string, number[]>).keys()]).toHaveLength(124);
    expect((parameters!.deviation as Map<string, number[]>).get('audio_net.conv1.weight')).toHaveLength(3);
  });

  const broken: [problem: string, name: string, change: (file: Json) => string | void, message: RegExp][] = [
    [
      'results of another case',
      'losses',
      (file) => void (file.id = 'joint-late'),
      /`id` must be "losses"; it is "joint-late"/,
    ],
    [
      'another version',
      'losses',
      (file) => void (file.format = 'g2d-parity-expected/2'),
      /`format` must be "g2d-parity-expected\/1"/,
    ],
    ['an unknown key', 'losses', (file) => void (file.truths = {}), /the key `truths` is unknown/],
    [
      'a quantity that is not computed',
      'joint-late',
      (file) => void (file.truth.steps[0].rhoAudio = 1),
      /the key `truth\.steps\[0\]\.rhoAudio` is unknown; the keys of `truth\.steps\[0\]` are lossUnimodalAudio/,
    ],
    [
      'a missing quantity',
      'joint-late',
      (file) => void delete file.truth.steps[1].lossCe,
      /`truth\.steps\[1\]\.lossCe` must be a finite number; it is missing/,
    ],
    [
      'a missing deviation',
      'joint-late',
      (file) => void delete file.float32Deviation.steps[1].lossCe,
      /`float32Deviation\.steps\[1\]\.lossCe` must be a finite number of at least 0; it is missing/,
    ],
    [
      'a missing step',
      'joint-late',
      (file) => void file.truth.steps.pop(),
      /`truth\.steps` must be a list of 3/,
    ],
    [
      'too many samples',
      'joint-late',
      (file) => void file.truth.steps[0].featureL2Audio.push(1),
      /`truth\.steps\[0\]\.featureL2Audio` must be a list of 4/,
    ],
    [
      'a number in place of a word',
      'g2d-window',
      (file) => void (file.truth.steps[0].strongest = 1),
      /`truth\.steps\[0\]\.strongest` must be a text/,
    ],
    [
      'not a number',
      'losses',
      (file) => void (file.truth.tables[0].ce.value = null),
      /`truth\.tables\[0\]\.ce\.value` must be a finite number; it is null/,
    ],
    [
      'other columns',
      'joint-late',
      (file) => void (file.truth.parameters.columns = file.truth.parameters.columns.toReversed()),
      /`truth\.parameters\.columns\[0\]` must be "grad0L2"/,
    ],
    [
      'a missing row',
      'joint-late',
      (file) => void delete file.truth.buffers.rows['audio_net.bn1.running_mean'],
      /`truth\.buffers\.rows\.audio_net\.bn1\.running_mean` must be a list of 2; it is missing/,
    ],
    [
      'a row of no tensor',
      'joint-late',
      (file) => void (file.truth.buffers.rows['x.y'] = [1, 2]),
      /x\.y is not a tensor of this table/,
    ],
    [
      'a negative deviation',
      'losses',
      (file) => void (file.float32Deviation.tables[0].ce.value = -1),
      /of at least 0; it is -1/,
    ],
    [
      'a truncated file',
      'losses',
      (file) => JSON.stringify(file).slice(0, -1),
      /expected\.json: not valid JSON/,
    ],
  ];
  it.each(broken)('refuses %s', (_, name, change, message) => {
    const files = changedCase(name, { expected: change });
    const parityCase = readCase(files.case);
    expect(() => readExpected(files.expected, parityCase)).toThrow(message);
    expect(() => readExpected(files.expected, parityCase)).toThrow(files.expected);
  });
});
