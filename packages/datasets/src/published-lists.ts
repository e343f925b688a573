import { fileURLToPath } from 'node:url';

/** The folder of OGM-GE's two lists. From `src/` and from `dist/` alike, since the sources are published: this file stays in `src/` itself. */
export const PUBLISHED_LISTS = fileURLToPath(new URL('../src/crema-d/published', import.meta.url));
