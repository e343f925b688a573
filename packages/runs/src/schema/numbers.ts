import { z } from 'zod';

/** A whole number of at least 1. */
export const positiveSchema = z.number().int().min(1);

/** A whole number of at least 0. */
export const countSchema = z.number().int().min(0);

export const seedSchema = z.number().int();
