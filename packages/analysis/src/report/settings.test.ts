import { describe, expect, it } from 'vitest';
import { temporaryGroup } from '../../fixtures/temporary-group.js';
import { settingsSection } from './settings.js';

describe('settingsSection', () => {
  it('lists settings that differ by run and sums up the others', () => {
    const { markup } = settingsSection(temporaryGroup({ methods: ['joint', 'g2d'] }), undefined);
    expect(markup).toMatch(/phaseEpochs<\/th><td>–<\/td><td>–<\/td><td>–<\/td><td>10, 10<\/td>/);
    expect(markup).toContain('<code>batchSize</code> 64');
    expect(markup).not.toContain('To repeat it');
  });

  it('adds up the seconds', () => {
    const group = temporaryGroup();
    const summary = { ...group.summary, seconds: { data: 36, joint: 60 } };
    const { markup } = settingsSection({ ...group, summary }, 'npm start');
    expect(markup).toContain('in all</th><td class="number">1 min 36 s');
    expect(markup).toContain('width="60%"');
    expect(markup).toContain('<code>npm start</code>');
  });
});
