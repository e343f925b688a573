import { describe, expect, it } from 'vitest';
import { changedCase, filesOf, publicNames, type Json } from '../test/parity-files.js';
import { readCase } from './read-case.js';

describe('readCase', () => {
  it.each(publicNames(''))('reads %s', (name) => {
    expect(readCase(filesOf(name).case)).toMatchObject({ id: name });
  });

  it('keeps what a case says', () => {
    expect(readCase(filesOf('ogm-ge-late').case)).toMatchObject({
      kind: 'train',
      method: 'ogm-ge',
      fusion: 'late',
      seed: 32,
      ogm: { alpha: 0.8, window: [0, 50], noiseScale: Math.sqrt(3) },
      optimizer: { learningRate: 0.001, momentum: 0.9, weightDecay: 0.0001, dampening: 0, nesterov: false },
      inputs: { visual: { shape: [4, 3, 1, 34, 40] } },
      evalBatch: { labels: [0, 3, 2, 5] },
    });
  });

  it('takes other optimizer settings, sizes and frames', () => {
    const { case: file } = changedCase('losses', {
      case: (file) => void (file.tables[0].temperatures = [0.5, 3]),
    });
    expect(readCase(file)).toMatchObject({ tables: [{ temperatures: [0.5, 3] }, {}, {}] });
    const { case: nesterov } = changedCase('joint-late', {
      case: (file) => {
        file.optimizer.nesterov = true;
        file.inputs.visual.shape = [4, 3, 5, 17, 23];
      },
    });
    expect(readCase(nesterov)).toMatchObject({
      optimizer: { nesterov: true },
      inputs: { visual: { shape: [4, 3, 5, 17, 23] } },
    });
  });

  const broken: [problem: string, name: string, change: (file: Json) => string | void, message: RegExp][] = [
    [
      'another version',
      'losses',
      (file) => void (file.format = 'g2d-parity-case/2'),
      /`format` must be "g2d-parity-case\/1"; it is "g2d-parity-case\/2"/,
    ],
    [
      'no version',
      'losses',
      (file) => void delete file.format,
      /`format` must be "g2d-parity-case\/1"; it is missing/,
    ],
    [
      'an unknown kind',
      'losses',
      (file) => void (file.kind = 'model'),
      /`kind` must be "encoder" or "train" or "losses"; it is "model"/,
    ],
    [
      'an unknown key',
      'losses',
      (file) => void (file.table = []),
      /the key `table` is unknown; the keys of this file are format, id, .*tables\./,
    ],
    [
      'an unknown key inside',
      'joint-late',
      (file) => void (file.optimizer.momentun = 0.9),
      /the key `optimizer\.momentun` is unknown; the keys of `optimizer` are type, learningRate/,
    ],
    [
      'an unknown key in a list',
      'joint-late',
      (file) => void (file.steps[1].lr = 1),
      /the key `steps\[1\]\.lr` is unknown/,
    ],
    [
      'a missing key',
      'joint-late',
      (file) => void delete file.steps[2].epoch,
      /`steps\[2\]\.epoch` must be a whole number of at least 0; it is missing/,
    ],
    [
      'an unknown fusion',
      'joint-late',
      (file) => void (file.fusion = 'attention'),
      /`fusion` must be "late" or .*"gated"; it is "attention"/,
    ],
    [
      'an unknown method',
      'joint-late',
      (file) => void (file.method = 'pmr'),
      /`method` must be "joint" or .*"g2d"; it is "pmr"/,
    ],
    ['settings of another method', 'joint-late', (file) => void (file.ogm = {}), /the key `ogm` is unknown/],
    [
      'noise without OGM-GE',
      'ogm-late',
      (file) => void (file.ogm.noiseScale = 1),
      /the key `ogm\.noiseScale` is unknown/,
    ],
    [
      'OGM-GE without noise',
      'ogm-ge-late',
      (file) => void delete file.ogm.noiseScale,
      /`ogm\.noiseScale` must be .* it is missing/,
    ],
    [
      'a setting that is not implemented',
      'g2d-window',
      (file) => void (file.g2d.suppression = 'partial'),
      /`g2d\.suppression` must be "complete"; it is "partial"/,
    ],
    [
      'an optimizer that is not SGD',
      'joint-late',
      (file) => void (file.optimizer.type = 'adam'),
      /`optimizer\.type` must be "sgd"/,
    ],
    [
      'Nesterov without momentum',
      'joint-late',
      (file) => void Object.assign(file.optimizer, { momentum: 0, nesterov: true }),
      /`optimizer\.nesterov` must be false without momentum/,
    ],
    [
      'a number as text',
      'joint-late',
      (file) => void (file.optimizer.learningRate = '0.1'),
      /`optimizer\.learningRate` must be a finite number of at least 0; it is "0\.1"/,
    ],
    [
      'a window that ends before it begins',
      'ogm-late',
      (file) => void (file.ogm.window = [5, 4]),
      /`ogm\.window` must be a first and a last epoch/,
    ],
    [
      'temperature 0',
      'g2d-window',
      (file) => void (file.g2d.temperature = 0),
      /`g2d\.temperature` must be a finite number above 0; it is 0/,
    ],
    [
      'a label that is no class',
      'joint-late',
      (file) => void (file.steps[0].labels[3] = 6),
      /`steps\[0\]\.labels\[3\]` must be a whole number from 0 to 5; it is 6/,
    ],
    [
      'too few labels',
      'joint-late',
      (file) => void file.evalBatch.labels.pop(),
      /`evalBatch\.labels` must be a list of 4/,
    ],
    [
      'inputs of another batch size',
      'joint-late',
      (file) => void (file.inputs.audio.shape[0] = 3),
      /`inputs\.audio\.shape\[0\]` must be 4, the `batch`; it is 3/,
    ],
    [
      'an image without frames',
      'joint-late',
      (file) => void file.inputs.visual.shape.splice(2, 1),
      /`inputs\.visual\.shape` must be a list of 5/,
    ],
    ['no steps', 'joint-late', (file) => void (file.steps = []), /`steps` must be a list that is not empty/],
    [
      'an unknown tensor',
      'encoder-audio',
      (file) => void (file.models.encoder.tensors[3][0] = 'net.bn9.weight'),
      /`models\.encoder\.tensors\[3\]\[0\]` must be one of this model's 100 tensors.*net\.bn9\.weight/,
    ],
    [
      'a missing tensor',
      'encoder-audio',
      (file) => void file.models.encoder.tensors.pop(),
      /has 99 tensors, but this model has 100: net\.layer4\.1\.bn2\.running_var is missing/,
    ],
    [
      'a tensor twice',
      'encoder-audio',
      (file) => void file.models.encoder.tensors.push(file.models.encoder.tensors[0]),
      /`models\.encoder\.tensors\[100\]\[0\]` must be named once/,
    ],
    [
      'a tensor of another shape',
      'joint-late',
      (file) => void (file.classes = 7),
      /must be \[7, 512\] for fusion_module\.fc_x\.weight; it is \[6,512\]/,
    ],
    [
      'other columns',
      'encoder-audio',
      (file) => void (file.models.encoder.columns = file.models.encoder.columns.toReversed()),
      /`models\.encoder\.columns\[0\]` must be "name"; it is "scale"/,
    ],
    [
      'no teacher',
      'g2d-window',
      (file) => void delete file.models.teacher_visual,
      /`models\.teacher_visual` must be an object; it is missing/,
    ],
    ['a list', 'losses', (file) => JSON.stringify([file]), /the file must be an object/],
    [
      'a truncated file',
      'losses',
      (file) => JSON.stringify(file).slice(0, 200),
      /case\.json: not valid JSON: /,
    ],
    ['an empty file', 'losses', () => '', /case\.json: not valid JSON/],
  ];
  it.each(broken)('refuses %s', (_, name, change, message) => {
    const { case: file } = changedCase(name, { case: change });
    expect(() => readCase(file)).toThrow(message);
    expect(() => readCase(file)).toThrow(file);
  });

  it('says which file is missing', () => {
    expect(() => readCase('nowhere/case.json')).toThrow(/^nowhere\/case\.json: cannot be read \(ENOENT/);
  });
});
