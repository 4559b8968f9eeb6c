import { describe, expect, it } from '@jest/globals';
import { parsePathPattern } from '../routing/path-pattern.ts';
import { ActionError } from '../routing/route-action.ts';
import { compileLocation } from './location.ts';
import type { RedirectOptions } from './redirect.schema.ts';

const compile = (options: object, path = '/old/{id}/*') =>
  compileLocation({ query: 'keep', ...options } as RedirectOptions, parsePathPattern(path));

describe('where a redirect leads', () => {
  it.each([
    'https://{id}.example.com/',
    'https://example.com:{id}/',
    '{id}://example.com/',
    'https://{*}/',
    '//evil.example/',
    'javascript:alert(1)',
    'ftp://example.com/',
    'example.com/x',
    'https://me:pw@example.com/',
  ])('is never for a request to say: %s is refused', (to) => {
    expect(() => compile({ to })).toThrow(ActionError);
  });

  it('has a value for each placeholder, or is no route', () => {
    expect(() => compile({ to: 'https://example.com/{no}' })).toThrow(ActionError);
    expect(() => compile({ to: '/new/{id}' })).not.toThrow();
  });

  it('is listed as the file says it, or by the parts that it changes', () => {
    expect(compile({ to: 'https://example.com/{*}' }).shown).toBe('https://example.com/{*}');
    expect(compile({ scheme: 'https' }).shown).toBe('https://…/…');
    expect(compile({ host: 'b.example', port: 8443, path: '/x' }).shown).toBe('…://b.example:8443/x');
    expect(compile({ replacePrefix: '/new/' }, '/old/*').shown).toBe('/new/…');
  });
});
