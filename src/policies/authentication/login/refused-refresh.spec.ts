import { expect, it } from '@jest/globals';
import { ResponseBodyError } from 'openid-client';
import { refusedRefresh } from './refused-refresh.ts';

const exchange = {
  clientAddress: '192.0.2.1',
  request: { headers: { 'user-agent': 'spec' } },
  route: { id: 'orders' },
  id: 'request-1',
  trace: { traceId: 'trace-1' },
};
const session = { id: 's-1' };
const told = (refusal: unknown) =>
  refusedRefresh(exchange as never, { session, who: { id: 'ada', claims: {} }, refusal } as never);

it.each<[string, unknown, string]>([
  [
    'an answer of the provider by its code only',
    new ResponseBodyError('x', {
      cause: { error: 'invalid_grant', error_description: 'secret' } as never,
      response: new Response('', { status: 400 }),
    }),
    'the provider refused the refresh token: invalid_grant',
  ],
  [
    'tokens of somebody else by what differs',
    new Error('another subject'),
    'the provider gave tokens that are not of the session: another subject',
  ],
  ['what is no error', 'odd', 'the provider gave tokens that are not of the session: '],
])('tells %s', (_what, refusal, message) => {
  const event = told(refusal);
  expect(event).toMatchObject({
    kind: 'denial',
    action: 'refresh',
    outcome: 'denied',
    route: 'orders',
    requestId: 'request-1',
    details: { message },
  });
  // As an order to revoke names it.
  expect(event.target).toBe('jti session:s-1');
});
