import { describe, expect, it } from '@jest/globals';
import { filtersOf } from './filters.ts';

const one = (filter: object): ReturnType<typeof filtersOf> =>
  filtersOf([filter as Record<string, unknown>], 'filters');

describe('filtersOf', () => {
  it('edits fields, and fills nothing in', () => {
    const requestHeaderModifier = {
      set: [{ name: 'a', value: '{x}' }],
      add: [{ name: 'b', value: '1' }],
      remove: ['c'],
    };
    expect(one({ type: 'RequestHeaderModifier', requestHeaderModifier }).transform).toEqual({
      request: { setHeaders: { a: '{{x}}' }, addHeaders: { b: '1' }, removeHeaders: ['c'] },
    });
  });

  it('redirects with 302 unless it says otherwise', () => {
    expect(one({ type: 'RequestRedirect', requestRedirect: { hostname: 'x' } }).redirect).toEqual({
      host: 'x',
      status: 302,
    });
    const requestRedirect = { statusCode: 301, path: { type: 'ReplaceFullPath', replaceFullPath: '/y' } };
    expect(one({ type: 'RequestRedirect', requestRedirect }).redirect).toEqual({ path: '/y', status: 301 });
  });

  it('mirrors a share, as percent or fraction', () => {
    const of = (requestMirror: object): unknown =>
      one({ type: 'RequestMirror', requestMirror }).mirror?.share;
    expect([of({}), of({ percent: 5 }), of({ fraction: { numerator: 1, denominator: 3 } })]).toEqual([
      '100%',
      '5%',
      '33.333333%',
    ]);
  });

  it.each([
    [[{ type: 'CORS', cors: { allowOrigins: [] } }], /cors\.allowOrigins/],
    [[{ type: 'CORS', cors: { allowOrigins: ['*'], exposeHeaders: ['*'] } }], /cors\.exposeHeaders/],
    [[{ type: 'ExtensionRef' }], /\[0\]\.extensionRef/],
    [[{ type: 'Magic' }], /\[0\]\.type: Magic/],
    [[{ type: 'CORS', cors: { allowOrigins: ['*'] } }, { type: 'CORS' }], /\[1\]: a second CORS/],
    [
      [{ type: 'RequestRedirect' }, { type: 'URLRewrite', urlRewrite: { hostname: 'x' } }],
      /RequestRedirect and URLRewrite/,
    ],
  ])('refuses %j', (filters, why) => expect(() => filtersOf(filters, 'filters')).toThrow(why));
});
