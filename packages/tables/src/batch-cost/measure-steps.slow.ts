// Table 10's steps, at CREMA-D's shapes: a minute or two.
import { describe, expect, it } from 'vitest';
import { costTable } from './cost-table.js';
import { measureSteps, STEPS } from './measure-steps.js';

describe('measureSteps', () => {
  it('gives every step of the table a time and a memory, and the claim its ratio', async () => {
    const seen: string[] = [];
    const options = ['--batch', '1', '--steps', '1', '--warmup', '1'];
    const measured = await measureSteps(1, (name) => void seen.push(name), options);
    expect(seen).toEqual(Object.keys(STEPS));
    for (const { ms, peakMB } of measured.values()) {
      expect(ms).toBeGreaterThan(0);
      expect(peakMB).toBeGreaterThan(100);
    }
    const claim = costTable(measured, undefined).claims.find(({ id }) => id === 'T10.2');
    expect(claim?.verdict).toMatch(/holds|fails/);
    expect(claim?.why).toMatch(/^the ratio is \d/);
  });

  it('says what the measurement said, where it fails', async () => {
    await expect(measureSteps(1, () => {}, ['--batch', '0'])).rejects.toThrow(
      /^The step of joint could not be measured: .*--batch is "0"/,
    );
  });
});
