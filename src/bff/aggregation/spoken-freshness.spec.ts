import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';
import { Freshness } from '../composition/freshness.ts';
import { spokenPart } from './spoken-freshness.ts';

const say = (cacheControl: string): IncomingHttpHeaders => ({ 'cache-control': cacheControl });

function composed(parts: readonly IncomingHttpHeaders[], silentMs?: number, isPersonal = false) {
  const freshness = new Freshness();
  for (const part of parts) {
    freshness.expect();
    freshness.hear(spokenPart('call', part));
  }
  return freshness.relayed({ silentMs, isPersonal });
}

describe(spokenPart, () => {
  it.each([
    [[{}, {}], undefined, undefined],
    [[say('max-age=30'), say('max-age=5')], undefined, 'max-age=5'],
    [[say('max-age=30'), {}], undefined, undefined],
    [[say('max-age=30'), {}], 10_000, 'max-age=10'],
    [[say('max-age=5'), {}], 10_000, 'max-age=5'],
    [[say('max-age=60'), say('no-store')], undefined, 'no-store'],
    [[say('max-age=60'), say('no-cache')], undefined, 'max-age=0, must-revalidate'],
    [[say('max-age=60'), { 'set-cookie': ['a=1'] }], 10_000, 'no-store'],
    [[say('max-age=60'), { vary: '*' }], 10_000, 'no-store'],
    [[say('public, max-age=60'), say('public, max-age=9')], undefined, 'public, max-age=9'],
    [[say('public, max-age=60'), say('max-age=9')], undefined, 'max-age=9'],
    [[say('public, max-age=60'), say('private, max-age=9')], undefined, 'private, max-age=9'],
    [[{ ...say('public, max-age=60'), vary: 'Accept, X-User-Id' }], undefined, 'private, max-age=60'],
    [[say('max-age=60, must-revalidate'), say('max-age=70')], undefined, 'max-age=60, must-revalidate'],
    [[{ ...say('max-age=60'), age: '50' }], undefined, 'max-age=10'],
    [[], 10_000, undefined],
  ])('composes %j with %s ms for the silent as %s', (parts, silentMs, expected) => {
    expect(composed(parts, silentMs)).toBe(expected);
  });

  it('calls private what depends on who asks', () => {
    expect(composed([say('public, max-age=60')], undefined, true)).toBe('private, max-age=60');
  });
});
