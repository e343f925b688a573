// Where things are on the site: the start page, and typedoc's pages in docs/.

/** The links of the start page. */
export const NAVIGATION = [{ label: 'Guides and API', address: './docs/index.html' }] as const;

/** The address of a file or folder of the repository. */
export const siteAddress = (path: string): string => path;
