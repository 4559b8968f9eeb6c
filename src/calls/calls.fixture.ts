import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { startUpstream, type TestUpstream } from '../../test/support/upstream.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Principal } from '../exchange/principal.ts';
import { BOB, CallBed, exchangeFor, until } from '../upstreams/grpc/call.fixture.ts';
import type { CallContext, ServedPart } from './call.ts';
import { Caller } from './caller.ts';
import type { CallTime } from './reuse/call-time.ts';

/** Ada of the sample data: an admin. */
export const ADA: Principal = Object.freeze({
  ...BOB,
  id: '1',
  subject: '1',
  roles: ['admin'],
  email: 'ada@example.com',
});

/** A thing that test upstreams know. */
export const thingSchema = z.object({ id: z.string(), name: z.string() });
/** A thing that test upstreams know. */
export type Thing = z.output<typeof thingSchema>;

/** A clock that stands still until a spec moves it; turns are those of the process. */
export class TestTime implements CallTime {
  nowMs = 1000;
  now(): number {
    return this.nowMs;
  }
  afterTurn(run: () => void): void {
    setImmediate(run);
  }
}

/** One upstream named `things`, and a caller that reaches it. */
export class ThingsBed {
  readonly time = new TestTime();
  readonly upstream: TestUpstream;
  readonly bed: CallBed;
  readonly caller: Caller;
  /** Answers that a `held` upstream has not given yet. */
  readonly held: ServerResponse[] = [];
  /** Requests whose connection was closed before their answer was complete. */
  aborted = 0;

  private constructor(upstream: TestUpstream) {
    this.upstream = upstream;
    this.bed = new CallBed({ things: { targets: [upstream.url] } });
    this.caller = new Caller(this.bed.upstreams, this.bed.http, this.bed.grpc, this.time);
  }

  static async start(): Promise<ThingsBed> {
    const bed = new ThingsBed(await startUpstream());
    bed.answerThings();
    return bed;
  }

  /** Answers `/things/{id}` and `/things?ids=`; only ids that are numbers exist. */
  answerThings(): void {
    this.upstream.listener = (request, response) => this.#answer(request, response);
  }

  /** Lets every request wait until the spec answers it. */
  hold(): void {
    this.held.length = 0;
    this.aborted = 0;
    this.upstream.listener = (_, response) => {
      response.once('close', () => (this.aborted += response.writableFinished ? 0 : 1));
      this.held.push(response);
    };
  }

  /** Answers what is held, and everything that comes, as {@link answerThings} does. */
  release(): void {
    this.answerThings();
    for (const response of this.held.splice(0)) this.upstream.listener(response.req, response);
  }

  /** Answers everything with a status and a body. */
  answer(status: number, body: unknown = {}): void {
    this.upstream.listener = (_, response) => void response.writeHead(status).end(JSON.stringify(body));
  }

  /** What was asked so far, and starts a new list. */
  asked(): string[] {
    return this.upstream.requests.splice(0).map(({ url }) => url as string);
  }

  /** Waits until so many requests are held. */
  async holds(count: number): Promise<void> {
    await until(() => this.held.length === count);
  }

  /** Waits until so many requests are held, and then some: no more may come. */
  async holdsOnly(count: number): Promise<void> {
    await this.holds(count);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (this.held.length !== count) throw new Error(`${this.held.length} requests came instead of ${count}`);
  }

  async stop(): Promise<void> {
    await this.bed.close();
    await this.upstream.stop();
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://things');
    const ids = searchParams.get('ids')?.split(',');
    const things = (ids ?? [decodeURIComponent(pathname.slice('/things/'.length))])
      .filter((id) => /^\d+$/.test(id))
      .map((id) => ({ id, name: `thing ${id}`, internal: true }));
    if (ids !== undefined) response.end(JSON.stringify({ items: things.reverse() }));
    else response.writeHead(things.length === 0 ? 404 : 200).end(JSON.stringify(things[0] ?? {}));
  }
}

/** A context of its own exchange, and what was reported to it. */
export interface TestContext extends CallContext {
  readonly parts: ServedPart[];
}

/** A context of an exchange of its own, Bob's unless said otherwise. */
export function contextOf(
  principal: Principal | undefined = BOB,
  timeoutMs = Infinity,
  exchange: Exchange = exchangeFor({ principal }),
): TestContext {
  const parts: ServedPart[] = [];
  return { exchange, timeoutMs, parts, served: (part) => void parts.push(part) };
}

/** A seeded source of random numbers from 0 to 1 (mulberry32): a failing run can be repeated. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
