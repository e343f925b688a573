export const MODALITIES = ['audio', 'image'] as const;
export type Modality = (typeof MODALITIES)[number];
