import { describe, expect, it } from 'vitest';
import { manifests, REPOSITORY, withRepository } from '../../scripts/repository.js';

describe('withRepository', () => {
  it.each(manifests())('is what packages/$folder/package.json says', ({ manifest, folder }) => {
    expect(manifest).toEqual(withRepository(manifest, folder, REPOSITORY));
  });

  it('says where a package lies, and takes it back', () => {
    const manifest = { name: '@g2d/smp', version: '1.0.0', license: 'MIT', type: 'module' };
    const published = withRepository(manifest, 'smp', 'https://example.org/g2d');
    expect(published).toEqual({
      ...manifest,
      homepage: 'https://example.org/g2d/tree/main/packages/smp#readme',
      bugs: 'https://example.org/g2d/issues',
      repository: { type: 'git', url: 'git+https://example.org/g2d.git', directory: 'packages/smp' },
    });
    expect(withRepository(published, 'smp', undefined)).toEqual(manifest);
  });
});
