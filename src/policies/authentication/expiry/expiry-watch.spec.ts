import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { exchangeFor } from '../../../../test/support/stage-server.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { OpenExchanges } from '../../../exchange/open-exchanges.ts';
import { principalOf } from '../tokens/token-principal.ts';
import { ExpiryWatch } from './expiry-watch.ts';

const BEGAN_S = 1_900_000_000;
const EXPIRES_S = BEGAN_S + 60;
const GRACE_S = 300;
const NAMES = { roles: ['roles'], permissions: ['permissions'], email: 'email', tenant: 'tid', tier: 'tier' };

function watched(): {
  watch: ExpiryWatch;
  exchanges: OpenExchanges;
  open: (exp?: number) => Exchange;
  at: (s: number) => void;
} {
  let now = BEGAN_S;
  const exchanges = new OpenExchanges();
  const watch = new ExpiryWatch({ exchanges, clock: () => now * 1000 });
  const open = (exp?: number): Exchange => {
    const request = new IncomingMessage(new Socket());
    const exchange = exchangeFor(request, new ServerResponse(request));
    const principal = principalOf({ sub: 'alice', ...(exp !== undefined && { exp }) }, NAMES);
    watch.admit(exchange, principal);
    exchange.principal = principal;
    return exchange;
  };
  return { watch, exchanges, open, at: (seconds) => ((now = seconds), watch.look()) };
}

describe('what is under way', () => {
  it('is not looked at when its token never expires', () => {
    const { exchanges, open } = watched();
    open();
    expect(exchanges.size).toBe(0);
    open(EXPIRES_S);
    expect(exchanges.size).toBe(1);
  });

  it('goes on for five minutes after its token, and not longer', () => {
    const { open, at } = watched();
    const exchange = open(EXPIRES_S);
    at(EXPIRES_S + GRACE_S - 1);
    expect(exchange.cancelled).toBeUndefined();
    at(EXPIRES_S + GRACE_S);
    expect(exchange.cancelled?.code).toBe('credentials-expired');
  });

  it('ends with the first of several credentials', () => {
    const { watch, exchanges, open, at } = watched();
    const exchange = open();
    const [first, other] = [exchange.principal, open(EXPIRES_S).principal];
    if (first === undefined || other === undefined) throw new Error('nobody');
    const both = { ...first, also: [other] };
    watch.admit(exchange, both);
    exchange.principal = both;
    expect(exchanges.size).toBe(2);
    at(EXPIRES_S + GRACE_S);
    expect(exchange.cancelled?.code).toBe('credentials-expired');
  });

  it('is left alone where it ends by itself', () => {
    const { open, at } = watched();
    const exchange = open(EXPIRES_S);
    exchange.endsItself = true;
    at(EXPIRES_S + GRACE_S);
    expect(exchange.cancelled).toBeUndefined();
  });
});
