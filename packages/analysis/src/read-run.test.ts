import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryGroup } from '../fixtures/temporary-group.js';
import { readRun } from './read-run.js';

function runFolder(name = 'g2d'): string {
  return join(temporaryGroup({ epochs: 4, testSamples: 40 }).folder, name);
}

function edit(path: string, change: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(path, JSON.stringify(json));
}

describe('readRun', () => {
  it('reads the four files of a run', () => {
    const run = readRun(runFolder());
    expect(run.name).toBe('g2d');
    expect(run.config).toMatchObject({
      kind: 'student',
      modalities: ['audio', 'image'],
      phaseEpochs: [2, 2],
    });
    expect(run.metrics.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(run.metrics[0]?.coefficients).toEqual({ audio: 0, image: 1 });
    expect(run.metrics[0]?.validation).toBeUndefined();
    expect(run.summary.confusion['fused']?.flat().reduce((sum, count) => sum + count)).toBe(40);
    expect(run.predictions.predictions['image']).toHaveLength(40);
  });

  it('names the file and the line of a broken line in metrics.jsonl', () => {
    const folder = runFolder();
    const path = join(folder, 'metrics.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[2] = lines[2]?.slice(0, 30) ?? '';
    writeFileSync(path, lines.join('\n'));
    expect(() => readRun(folder)).toThrow(`${path}: line 3: not valid JSON`);
  });

  it('names the field of a line that has the wrong kind of value', () => {
    const folder = runFolder();
    const path = join(folder, 'metrics.jsonl');
    writeFileSync(path, `{"epoch":1,"loss":{"total":1},"train":{}}\n{"epoch":"two","loss":{},"train":{}}\n`);
    expect(() => readRun(folder)).toThrow(`${path}: line 2: \`epoch\` must be a number; got string "two".`);
  });

  it('leaves out numbers that were not finite, which JSON writes as null', () => {
    const folder = runFolder();
    writeFileSync(
      join(folder, 'metrics.jsonl'),
      '{"epoch":1,"loss":{"total":null,"student":2},"train":{"fused":10}}\n',
    );
    expect(readRun(folder).metrics[0]?.loss).toEqual({ student: 2 });
  });

  it('names a missing file and a missing field', () => {
    const folder = runFolder();
    edit(join(folder, 'config.json'), (json) => delete json['modalities']);
    expect(() => readRun(folder)).toThrow(
      /config\.json: `modalities` must be a list of strings; it is missing/,
    );
    rmSync(join(folder, 'config.json'));
    expect(() => readRun(folder)).toThrow(/config\.json: cannot be read/);
  });

  it('rejects predictions that do not fit the ids or the classes', () => {
    const folder = runFolder();
    const path = join(folder, 'predictions.json');
    edit(path, (json) => {
      (json['predictions'] as Record<string, number[]>)['fused']![0] = 4;
    });
    expect(() => readRun(folder)).toThrow(/`predictions` must be lists of 40 class ids .* from 0 to 3/);
  });

  it('rejects a confusion table that is not square', () => {
    const folder = runFolder();
    edit(join(folder, 'summary.json'), (json) => (json['confusion'] = { fused: [[1, 2]] }));
    expect(() => readRun(folder)).toThrow(/summary\.json: `confusion` must be square tables/);
  });

  it('throws errors that the other packages recognize', () => {
    expect(() => readRun('/nowhere')).toThrow(expect.objectContaining({ code: 'G2D_FILE_FORMAT' }));
  });
});
