import { describe, expect, it } from 'vitest';
import { markup, raw } from './markup.js';

describe('markup', () => {
  it('escapes text and attribute values', () => {
    const name = `<script>"&'`;
    expect(markup`<a title="${name}">${name}</a>`.markup).toBe(
      '<a title="&lt;script&gt;&quot;&amp;&#39;">&lt;script&gt;&quot;&amp;&#39;</a>',
    );
  });

  it('makes seen what nobody sees: control characters, and what turns the direction of text', () => {
    const name = '\u202egpj.exe\u001b[31m\u0085';
    expect(markup`<a title="${name}">${name}</a>`.markup).toBe(
      String.raw`<a title="\u202egpj.exe\u001b[31m\u0085">\u202egpj.exe\u001b[31m\u0085</a>`,
    );
  });

  it('keeps markup inside markup, also in lists, and drops what is absent', () => {
    expect(markup`<p>${[markup`<b>${1}</b>`, '<']}${false}${undefined}${raw('<hr>')}</p>`.markup).toBe(
      '<p><b>1</b>&lt;<hr></p>',
    );
  });
});
