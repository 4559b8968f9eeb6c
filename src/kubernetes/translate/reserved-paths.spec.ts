import { describe, expect, it } from '@jest/globals';
import { withoutReserved } from './reserved-paths.ts';

const KEYS = ['/.well-known/jwks.json'];
const exceptOf = (path: string): unknown => withoutReserved({ path }, KEYS, 'path')['except'];

describe('withoutReserved', () => {
  it.each([['/*'], ['/.well-known/*'], ['/{a}/{b}'], ['/{r0:.*}/jwks.json']])(
    'leaves them out of %s',
    (path) => {
      expect(exceptOf(path)).toEqual(KEYS);
    },
  );

  it.each([['/orders/*'], ['/.well-known'], ['/.well-known/other/*'], ['/.well-known/jwks.jsonp']])(
    'leaves %s as it is',
    (path) => {
      expect(exceptOf(path)).toBeUndefined();
    },
  );

  it.each([['/.well-known/jwks.json'], ['/.well-known/jwks.json/*'], ['/.well-known/jwks.json/{a}']])(
    'refuses %s',
    (path) => {
      expect(() => exceptOf(path)).toThrow(/public keys/);
      expect(withoutReserved({ path }, [], 'path')).toEqual({ path });
    },
  );
});
