import { describe, expect, it } from 'vitest';
import { networkOf } from './network.js';

describe('networkOf', () => {
  it('is the network that carries a ring’s bytes in a tenth of the step', () => {
    // 100 MB of gradients: two processes send 100 MB each way, eight 175. In 0.1 s that is 8 and 14 Gbit/s.
    const step = { sums: 11, bytes: 100e6, milliseconds: 1000 };
    expect(networkOf({ ...step, processes: 2 })).toEqual({ sums: 11, megabytes: 100, gigabits: 8 });
    expect(networkOf({ ...step, processes: 8 })).toEqual({ sums: 11, megabytes: 175, gigabits: 14 });
  });
});
