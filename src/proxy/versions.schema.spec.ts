import { expect, it } from '@jest/globals';
import { faultsText } from '../config/zod-faults.ts';
import { versionsSchema } from './versions.schema.ts';

const faultOf = (version: object): string => {
  const versions = { by: 'path', default: 'v1', of: { v1: { upstream: 'users', ...version } } };
  const read = versionsSchema.safeParse(versions);
  return read.success ? '' : faultsText(read.error, versionsSchema, versions);
};

it('says of a canary in a version where it belongs', () => {
  expect(faultOf({ canary: { weight: '5%' } })).toMatch(
    /^of\S*canary: a version has no canary; take the version out of `versions` and give it a route of its own/,
  );
});

it('says of any other key that it is unknown', () => {
  expect(faultOf({ canaries: {} })).toMatch(/canaries: unknown key/);
  expect(faultOf({})).toBe('');
});

it('takes a hundred versions and no more', () => {
  const several = (count: number): boolean => {
    const of = Array.from({ length: count }, (_, at) => [`v${at}`, { upstream: 'users' }]);
    return versionsSchema.safeParse({ by: 'path', of: Object.fromEntries(of) }).success;
  };
  expect([several(100), several(101)]).toEqual([true, false]);
});
