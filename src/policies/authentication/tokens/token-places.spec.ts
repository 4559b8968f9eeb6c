import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../../test/support/exchange.ts';
import { noteLiftedToken } from '../../../exchange/lifted-token.ts';
import { TokenPlaces } from './token-places.ts';
import { tokenPlacesSchema } from './token-places.schema.ts';

const cookie = { name: 'token', origins: ['https://app.test'] };

/** What is found of a request with a token in each place. */
function found(options: object, { lifted = false, withCookie = false } = {}): string | undefined {
  const exchange = createExchange();
  const { request } = exchange;
  request.rawHeaders.push('Authorization', 'Bearer from-header');
  if (withCookie) request.headers.cookie = 'token=from-cookie';
  if (lifted) noteLiftedToken(request);
  return new TokenPlaces(tokenPlacesSchema.parse(options)).find(exchange);
}

describe('a token', () => {
  it.each([
    [{}, 'from-header', 'from-header'],
    [{ webSocket: false }, 'from-header', undefined],
    [{ header: false }, undefined, 'from-header'],
    [{ cookie }, 'from-header', 'from-header'],
    [{ header: false, cookie }, 'from-cookie', 'from-header'],
    [{ header: false, webSocket: false, cookie }, 'from-cookie', 'from-cookie'],
  ])('with %j is looked for as a field, and among subprotocols', (options, asField, asProtocol) => {
    expect(found(options, { withCookie: true })).toBe(asField);
    expect(found(options, { withCookie: true, lifted: true })).toBe(asProtocol);
  });

  it('is not looked for in a cookie of which nobody has spoken', () => {
    expect(found({ header: false }, { withCookie: true })).toBeUndefined();
  });

  it.each([
    [{ maxSize: '33KiB' }, 'between 1KiB and 32KiB'],
    [{ maxSize: '100B' }, 'between 1KiB and 32KiB'],
    [{ header: false, webSocket: false }, 'nobody could call'],
    [{ cookie: { name: 'a b', origins: ['https://a.test'] } }, 'the name of a cookie'],
    [{ cookie: { name: 'a', origins: [] } }, 'origins'],
    [{ cookie: { name: 'a' } }, 'origins'],
    [{ cookie: { name: 'a', origins: ['https://a.test/path'] } }, 'origin'],
    [{ cookie: { name: 'a', origins: ['*'] } }, 'origin'],
  ])('cannot be configured with %j', (options, words) => {
    expect(() => tokenPlacesSchema.parse(options)).toThrow(words);
  });
});
