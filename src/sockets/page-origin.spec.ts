import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import { refuseForeignOrigin } from './page-origin.ts';

function check(headers: Record<string, string>, allowed: string[] = []): () => void {
  const exchange = createExchange();
  Object.assign(exchange.request.headers, { host: 'Localhost:8080', ...headers });
  return () => refuseForeignOrigin(exchange, allowed);
}

describe(refuseForeignOrigin, () => {
  it.each([
    ['no page', {}],
    ['a page of ours', { origin: 'http://localhost:8080' }],
    ['a page of ours over TLS that a proxy ends', { origin: 'https://localhost:8080' }],
    ['a foreign page with a token', { origin: 'https://evil.example', authorization: 'Bearer x' }],
    ['a foreign page with a key', { origin: 'https://evil.example', 'x-api-key': 'x' }],
    ['a listed page', { origin: 'https://app.example' }],
  ])('lets %s pass', (_, headers) => {
    expect(check(headers, ['https://app.example'])).not.toThrow();
  });

  it.each([
    'https://evil.example',
    'http://localhost:8081',
    'http://localhost:8080.evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'null',
    '',
    'nonsense',
  ])('refuses a page of %j', (origin) => {
    expect(check({ origin }, ['https://app.example'])).toThrow(
      'Pages of this origin may not open sockets here.',
    );
  });
});
