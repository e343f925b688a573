// An encoder of a user's own, in one file.
import { defineEncoder, type EncoderOptions } from '@g2d/core';
import { z } from 'zod';
import makeToy from './toy-encoder.js';

export default defineEncoder({
  name: 'small-dense',
  label: 'Small dense',
  summary: 'one dense layer',
  options: z.strictObject({ units: z.int().min(1).max(9).default(4).describe('width of the features') }),
  create: (spec: EncoderOptions<readonly number[]>, { units }) => makeToy({ ...spec, units }),
});
