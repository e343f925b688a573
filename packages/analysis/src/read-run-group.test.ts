import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FIXTURE, syntheticRunGroup } from '../fixtures/synthetic-run-group.js';
import { temporaryGroup } from '../fixtures/temporary-group.js';
import { readRunGroup } from './read-run-group.js';

const names = (group: { runs: readonly { name: string }[] }): string[] => group.runs.map(({ name }) => name);

describe('readRunGroup', () => {
  it('shows teachers first and methods from joint training to G2D', () => {
    const group = temporaryGroup();
    expect(names(group)).toEqual(['teacher-audio', 'teacher-image', 'joint', 'smp', 'g2d-loss', 'g2d']);
    expect(group.modalities).toEqual(['audio', 'image']);
    expect(group.incomplete).toEqual([]);
  });

  it('keeps the order of modalities that the students have', () => {
    const group = temporaryGroup({ modalities: ['zither', 'image', 'audio'] });
    expect(group.modalities).toEqual(['zither', 'image', 'audio']);
    expect(names(group).slice(0, 3)).toEqual(['teacher-zither', 'teacher-image', 'teacher-audio']);
  });

  it('reads a group in which methods are absent', () => {
    expect(names(temporaryGroup({ methods: ['joint', 'g2d'] })).slice(2)).toEqual(['joint', 'g2d']);
  });

  it('names runs that are not finished and ignores other folders', () => {
    const { folder } = temporaryGroup();
    rmSync(join(folder, 'smp', 'summary.json'));
    mkdirSync(join(folder, 'notes'));
    const group = readRunGroup(folder);
    expect(group.incomplete).toEqual(['smp']);
    expect(names(group)).not.toContain('smp');
  });

  it('fails on a finished run that is broken, rather than leaving it out', () => {
    const { folder } = temporaryGroup();
    writeFileSync(join(folder, 'smp', 'summary.json'), '{');
    expect(() => readRunGroup(folder)).toThrow(join('smp', 'summary.json'));
  });

  it.each(['regression', 'multi-label'])('refuses a run of a %s: its results are no accuracies', (task) => {
    const { folder } = temporaryGroup({ methods: ['joint'] });
    const path = join(folder, 'joint', 'summary.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), task }));
    expect(() => readRunGroup(folder)).toThrow(
      /joint: it is a run of a (regression|multi-label task), and the/,
    );
  });

  it('names a result that is not one', () => {
    const { folder } = temporaryGroup();
    const path = join(folder, 'summary.json');
    const summary = JSON.parse(readFileSync(path, 'utf8')) as { results: unknown };
    writeFileSync(path, JSON.stringify({ ...summary, results: { joint: 58.9 } }));
    expect(() => readRunGroup(folder)).toThrow(/summary\.json: `results` must be an object/);
  });
});

describe('fixtures/run-group', () => {
  const folder = fileURLToPath(new URL('../fixtures/run-group', import.meta.url));

  it('is what the generator writes', () => {
    const parse = (path: string, text: string): unknown =>
      path.endsWith('.jsonl') ? text : JSON.parse(text);
    const written = Object.entries(syntheticRunGroup(FIXTURE));
    const kept = written.map(([path]) => [path, parse(path, readFileSync(join(folder, path), 'utf8'))]);
    expect(kept).toEqual(written.map(([path, text]) => [path, parse(path, text)]));
    expect(readdirSync(folder)).toHaveLength(7);
  });
});
