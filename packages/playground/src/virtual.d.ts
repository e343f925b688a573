declare module '@g2d/playground/catalog' {
  import type { Catalog } from './catalog.js';
  const catalog: Catalog;
  export default catalog;
}
