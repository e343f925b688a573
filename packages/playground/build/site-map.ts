// Where things are on the site: the start page, and typedoc's pages of guides, READMEs and API in docs/.

const PAGES = './docs/documents';

/** The links of the start page; `npm run site` fails where one leads nowhere. */
export const NAVIGATION = [
  { label: 'SMP in your trainer', address: `${PAGES}/SMP_in_your_trainer.html` },
  { label: 'Your own data', address: `${PAGES}/Your_own_data.html` },
  { label: 'The paper’s experiments', address: `${PAGES}/The_paper_s_tables_with_the_paper_s_data.html` },
  { label: 'Writing a method', address: `${PAGES}/Writing_a_method.html` },
  { label: 'In a browser', address: `${PAGES}/Training_in_a_browser.html` },
  { label: 'On a cluster', address: `${PAGES}/A_sweep_on_a_cluster.html` },
  { label: 'All methods compared', address: `${PAGES}/All_methods_on_the_small_data.html` },
  { label: 'Paper map', address: `${PAGES}/Paper_map.html` },
  { label: 'Deviations', address: `${PAGES}/Deviations.html` },
  { label: 'API', address: './docs/index.html' },
] as const;

/** The address of a page of the repository's own; what has none is left to the link check. */
export const siteAddress = (path: string): string => {
  const name = /^packages\/([\w-]+)$/.exec(path)?.[1];
  return name === undefined ? path : `./docs/modules/_g2d_${name}.html`;
};
