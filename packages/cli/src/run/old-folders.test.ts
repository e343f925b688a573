// `g2d report` and `g2d compare` on run folders that an earlier version wrote.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../main.js';

const version1 = fileURLToPath(new URL('../../../runs/test/fixtures/version-1', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'g2d-old-'));

async function g2d(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const code = await main(args, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

describe('run folders of version 1', () => {
  beforeAll(() => {
    process.env['G2D_BACKEND'] = 'cpu';
    cpSync(version1, root, { recursive: true });
  });
  afterAll(() => {
    delete process.env['G2D_BACKEND'];
    rmSync(root, { recursive: true, force: true });
  });

  it('compare: puts them into one table, and names the one that was stopped', async () => {
    const { code, out, err } = await g2d('compare', root);
    expect(code).toBe(0);
    expect(out).toMatch(/Joint training +.* 70\.0/);
    expect(out).toMatch(/G2D +.*100\.0/);
    expect(out).toContain('Teacher of quiet');
    expect(err).toContain(`${join(root, 'g2d-stopped')} is not finished, and left out.`);
  });

  it.each(['g2d', 'g2d-stopped', 'teacher-loud'])('report: writes the page of %s', async (name) => {
    const { code, out } = await g2d('report', join(root, name));
    expect([code, out.trim()]).toEqual([0, join(root, name, 'report.html')]);
    const page = readFileSync(join(root, name, 'report.html'), 'utf8');
    expect(page).toContain(name === 'teacher-loud' ? 'Teacher of loud' : 'G2D');
    expect(existsSync(join(root, name, 'summary.json'))).toBe(name !== 'g2d-stopped');
  });
});
