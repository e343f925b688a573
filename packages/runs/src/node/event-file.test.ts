import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEventFile } from './event-file.js';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, writeSync: vi.fn<typeof real.writeSync>(real.writeSync) };
});

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'g2d-events-'));
  vi.spyOn(Date, 'now').mockReturnValue(1_700_000_000_250);
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

/**
 * A file that TensorBoard 2.21 reads back as: version `brain.Event:2`, session start at step 3, `loss/total` = 0.1 at
 * step 3, `ρ` = NaN at step 2⁴⁰ + 3, the text `config` at step 3.
 */
const GOLDEN = [
  '1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9',
  '0f000000000000006d532b090900001040fc54d94110033a0208019481124c',
  '200000000000000029eda9500900006040fc54d94110032a130a110a0a6c6f73732f746f74616c15cdcccc3d8f5379f0',
  '1d00000000000000602fdf230900001040fc54d941108380808080202a0b0a090a02cf81150000c07f91d9682a',
  '300000000000000095f5d05f0900001040fc54d94110032a230a210a06636f6e666967420d080712004207606160203d20314a080a060a04746578744a47cc02',
];
const VERSION_AND_START_BYTES = 40 + 31;

const sizeOf = (path: string): number => fs.statSync(path).size;

describe('openEventFile', () => {
  it('writes the bytes that TensorBoard reads', () => {
    const events = openEventFile(folder, { fromStep: 3 });
    events.scalar('loss/total', 0.1, 3, 1_700_000_001.5);
    events.scalar('ρ', NaN, 2 ** 40 + 3);
    events.text('config', '`a` = 1', 3);
    events.close();
    expect(fs.readFileSync(events.path).toString('hex')).toBe(GOLDEN.join(''));
  });

  it('gives each process a file that sorts behind the others, whatever the clock says', () => {
    const first = openEventFile(folder);
    vi.mocked(Date.now).mockReturnValue(1_600_000_000_000);
    const second = openEventFile(folder);
    const third = openEventFile(folder);
    const paths = [first, second, third].map(({ path, close }) => {
      close();
      return path;
    });
    expect([...paths].sort()).toEqual(paths);
    expect(fs.readdirSync(folder).sort()).toEqual(paths.map((path) => basename(path)));
    expect(basename(paths[2] as string)).toMatch(/^events\.out\.tfevents\.1700000002\./);
  });

  it('keeps events in memory until flush, and writes large amounts on the way', () => {
    const events = openEventFile(folder);
    expect(sizeOf(events.path)).toBe(0);
    events.flush();
    expect(sizeOf(events.path)).toBe(VERSION_AND_START_BYTES);
    for (let step = 0; step < 2000; step++) events.scalar('a', step, step);
    expect(sizeOf(events.path)).toBeGreaterThan(65_536);
    events.close();
    // 16 bytes of frame and 9 (time) + 2 or 3 (step) + 12 (summary) of event.
    expect(sizeOf(events.path)).toBe(VERSION_AND_START_BYTES + 128 * 39 + 1872 * 40);
  });

  it('loses nothing and tears nothing when the disk is full for a while', () => {
    const events = openEventFile(folder);
    events.scalar('a', 1, 1);
    const full = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    // A part is written before the disk is full.
    vi.mocked(fs.writeSync)
      .mockImplementationOnce((file) => fs.writevSync(file, [Buffer.from('half')], 0))
      .mockImplementationOnce(full);
    expect(() => events.flush()).toThrow(
      expect.objectContaining({
        code: 'G2D_RUN_FOLDER',
        message: expect.stringMatching(/cannot be written: ENOSPC: no space left on device.*\. Free space/),
      }),
    );
    events.scalar('a', 2, 2);
    events.close();
    const other = openEventFile(join(folder, 'other'));
    other.scalar('a', 1, 1);
    other.scalar('a', 2, 2);
    other.close();
    expect(fs.readFileSync(events.path)).toEqual(fs.readFileSync(other.path));
  });

  it('rejects steps that the format cannot hold', () => {
    const events = openEventFile(folder);
    for (const step of [-1, 0.5, NaN, 2 ** 53]) {
      expect(() => events.scalar('a', 1, step)).toThrow(`The step of an event is ${step}`);
    }
    expect(() => openEventFile(folder, { fromStep: -1 })).toThrow('must be a whole number of at least 0');
    events.close();
  });

  it('says what is wrong with a folder that cannot be made', () => {
    fs.writeFileSync(join(folder, 'file'), '');
    expect(() => openEventFile(join(folder, 'file', 'x'))).toThrow(/cannot be written: ENOTDIR/);
  });
});
