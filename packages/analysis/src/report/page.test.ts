import { describe, expect, it } from 'vitest';
import { markup } from './markup.js';
import { renderPage, type Page } from './page.js';
import { section } from './sections.js';

const page: Page = { title: 'A < B', lead: 'lead', headline: 'headline', overview: 'picture', sections: [] };

describe('renderPage', () => {
  it('has a link to each section that has content, and leaves out the others', () => {
    const text = renderPage({
      ...page,
      sections: [
        section('results', markup`<p>numbers</p>`, { hint: 'percent' }),
        section('losses', undefined),
        section('curves', false),
      ],
    });
    expect(text).toContain('<nav aria-label="Sections"><a href="#results">Results</a></nav>');
    expect(text.match(/<section id="[a-z]+"/g)).toEqual(['<section id="overview"', '<section id="results"']);
    expect(text).toContain('<p class="hint">percent</p><p>numbers</p>');
  });

  it('lets a page say something else of a section', () => {
    const content = 'strips';
    expect(section('schedule', content).title).toBe('Confidence and schedule');
    const text = renderPage({ ...page, sections: [section('schedule', content, { title: 'Who trained' })] });
    expect(text).toContain('>Who trained</h2><p class="hint">How sequential modality prioritization');
  });

  it('has an introduction only where there is one, and says what it was made from', () => {
    expect(renderPage(page)).not.toContain('class="introduction"');
    expect(renderPage(page)).toContain('from the run folders alone.');
    const text = renderPage({ ...page, introduction: 'My data.', source: 'run folder' });
    expect(text).toContain('<p class="introduction">My data.</p>');
    expect(text).toContain('from the run folder alone.');
  });

  it('escapes the title', () => {
    expect(renderPage(page)).toContain('<title>A &lt; B</title>');
    expect(renderPage(page)).toContain('<h1>A &lt; B</h1>');
  });
});
