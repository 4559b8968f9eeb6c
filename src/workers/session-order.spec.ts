import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AdminAccess } from '../admin/access/admin-access.ts';
import type { RelayedAnswer, RelayedRequest } from '../admin/relayed-requests.ts';
import { useOperators, type Operators } from '../../test/support/operators.ts';
import { SessionOrder } from './session-order.ts';

const DONE: RelayedAnswer = { status: 204, headers: {}, body: Buffer.alloc(0), reach: 'one' };

let operators: Operators;
let access: AdminAccess;

beforeEach(() => {
  operators = useOperators();
  access = new AdminAccess({ adminHost: '127.0.0.1', admin: { tokensFile: operators.file } });
});
afterEach(() => operators.remove());

const asked = (more: Partial<RelayedRequest> = {}): RelayedRequest => ({
  method: 'POST',
  url: '/session',
  headers: { host: 'localhost', 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify({ token: operators.tokens.read })),
  address: '127.0.0.1',
  localAddress: '127.0.0.1',
  isTls: false,
  verdict: { refusal: { reason: 'no-credentials', error: '' } },
  isEcho: false,
  ...more,
});

describe('an order about a session', () => {
  it('opens one once a worker allows it, and ends it', () => {
    const order = new SessionOrder(access, asked());
    expect(order.asked.login).toEqual({ caller: { name: 'read', role: 'read', by: 'token' } });
    expect(order.settle({ ...DONE, status: 403 }).headers).toEqual({});
    expect(access.sessions.count).toBe(0);
    const cookie = String(order.settle(DONE).headers['set-cookie']).split(';', 1)[0] as string;
    expect(access.sessions.count).toBe(1);
    const end = new SessionOrder(access, asked({ method: 'DELETE', headers: { cookie } }));
    expect(end.settle(DONE).headers['set-cookie']).toMatch(/Max-Age=0/);
    expect(access.sessions.count).toBe(0);
  });

  it.each<[string, Partial<RelayedRequest>]>([
    ['another path', { url: '/sessions' }],
    ['another spelling', { url: '/sessio%6e' }],
    ['another method', { method: 'PUT' }],
    ['a form', { headers: { host: 'localhost', 'content-type': 'text/plain' } }],
    ['a page of another site', { headers: { host: 'localhost', 'content-type': 'application/json', origin: 'http://evil.example' } }], // prettier-ignore
    ['what two could read differently', { formFault: 'expected one field host' }],
    ['a body that is too long', { body: Buffer.alloc(3000, ' ') }],
    ['no JSON', { body: Buffer.from('{') }],
  ])('looks at no token of %s', (_what, more) => {
    const order = new SessionOrder(access, asked(more));
    expect(order.asked.login).toBeUndefined();
    order.settle(DONE);
    expect(access.sessions.count).toBe(0);
  });
});
