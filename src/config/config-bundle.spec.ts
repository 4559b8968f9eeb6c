import { describe, expect, it } from '@jest/globals';
import { bundleOf, bundleText, writtenDigest, type ConfigBundle } from './config-bundle.ts';

const BUNDLE: ConfigBundle = {
  main: 'version: 1\ninclude: [teams/*.yaml]',
  patterns: [['teams/*.yaml']],
  parts: [
    { name: 'teams/a.yaml', entry: 0, text: 'routes: []\n# file: teams/b.yaml\n', used: 'team: a\n' },
    { name: 'teams/b.yaml', entry: 0, text: '' },
    { name: 'teams/c.yaml', entry: 0, text: '', fault: 'no permission to read this file' },
  ],
  faults: [{ entry: 0, message: 'expected fewer' }],
};

describe('bundleText', () => {
  it('is the text itself of a configuration that includes nothing', () => {
    const main = 'version: 1\n';
    expect(bundleText({ main, patterns: [], parts: [], faults: [] })).toBe(main);
    expect(bundleOf(main)).toEqual({ main, patterns: [], parts: [], faults: [] });
  });

  it('is taken apart as it was put together, whatever the texts say', () => {
    expect(bundleOf(bundleText(BUNDLE))).toEqual(BUNDLE);
    expect(bundleText(bundleOf(bundleText(BUNDLE)))).toBe(bundleText(BUNDLE));
  });
});

describe('writtenDigest', () => {
  const withParts = (parts: ConfigBundle['parts']): string => writtenDigest(bundleText({ ...BUNDLE, parts }));

  it('goes by what is written in each file, and not by what holds in place of it', () => {
    const before = writtenDigest(bundleText(BUNDLE));
    const [first, ...others] = BUNDLE.parts;
    expect(withParts([{ ...first, used: undefined } as ConfigBundle['parts'][number], ...others])).toBe(
      before,
    );
    expect(
      withParts([{ ...first, text: 'routes: [ ]' } as ConfigBundle['parts'][number], ...others]),
    ).not.toBe(before);
    expect(withParts(others)).not.toBe(before);
  });
});
