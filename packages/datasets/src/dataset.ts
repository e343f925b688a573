export type { DatasetSource, MultimodalDataset, Sample, SampleOptions, Split, Task } from '@g2d/core';
