import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFacts } from '@g2d/core/run-folder';
import { afterAll, describe, expect, it } from 'vitest';
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
});
