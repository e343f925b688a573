import { markup, raw, type Markup } from './markup.js';
import { STYLE } from './style.js';

/** A part of a page, with its own heading and a link to it. */
export interface Section {
  /** Letters and `-`: it is a part of the page's address. */
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly content: Markup;
}

/** What every page has. */
interface PageParts {
  readonly title: string;
  /** Below the title. */
  readonly header: Markup;
  readonly headline: string;
  /** Below the headline: the main picture, and what is to be said about it. */
  readonly overview: Markup;
  readonly sections: readonly Section[];
  readonly footer: string;
}

/** A whole page: no script, no request, nothing but itself. */
export function pageShell({ title, header, headline, overview, sections, footer }: PageParts): string {
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
${header}
</header>
<main>
<section id="overview" aria-labelledby="overview-title">
<h2 class="headline" id="overview-title">${headline}</h2>
${overview}
</section>
<nav aria-label="Sections">${sections.map((section) => markup`<a href="#${section.id}">${section.title}</a>`)}</nav>
${sections.map(
  (section) =>
    markup`<section id="${section.id}" aria-labelledby="${section.id}-title"><h2 id="${section.id}-title">${section.title}</h2><p class="hint">${section.hint}</p>${section.content}</section>`,
)}
</main>
<footer>${footer}</footer>
</body>
</html>
`;
  return page.markup;
}

/** Sentences below the main picture. */
export function pointsList(points: readonly { readonly title: string; readonly text: string }[]): Markup {
  return markup`<ul class="points">${points.map((point) => markup`<li><h3>${point.title}</h3><p>${point.text}</p></li>`)}</ul>`;
}
