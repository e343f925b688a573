import { describe, expect, it } from 'vitest';
import { methodRank, methodWords } from './methods.js';

describe('methods', () => {
  it('puts unknown methods after G2D and the reference last', () => {
    const order = ['teacher-mean', 'ogm-ge', 'g2d', 'joint'].sort((a, b) => methodRank(a) - methodRank(b));
    expect(order).toEqual(['joint', 'g2d', 'ogm-ge', 'teacher-mean']);
  });

  it('calls an unknown method by its own name', () => {
    expect(methodWords('ogm-ge')).toEqual({ label: 'ogm-ge', description: '' });
  });
});
