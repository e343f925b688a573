import { methods } from '@g2d/methods';
import { z } from 'zod';

/** Options by method, as the methods define them; what stands under another name is checked by the module that has it. */
export const methodOptionsSchema = z
  .object(
    Object.fromEntries(
      methods.flatMap((method) =>
        method.kind === 'method'
          ? [[method.name, method.options.optional().describe(`${method.label}: ${method.summary}.`)]]
          : [],
      ),
    ),
  )
  .catchall(z.record(z.string(), z.unknown()));
