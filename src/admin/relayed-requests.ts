import { AsyncLocalStorage } from 'node:async_hooks';
import type { Verdict } from './access/roles.ts';

/** A request to the operators' listener that another process has taken, and this one answers. */
export interface RelayedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Where it came from. */
  readonly address: string;
  /** Where it was taken. */
  readonly localAddress: string;
  /** Whether it was taken over TLS. */
  readonly isTls: boolean;
  /** What of it two readers could take for different things. */
  readonly formFault?: string | undefined;
  /** Who asks, as the process has judged that has taken it. */
  readonly verdict: Verdict;
  /** Whose token the body holds, of a request to log in. */
  readonly login?: Verdict | undefined;
  /** Who answers it, where several serve: from 1. Written by the process that does. */
  readonly worker?: WorkerPlace | undefined;
  /** Whether another process answers it too, and takes note of it for all. */
  readonly isEcho: boolean;
}

/** Which of several processes one is. */
export interface WorkerPlace {
  readonly number: number;
  readonly of: number;
}

/** How far an order reaches by itself: `one` where what it changes is shared, `all` where each process has to hear it. */
export type Reach = 'one' | 'all';

/** What a process answers. */
export interface RelayedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: Buffer;
  readonly reach: Reach;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of an order: who has to hear it where several processes serve. Default `one`. */
    reach?: Reach;
  }
}

/** The request that is being answered for another process; undefined for one that came over a socket. */
export const relayed = new AsyncLocalStorage<
  Pick<RelayedRequest, 'localAddress' | 'isEcho' | 'isTls' | 'formFault' | 'verdict' | 'login' | 'worker'> & {
    reach: Reach;
  }
>();

/**
 * Whether an order is one that each process has to hear, by what can be told before one of them has looked at it: such orders are
 * given one after the other, or the last of two could be another one in each process.
 */
export function isForAll({ method, url }: Pick<RelayedRequest, 'method' | 'url'>): boolean {
  return (method === 'PUT' || method === 'DELETE') && /^\/(?:upstreams\/|log-level)/.test(url);
}
