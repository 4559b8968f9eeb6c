import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../test/support/exchange.ts';
import type { Exchange, SocketFacts } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { exchangeFault } from './exchange-fault.ts';

const TRAFFIC = { messages: 0, bytes: 0 };
const ended = (by: SocketFacts['by'], code: number): SocketFacts => ({ by, code, in: TRAFFIC, out: TRAFFIC });

function faultOf(change: Partial<Exchange>): string | undefined {
  const exchange = createExchange();
  exchange.status = 200;
  return exchangeFault(Object.assign(exchange, change));
}

describe('a fault of an exchange', () => {
  it.each<[string, Partial<Exchange>, string | undefined]>([
    ['a success', {}, undefined],
    ['a 4xx', { status: 404 }, undefined],
    ['a 5xx of a service', { status: 503 }, '503'],
    ['a refusal of ours', { status: 403, problem: new Problem('permission-denied') }, undefined],
    ['a failure of ours', { status: 502, problem: new Problem('upstream-unreachable') }, 'upstream-unreachable'],
    ['a failure after the head was sent', { problem: new Problem('upstream-timeout') }, 'upstream-timeout'],
    ['what was cut off', { cancelled: new Problem('deadline-exceeded') }, 'deadline-exceeded'],
    ['a client that leaves', { status: 499, problem: new Problem('client-closed') }, undefined],
    ['a call that is the fault of a server', { grpcStatus: 'INTERNAL' }, 'INTERNAL'],
    ['a call that is the fault of its client', { grpcStatus: 'NOT_FOUND' }, undefined],
    ['a socket that ends well', { status: 101, socket: ended('upstream', 1000) }, undefined],
    ['one that its client ends without a word', { status: 101, socket: ended('client', 1006) }, undefined],
    ['one whose service says 1011', { status: 101, socket: ended('upstream', 1011) }, '1011'],
    ['one whose service goes without a word', { status: 101, socket: ended('upstream', 1006) }, '1006'],
    ['one that we end for a fault of ours', { status: 101, socket: ended('gateway', 1011) }, '1011'],
    ['one that we end because it is old', { status: 101, socket: ended('gateway', 1012) }, undefined],
  ])('of %s', (_, change, fault) => {
    expect(faultOf(change)).toBe(fault);
  }); // prettier-ignore
});
