import { datasets } from '@g2d/datasets';
import { encoders } from '@g2d/encoders';
import { fusions } from '@g2d/fusion';
import { methods } from '@g2d/methods';
import { componentCommand } from './command.js';

/** `g2d encoders`. */
export const encodersCommand = componentCommand(
  { noun: 'encoder', kinds: ['encoder'], components: encoders },
  { plural: 'encoders', place: 'beside its "type", under "encoders" and the modality' },
);

/** `g2d fusions`. */
export const fusionsCommand = componentCommand(
  { noun: 'fusion', kinds: ['fusion'], components: fusions },
  { plural: 'fusions', place: 'beside its "type", under "fusion"' },
);

/** `g2d datasets`. */
export const datasetsCommand = componentCommand(
  { noun: 'dataset', kinds: ['dataset'], components: datasets },
  { plural: 'datasets', place: 'beside its "name", under "dataset"' },
);

/** `g2d methods`. */
export const methodsCommand = componentCommand(
  { noun: 'method', kinds: ['method', 'stack'], components: methods },
  { plural: 'methods', place: 'under "methodOptions" and the name' },
);
