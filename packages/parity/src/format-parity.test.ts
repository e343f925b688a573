import { describe, expect, it } from 'vitest';
import type { Check } from './compare.js';
import type { CaseReport } from './run-case.js';
import { formatParity, worstOfColumns } from './format-parity.js';

const forward: Check = { key: 'steps[0].lossCe', deviation: 1e-6, tolerance: 4e-6, origin: 'forward' };
const word: Check = { key: 'steps[0].strongest', deviation: 0, tolerance: 0, origin: 'exact' };
const gradient = (name: string, deviation: number): Check => ({
  key: `parameters.${name}.grad0L2`,
  column: 'parameters.grad0L2',
  deviation,
  tolerance: 1e-3,
  origin: 'gradient',
});
const report = (checks: Check[], status: CaseReport['status']): CaseReport => ({
  name: 'joint-late',
  status,
  checks,
  ties: [0, 1, 2],
  seconds: 2.345,
});

describe('formatParity', () => {
  it('is a line for each case and a count', () => {
    expect(formatParity([report([forward, word], 'pass')], 'cases')).toBe(
      [
        'case        status  closest to its tolerance, or beyond  deviation  allowed  of it  seconds',
        '───────────────────────────────────────────────────────────────────────────────────────────',
        'joint-late  pass    steps[0].lossCe                         1.0e-6   4.0e-6   25 %      2.3',
        '',
        '1 case: 1 pass, 0 inconclusive, 0 fail',
        '',
      ].join('\n'),
    );
  });

  it('says where an inconclusive case begins to differ, and how many near ties there were', () => {
    const checks = [forward, gradient('a', 5e-4), gradient('b', 2e-2), gradient('c', 9)];
    expect(formatParity([report(checks, 'inconclusive')], 'cases')).toContain(
      'joint-late: 2 of 4 beyond, at first parameters.b.grad0L2, 2.0e-2 where 1.0e-3 is allowed. Only gradients, or what is computed from them, are off; near ties that PyTorch counts in this case: 3.\n',
    );
  });

  it('names in a failed case the first quantity that no gradient explains', () => {
    const wrong = { ...word, deviation: Infinity };
    expect(formatParity([report([gradient('b', 2e-2), wrong], 'fail')], 'cases')).toMatch(
      /2 of 2 beyond, at first steps\[0\]\.strongest, which has to be equal\. .* a mistake/,
    );
  });

  it('shows every quantity, and of a table the worst tensor of each column or all', () => {
    const checks = [forward, gradient('a', 5e-4), gradient('b', 2e-2), word];
    expect(worstOfColumns(checks)).toEqual([forward, checks[2], word]);
    const quantities = formatParity([report(checks, 'inconclusive')], 'quantities');
    expect(quantities).toMatch(/\n✗ +parameters\.b\.grad0L2 +2\.0e-2 +1\.0e-3 +20 ×\n/);
    expect(quantities).toMatch(/\n +steps\[0\]\.strongest +0 +0 +equal\n/);
    expect(quantities).not.toContain('parameters.a');
    expect(formatParity([report(checks, 'inconclusive')], 'all')).toMatch(
      /parameters\.a\.grad0L2 +5\.0e-4 +1\.0e-3 +50 %/,
    );
  });
});
