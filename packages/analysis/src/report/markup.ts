import { printable } from '@g2d/core';

/** Text that is HTML or SVG already. Only `markup` and `raw` make it, so that nothing else is ever written unescaped. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: strings and numbers are escaped, `false` and `undefined` leave nothing. */
export type Part = Markup | string | number | false | undefined | readonly Part[];

/**
 * Template tag for HTML and SVG: every interpolated string is escaped, in text and in attribute values alike.
 *
 * @example
 * markup`<b title="${'"'}">${'<i>'}</b>`.markup; // <b title="&quot;">&lt;i&gt;</b>
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return {
    markup: strings.map((text, index) => (index === 0 ? text : render(parts[index - 1]) + text)).join(''),
  };
}

/** Takes text as it is. Only for constants of this package (the style sheet). */
export function raw(text: string): Markup {
  return { markup: text };
}

/** Escapes text for HTML and SVG, as element content and inside quoted attributes; what nobody sees is made seen. */
function escapeText(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return String(part);
  if ('markup' in part) return part.markup;
  return part.map(render).join('');
}
