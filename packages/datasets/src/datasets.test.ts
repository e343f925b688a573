import { isComponent } from '@g2d/core';
import { describe, expect, it } from 'vitest';
import * as all from './index.js';

describe('datasets', () => {
  it('lists every dataset of the package, each under a name of its own', () => {
    const exported = Object.values(all).filter((value) => isComponent(value, 'dataset'));
    expect(new Set(all.datasets)).toEqual(new Set(exported));
    expect(new Set(all.datasets.map(({ name }) => name)).size).toBe(exported.length);
  });

  it('describes every option', () => {
    for (const { name, options } of all.datasets)
      for (const [option, { description }] of Object.entries(options.shape))
        expect(description, `${name}.${option}`).toBeTruthy();
  });

  it('refuses options of another form of IEMOCAP', async () => {
    await expect(all.iemocap({ root: 'x', split: 'train', speakers: 'both' })).rejects.toThrow(
      "iemocap: there is no option `speakers` with `form: 'mmin'`; known: root, form, official, fold, audioNormalization.",
    );
  });
});
