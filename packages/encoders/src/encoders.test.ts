import { isComponent } from '@g2d/core';
import { describe, expect, it } from 'vitest';
import * as all from './index.js';

describe('encoders', () => {
  it('lists every encoder of the package, each under a name of its own', () => {
    const exported = Object.values(all).filter((value) => isComponent(value, 'encoder'));
    expect(new Set(all.encoders)).toEqual(new Set(exported));
    expect(new Set(all.encoders.map(({ name }) => name)).size).toBe(exported.length);
  });

  it('describes every option', () => {
    for (const { name, options } of all.encoders)
      for (const [option, { description }] of Object.entries(options.shape))
        expect(description, `${name}.${option}`).toBeTruthy();
  });
});
