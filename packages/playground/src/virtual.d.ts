declare module 'virtual:catalog' {
  import type { Catalog } from './catalog.js';
  const catalog: Catalog;
  export default catalog;
}
