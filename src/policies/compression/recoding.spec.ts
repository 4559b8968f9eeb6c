import { describe, expect, it } from '@jest/globals';
import { forbidsRecoding, recode, weaken } from './recoding.ts';

describe('recode', () => {
  it('takes away what is said of the bytes, names the coding, and weakens the tag', () => {
    const headers = [
      'ETag',
      '"a"',
      'Content-Length',
      '5',
      'x',
      'y',
      'Repr-Digest',
      'd',
      'Accept-Ranges',
      'bytes',
    ];
    recode(headers, 'br');
    expect(headers).toEqual(['ETag', 'W/"a"', 'x', 'y', 'content-encoding', 'br']);
  });

  it('leaves a weak tag as it is', () => {
    const headers = ['etag', 'W/"a"'];
    weaken(headers);
    expect(headers).toEqual(['etag', 'W/"a"']);
  });
});

it.each<[string | undefined, boolean]>([
  ['no-transform', true],
  ['max-age=1, No-Transform', true],
  ['no-transformation', false],
  ['x="no-transform"', false],
  [undefined, false],
])('%s forbids another coding: %s', (field, forbids) => {
  expect(forbidsRecoding(field)).toBe(forbids);
});
