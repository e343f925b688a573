import { datasets } from '@g2d/datasets';
import { componentSchema, type ComponentConfig } from './components.js';

/** The datasets, with the options that they define. */
export const datasetSchema = componentSchema(
  'name',
  datasets,
  'a dataset (`defineDataset`), or a function that opens a split: (options with `split`) => MultimodalDataset',
);

export type DatasetConfig = ComponentConfig<'name'>;
