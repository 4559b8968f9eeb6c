import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { GRAPHQL_DOORS } from '../../../../test/support/graphql-doors.ts';
import { toyAnswer, toyFactory, toyPolicy } from '../../../../test/support/toy-policy.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import type { Stage } from '../../../policies/stage.ts';
import { startBff, type BffApp } from '../../bff-app.fixture.ts';

@Resolver()
class PongResolver {
  @Query(() => String)
  pong(): string {
    ran += 1;
    return 'pong';
  }

  /** Without it there are no doors but those of HTTP. */
  @Subscription(() => String)
  async *pongs(): AsyncGenerator<{ pongs: string }> {
    yield await Promise.resolve({ pongs: 'pong' });
  }
}

let ran = 0;
let entered: string[] = [];
let answering: string | undefined;
const ANSWER = toyAnswer('{"data":{"pong":"stored"}}');

/** Takes note of being entered, and answers when asked to, but not a handshake. */
function stage(name: string): Stage {
  return {
    enter(exchange: Exchange) {
      entered.push(name);
      const isHandshake = exchange.request.headers.upgrade !== undefined && exchange.response.socket !== null;
      return answering === name && !isHandshake ? ANSWER : undefined;
    },
  };
}

const facts = {
  edge: { per: 'connection', before: 'identity' },
  caller: { per: 'connection' },
  charge: { per: 'operation' },
  once: { per: 'answer' },
  late: { per: 'answer', before: 'action' },
} as const;

let bff: BffApp;
beforeAll(async () => {
  bff = await startBff({
    factories: Object.entries(facts).map(([name, one]) => toyFactory(toyPolicy(name, one), stage(name))),
    modules: [{ module: class PongModule {}, providers: [PongResolver] }],
  });
});
afterAll(() => bff.stop());
beforeEach(() => {
  ran = 0;
  entered = [];
  answering = undefined;
});

const ask = (door: string) => GRAPHQL_DOORS[door]?.(bff.url, { query: '{ pong }' });

describe('the stages of an operation', () => {
  it.each([
    ['post', ['edge', 'caller', 'charge', 'once', 'late']],
    ['get', ['edge', 'caller', 'charge', 'once', 'late']],
    // Its request has entered what comes before the body; the operation has an answer of its own.
    ['stream by post', ['edge', 'caller', 'charge', 'once', 'once', 'late']],
    // The handshake brings no credential: who calls is asked with the first message.
    ['socket', ['edge', 'caller', 'charge', 'charge', 'once', 'late']],
  ])('follow from the facts of their policies (%s)', async (door, expected) => {
    expect(await ask(door)).toEqual({ data: { pong: 'pong' } });
    expect(entered).toEqual(expected);
  });

  it.each([
    ['post', 'edge'],
    ['post', 'late'],
    ['get', 'charge'],
    ['stream by post', 'charge'],
    ['stream by post', 'late'],
    ['socket', 'late'],
  ])('can answer in its place (%s, %s)', async (door, name) => {
    answering = name;
    expect(await ask(door)).toEqual({ data: { pong: 'stored' } });
    expect(ran).toBe(0);
  });
});
