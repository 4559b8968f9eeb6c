import { expect, it } from '@jest/globals';
import { shownQuery, shownTarget } from './shown-url.ts';

const shown = new Set(['page', 'token']);

it('shows names, and values only of what is listed and can be no secret', () => {
  expect(shownQuery('?page=2&q=anna&token=abc', shown)).toBe('page=2&q=REDACTED&token=REDACTED');
  expect(shownQuery('?dG9rZW4=', shown)).toBe('dG9rZW4=REDACTED');
  expect(shownQuery('?justavalue&=x&%61=1', shown)).toBe('REDACTED&REDACTED&REDACTED');
  expect([shownQuery('', shown), shownQuery('?', shown)]).toEqual(['', '']);
});

it('shows 16 parameters at most, and 256 characters of a value', () => {
  const query = `?${Array.from({ length: 20 }, (_, index) => `p${index}=1`).join('&')}`;
  expect(shownQuery(query, shown).split('&')).toHaveLength(16);
  expect(shownQuery(`?page=${'x'.repeat(300)}`, shown)).toBe(`page=${'x'.repeat(256)}`);
});

it('shows a target without the parameters of its path', () => {
  expect(shownTarget('/a;jsessionid=1/b?q=1', shown)).toBe('/a;*/b?q=REDACTED');
  expect(shownTarget('/a', shown)).toBe('/a');
});

it('shows no secret that a value or a path holds', () => {
  const token = `eyJhbGciOi.${'a'.repeat(300)}.b`;
  expect(shownQuery(`?page=${token}`, shown)).toBe('page=[redacted]');
  expect(shownTarget('/reset/abc/go?page=2', shown, ['abc'])).toBe('/reset/*/go?page=2');
  expect(shownTarget(`/a/${token}`, shown)).toBe('/a/[redacted]');
});
