import { expect, it } from '@jest/globals';
import { checkSecretPlaces } from './secret-places.ts';

const KEYS = ['secretEnv', 'secretFile'] as const;

function faultsOf(given: Partial<Record<(typeof KEYS)[number], string>>, isRequired?: boolean): unknown[] {
  const faults: unknown[] = [];
  checkSecretPlaces(given, KEYS, (path, message) => faults.push([path, message]), isRequired);
  return faults;
}

const EXPECTED = 'expected one of secretEnv and secretFile';

it.each([
  [{}, false, []],
  [{}, true, [[[], EXPECTED]]],
  [{ secretEnv: 'A' }, true, []],
  [{ secretFile: 'a' }, true, []],
  [{ secretEnv: 'A', secretFile: 'a' }, false, [[['secretFile'], EXPECTED]]],
])('says of %j, needed: %j', (given, isRequired, faults) => {
  expect(faultsOf(given, isRequired)).toEqual(faults);
});
