// Cases of the systems for missing modalities: what is refused.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/parity-files.js';
import { loadCase } from '../run-case.js';

describe('a case of a system', () => {
  it('is refused by name where nothing runs the system', () => {
    const folder = temporaryFolder();
    const files = { case: join(folder, 'case.json'), expected: join(folder, 'expected.json') };
    writeFileSync(
      files.case,
      JSON.stringify({ format: 'g2d-missing-case/1', id: 'other-1', system: 'other' }),
    );
    expect(() => loadCase(files)).toThrow(
      /`system` must be a system whose cases can be run \(.*\); it is "other"/,
    );
  });
});
