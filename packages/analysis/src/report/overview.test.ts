import { describe, expect, it } from 'vitest';
import { temporaryGroup } from '../../fixtures/temporary-group.js';
import { overview } from './overview.js';

describe('overview', () => {
  it('makes bars as long as the accuracies and puts ticks where the teachers are', () => {
    const { markup } = overview(temporaryGroup({ methods: ['joint'] }));
    expect(markup).toContain('class="fill bar" x="0" y="4" width="58.9%"');
    expect(markup).toContain('class="fill bar" x="0" y="5" width="21.1%"');
    expect(markup).toContain('class="missing" x="21.1%" y="5" width="54.3%"');
    expect(markup).toContain('<svg x="75.4%"');
    expect(markup).toContain('class="mean" x1="81.4%"');
  });

  it('shows nothing missing where a head is better than its teacher', () => {
    const { markup } = overview(
      temporaryGroup({ methods: ['joint'], accuracies: { joint: { audio: 70, image: 80 } } }),
    );
    expect(markup).not.toMatch(/class="missing" x="\d+(\.\d+)?%"/);
  });

  it('says everything in words for those who cannot see it', () => {
    const { markup } = overview(temporaryGroup({ methods: ['joint'] }));
    expect(markup.replaceAll('\u00a0', ' ')).toContain(
      'aria-label="Joint training: fused 58.9 %, audio head 53.6 % (its teacher 58.5 %), image head 21.1 % (its teacher 75.4 %)"',
    );
  });
});
