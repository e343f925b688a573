import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedCase, filesOf, publicCases, publicNames, temporaryFolder } from '../test/parity-files.js';
import { findCases } from './find-cases.js';

describe('findCases', () => {
  it('takes the folder of a case', () => {
    expect(findCases(join(publicCases, 'losses'))).toEqual([filesOf('losses')]);
  });

  it('takes a folder of cases, in the order of their names, and leaves other folders out', () => {
    expect(findCases(publicCases)).toEqual(publicNames('').map(filesOf));
    const { folder } = changedCase('losses', {});
    mkdirSync(join(folder, '../empty'));
    writeFileSync(join(folder, '../notes.txt'), '');
    expect(findCases(join(folder, '..'))).toHaveLength(1);
  });

  it('takes a folder with one of the two files, whose reader then says what is missing', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'expected.json'), '{}');
    expect(findCases(folder)).toEqual([
      { case: join(folder, 'case.json'), expected: join(folder, 'expected.json') },
    ]);
  });

  it('says what is wrong with anything else', () => {
    expect(() => findCases('no/such/folder')).toThrow(
      /^no\/such\/folder does not exist\. Give the folder of a parity case/,
    );
    expect(() => findCases(filesOf('losses').case)).toThrow(/case\.json is a file\./);
    expect(() => findCases(temporaryFolder())).toThrow(
      /holds no case\. Give the folder of a parity case \(case\.json and expected\.json\)/,
    );
  });
});
