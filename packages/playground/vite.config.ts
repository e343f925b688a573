// The site: the start page with the playground, of static files that work from any folder of any server. `npm run playground` serves it while it is
// changed, `npm run site` builds it.
import { defineConfig } from 'vite';
import { introduction } from './build/introduction.js';
import { catalogModule, contentSecurityPolicy, dataFiles } from './build/plugins.js';

const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the site may lie in a folder.
  base: './',
  // What is not there is not found, and no page in its place.
  appType: 'mpa',
  resolve: { conditions: ['@g2d/source', 'module', 'browser', 'development|production'] },
  server: { headers: ISOLATED },
  preview: { headers: ISOLATED },
  worker: { format: 'es' },
  build: { outDir: '../../site', emptyOutDir: true, target: 'es2022', chunkSizeWarningLimit: 2000 },
  // The worker is found late otherwise, and the server would begin anew.
  optimizeDeps: { entries: ['index.html', 'src/training/worker.ts'] },
  plugins: [catalogModule(), dataFiles(), introduction(), contentSecurityPolicy()],
});
