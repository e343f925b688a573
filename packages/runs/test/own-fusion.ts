// A fusion of a user's own, in one file.
import { defineFusion, type Fusion, type FusionOptions } from '@g2d/core';
import { lateFusion } from '@g2d/fusion';
import { z } from 'zod';

const options = z.strictObject({ extra: z.int().min(0).describe('added to the seed') });

export default defineFusion({
  name: 'mine',
  label: 'Mine',
  summary: 'late fusion that begins elsewhere',
  options,
  create: <M extends string>(spec: FusionOptions<M>, { extra }: z.output<typeof options>): Fusion<M> =>
    lateFusion({ ...spec, seed: spec.seed + extra }),
});
