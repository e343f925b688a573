import { markup, type Part } from './markup.js';
import type { Section } from './sections.js';
import { pageShell } from './shell.js';

/** What a page shows, whatever it is about. */
export interface Page {
  readonly title: string;
  /** What the page is about, below the title. */
  readonly lead: Part;
  /** A paragraph of the caller's own. */
  readonly introduction?: string | undefined;
  /** The one sentence to take away. */
  readonly headline: string;
  /** Below the headline: the main picture, and what is to be said about it. */
  readonly overview: Part;
  /** Those without content are left out. */
  readonly sections: readonly Section[];
  /** What all of it was made from. */
  readonly source?: 'run folders' | 'run folder';
}

/** One self-contained page: a headline with its picture, and sections with a link to each. */
export function renderPage(page: Page): string {
  const { title, lead, introduction, headline, overview, source = 'run folders' } = page;
  const sections = page.sections.filter(({ content }) => content !== undefined && content !== false);
  return pageShell(
    title,
    markup`<header>
<h1>${title}</h1>
<p class="lead">${lead}</p>
${introduction !== undefined && markup`<p class="introduction">${introduction}</p>`}
</header>
<main>
<section id="overview" aria-labelledby="overview-title">
<h2 class="headline" id="overview-title">${headline}</h2>
${overview}
</section>
<nav aria-label="Sections">${sections.map(({ id, title }) => markup`<a href="#${id}">${title}</a>`)}</nav>
${sections.map(
  ({ id, title, hint, content }) =>
    markup`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2><p class="hint">${hint}</p>${content}</section>`,
)}
</main>
<footer>Made by @g2d/analysis from the ${source} alone. Nothing on this page is loaded from elsewhere.</footer>`,
  );
}
