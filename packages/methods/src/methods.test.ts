import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { neededOptions } from '../test/usual-options.js';
import { methods } from './methods.js';

const definitions = methods.flatMap((method) => (method.kind === 'method' ? [method] : []));

describe('methods', () => {
  it('has every method once, from joint training to G2D', () => {
    const names = methods.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([names[0], names.at(-1)]).toEqual(['joint', 'g2d']);
    const parts = methods.flatMap((method) => (method.kind === 'stack' ? method.methods : []));
    expect(definitions).toEqual(expect.arrayContaining([...parts]));
  });

  it.each(definitions)('$name says what each option is for', ({ options }) => {
    const { properties = {}, additionalProperties } = z.toJSONSchema(options, { io: 'input' });
    expect(additionalProperties).toBe(false);
    for (const [option, schema] of Object.entries(properties))
      expect(schema, option).toMatchObject({ description: expect.any(String) });
  });

  it.each(definitions)(
    '$name has its name in what it makes, and refuses options that it has not',
    (method) => {
      expect(() => method.make({ nonsense: 1 })).toThrow(/nonsense|is missing/);
      expect(method.make(neededOptions(method)).name).toBe(method.name);
    },
  );
});
