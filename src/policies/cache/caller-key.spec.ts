import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { exchangeFor } from '../../../test/support/stage-server.ts';
import { setConnection, type ClientConnection } from '../../exchange/client-connection.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { RoleBook } from '../../exchange/role-book.ts';
import type { Route } from '../../routing/route.ts';
import { callerKey, carriesCredentials, type CacheScope } from './caller-key.ts';

const ADA: Principal = {
  id: 'ada',
  scheme: 'mtls',
  issuer: 'https://id.example',
  subject: 'ada',
  clientId: undefined,
  apiKeyId: undefined,
  roles: ['editor'],
  permissions: [],
  scopes: [],
  email: undefined,
  tenant: undefined,
  tier: undefined,
  claims: { level: 1 },
};
const editors = (permissions: readonly string[]): RoleBook =>
  new RoleBook({ editor: { includes: [], permissions, deny: [] } });

interface Caller {
  readonly door?: 'proxy' | 'handler';
  readonly principal?: Principal | undefined;
  readonly fingerprint?: string;
  readonly roles?: RoleBook;
}

function exchangeOf({ door = 'handler', principal, fingerprint, roles }: Caller): Exchange {
  const socket = new Socket();
  if (fingerprint !== undefined)
    setConnection(socket, { certificate: { fingerprint } } as unknown as ClientConnection);
  const request = new IncomingMessage(socket);
  const exchange = exchangeFor(request, new ServerResponse(request));
  exchange.principal = principal;
  exchange.route = { door, roles, action: {} } as unknown as Route;
  return exchange;
}

const keyOf = (caller: Caller, scope: CacheScope = 'principal'): string =>
  callerKey('r', scope, exchangeOf(caller));

describe('the key of an answer of a handler', () => {
  const usual: Caller = { principal: ADA, roles: editors(['read']) };
  const OTHERS: readonly (readonly [string, Caller])[] = [
    ['claims', { ...usual, principal: { ...ADA, claims: { level: 2 } } }],
    ['scopes', { ...usual, principal: { ...ADA, scopes: ['read'] } }],
    ['permissions', { ...usual, principal: { ...ADA, permissions: ['read'] } }],
    ['tier', { ...usual, principal: { ...ADA, tier: 'pro' } }],
    ['second credential', { ...usual, principal: { ...ADA, also: [{ ...ADA, id: 'app' }] } }],
    ['meaning of its roles', { ...usual, roles: editors(['read', 'write']) }],
    ['certificate', { ...usual, fingerprint: 'ab' }],
  ];

  it('is the same for the same caller, in every process', () => {
    expect(keyOf({ principal: { ...ADA }, roles: editors(['read']) })).toBe(keyOf(usual));
  });

  it.each(OTHERS)('is another one for a caller with another %s', (_, other) => {
    expect(keyOf(other)).not.toBe(keyOf(usual));
  });

  it('tells nobody apart who shares it, so that only what says so is shared', () => {
    expect(keyOf({ ...usual, principal: { ...ADA, claims: {} } }, 'public')).toBe(keyOf(usual, 'public'));
    expect(keyOf({}, 'public')).not.toBe(keyOf(usual, 'public'));
    // A handler may look at a certificate that nobody has asked for.
    expect(carriesCredentials(exchangeOf({ fingerprint: 'ab' }))).toBe(true);
    expect(carriesCredentials(exchangeOf({ fingerprint: 'ab', door: 'proxy' }))).toBe(false);
  });
});
