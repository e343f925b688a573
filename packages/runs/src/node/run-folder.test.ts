import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFacts } from '@g2d/core/run-folder';
import { afterAll, describe, expect, it } from 'vitest';
import { writeCheckpoint } from './checkpoints/write-checkpoint.js';
import { RunFolder } from './run-folder.js';

const root = mkdtempSync(join(tmpdir(), 'g2d-folder-'));
const facts: RunFacts = {
  kind: 'student',
  model: { task: 'classification', classes: 3, shapes: { loud: [4], quiet: [null, 4] } },
  environment: { backend: 'cpu', gitCommit: null },
};

describe('RunFolder', () => {
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('records its version, and what the components of the run say about themselves', () => {
    const folder = new RunFolder(join(root, 'run'));
    const components = { method: [{ name: 'mine', label: 'Mine', summary: 'does it my way' }] };
    folder.begin({ seed: 1 }, { ...facts, components });
    const written: unknown = JSON.parse(readFileSync(folder.file('config.json'), 'utf8'));
    expect(written).toEqual({ seed: 1, ...facts, components, format: 'g2d-run', version: 2 });
    expect(folder.config()).toEqual(written);
  });

  it('refuses what a later version wrote, rather than to misread it', () => {
    const folder = new RunFolder(join(root, 'later'));
    folder.record({ ...facts, format: 'g2d-run', version: 3 });
    expect(() => folder.config()).toThrow(
      /config\.json: `version` must be a version that this program reads, 1 to 2; got number 3/,
    );
    expect(() => folder.assertUsable()).toThrow(/version/);
  });

  const begun = (name: string): RunFolder => {
    const folder = new RunFolder(join(root, name));
    folder.begin({ seed: 1 }, facts);
    return folder;
  };
  const append = (folder: RunFolder, ...epochs: readonly number[]): void => {
    for (const epoch of epochs)
      folder.append({ epoch, loss: {}, train: {}, learningRate: 1, seconds: 1 } as never);
  };
  const save = (folder: RunFolder, label: string): void =>
    writeCheckpoint(folder.checkpoints, label as 'best', { model: {}, optimizer: {}, state: {} });

  it('never takes a configuration or a summary that cannot be read for none', () => {
    for (const name of ['config.json', 'summary.json']) {
      for (const text of ['', '{ "format": "g2d-', '\0\0\0', undefined]) {
        const folder = begun(`unreadable-${name}-${String(text?.length)}`);
        rmSync(folder.file(name), { force: true });
        if (text === undefined) mkdirSync(folder.file(name));
        else writeFileSync(folder.file(name), text);
        const read = (): unknown => (name === 'config.json' ? folder.config() : folder.summary());
        expect(read).toThrow(
          /(it is empty|it is not JSON|is there and cannot be read).* Nothing was changed\./,
        );
        expect(read).toThrow(folder.file(name));
      }
    }
  });

  it('finds out at once what stands in the place of a file or folder', () => {
    const folder = begun('kinds');
    folder.assertUsable();
    for (const name of ['metrics.jsonl', 'predictions.json', 'report.html']) {
      mkdirSync(folder.file(name));
      expect(() => folder.assertUsable()).toThrow(
        `${folder.file(name)} is a folder, but a run writes a file`,
      );
      rmSync(folder.file(name), { recursive: true });
    }
    for (const name of ['checkpoints', 'tensorboard', 'teachers']) {
      writeFileSync(folder.file(name), '');
      expect(() => folder.assertUsable()).toThrow(
        `${folder.file(name)} is a file, but a run writes into a folder`,
      );
      rmSync(folder.file(name));
    }
    append(folder, 1);
    rmSync(folder.file('config.json'));
    expect(() => folder.assertUsable()).toThrow(
      /holds what a run wrote \(metrics\.jsonl\).* config\.json is gone/,
    );
  });

  it('takes records away that come again, and no others; it counts those that are missing', () => {
    const folder = begun('records');
    const text = (): string => readFileSync(folder.file('metrics.jsonl'), 'utf8');
    expect(folder.forgetFrom(1)).toBe(0);
    append(folder, 1, 2, 3);
    const whole = text();
    expect(folder.forgetFrom(3)).toBe(0);
    expect(text()).toBe(whole.split('\n').slice(0, 2).join('\n') + '\n');
    writeFileSync(folder.file('metrics.jsonl'), `${whole}{"epoch": 4, "lo`);
    expect(folder.lastRecord()?.epoch).toBe(3);
    expect(folder.forgetFrom(4)).toBe(0);
    expect(text()).toBe(whole);
    writeFileSync(folder.file('metrics.jsonl'), whole.replace('"epoch":2', '"epo\0'));
    const damaged = text();
    expect(() => folder.forgetFrom(4)).toThrow(
      /metrics\.jsonl: line 2 is no record of an epoch\. Nothing was changed/,
    );
    expect(text()).toBe(damaged);
    rmSync(folder.file('metrics.jsonl'));
    expect(folder.forgetFrom(4)).toBe(3);
  });

  it('tells a run that was not saved yet from one that has lost what it goes on from', () => {
    const often = { saved: 1, scored: 1 };
    const folder = begun('unsaved');
    folder.assertUnsaved(often);
    mkdirSync(join(folder.checkpoints, 'best.new'), { recursive: true });
    folder.assertUnsaved(often);
    append(folder, 1);
    folder.assertUnsaved(often);
    // Killed after the best was saved, and before the last was.
    save(folder, 'best');
    folder.assertUnsaved(often);
    append(folder, 2, 3);
    expect(() => folder.assertUnsaved(often)).toThrow(
      /has no checkpoints\/last to go on from, but other things that it saved: records of 3 epochs, checkpoints\/best\. Nothing was changed/,
    );
    expect(() => folder.assertUnsaved({ saved: 5, scored: 1 })).toThrow(/records of 3 epochs/);
    folder.assertUnsaved({ saved: 5, scored: 3 });
    save(folder, 'best');
    expect(() => folder.assertUnsaved({ saved: 5, scored: 3 })).toThrow(/checkpoints\/best\.previous/);
    rmSync(folder.file('metrics.jsonl'));
    expect(() => folder.assertUnsaved(often)).toThrow(/checkpoints\/best/);
    rmSync(folder.checkpoints, { recursive: true });
    folder.assertUnsaved(often);
    writeFileSync(folder.file('predictions.json'), '');
    expect(() => folder.assertUnsaved(often)).toThrow(/predictions\.json/);
  });

  it('moves aside what there was before it begins anew, and deletes nothing', () => {
    const folder = begun('anew');
    expect(folder.setAside()).toBeUndefined();
    for (const count of [1, 2]) {
      append(folder, 1);
      save(folder, 'best');
      writeFileSync(folder.file('own.txt'), 'mine');
      const aside = folder.file(`earlier-${count}`);
      expect(folder.setAside()).toBe(aside);
      expect(readdirSync(aside).sort()).toEqual(['checkpoints', 'config.json', 'metrics.jsonl']);
      expect(new RunFolder(aside).lastRecord()?.epoch).toBe(1);
      folder.begin({ seed: 2 }, facts);
    }
    expect(readdirSync(folder.path).sort()).toEqual(['config.json', 'earlier-1', 'earlier-2', 'own.txt']);
    folder.assertUsable();
    expect(existsSync(folder.file('metrics.jsonl'))).toBe(false);
  });
});
