import { setCookie } from '../../exchange/cookie-field.ts';
import { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Problem } from '../../problems/problem.ts';
import { nameUpstream } from '../../upstreams/asked-upstreams.ts';
import type { CallContext, ServedPart } from '../call.ts';
import type { CallMemory } from './call-memory.ts';
import { freezeDeep } from './frozen.ts';
import { refusalOf, Waiter, type WaitedFor } from './waiter.ts';

/** The context of a run inside the layers: also whose calls may be merged with it. */
export interface Passage extends CallContext {
  /** Calls of different origins are never sent together: the memory of the exchange, or that of all public calls. */
  readonly origin: CallMemory;
  /** The memory of the exchange that started it, which bounds how much runs at a time. */
  readonly home: CallMemory;
}

/** How a shared run is made. */
export interface RunOptions<Out> {
  /** Whose request starts it; it gives the run its id and trace, and nothing that could end it. */
  readonly starter: Passage;
  /** Whom the upstream sees. */
  readonly principal: Principal | undefined;
  readonly origin: CallMemory;
  /** Longest time of the run, in ms, whatever its waiters allow. */
  readonly timeoutMs: number;
  /** When the time of whole requests ends, on the clock of `performance.now()`; `Infinity` across requests. */
  readonly deadlineAt: number;
  /** The run goes on when nobody waits any more: the value is wanted later. */
  readonly kept?: boolean;
  load(passage: Passage): Promise<Out>;
  /** Called once when it has ended, before anybody who waits hears of it. */
  ended(run: SharedRun<Out>, outcome: RunOutcome<Out>): void;
}

/** How a run ended. */
export type RunOutcome<Out> = { readonly value: Out } | { readonly error: unknown };

/**
 * One run that several wait for. It belongs to none of them: each leaves by its own timeout or cancellation
 * without touching the others, and when the last one has left, the run is aborted.
 */
export class SharedRun<Out> implements WaitedFor {
  /** Whether another one may wait for it. A run that somebody found too slow takes nobody new. */
  joinable = true;
  readonly #options: RunOptions<Out>;
  readonly #waiters = new Set<Waiter<Out>>();
  #exchange: Exchange | undefined;
  #outcome: RunOutcome<Out> | undefined = undefined;
  #part: ServedPart | undefined = undefined;
  #credited = false;

  constructor(options: RunOptions<Out>) {
    this.#options = options;
    this.#exchange = detached(options);
  }

  /** Starts the load; call it once, after the first one has joined. */
  start(): void {
    const { origin, timeoutMs, starter } = this.#options;
    const served = (part: ServedPart): void => void (this.#part = part);
    const exchange = this.#exchange as Exchange;
    // It may outlast who started it, and with that the configuration.
    exchange.snapshot?.hold();
    const { home, trail, span } = starter;
    const passage: Passage = { exchange, timeoutMs, origin, home, served, trail, span };
    try {
      this.#options.load(passage).then(
        (value) => this.#end({ value }),
        (error: unknown) => this.#end({ error }),
      );
    } catch (error) {
      this.#end({ error });
    }
  }

  /** Waits for the value as long as the context allows. */
  join(context: CallContext): Promise<Out> {
    const refusal = refusalOf(context);
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#outcome !== undefined) return this.#known(context, this.#outcome);
    return new Promise((resolve, reject) => {
      this.#waiters.add(new Waiter<Out>(context, this, { resolve, reject }));
    });
  }

  left(waiter: Waiter<never>, reason: Problem): void {
    this.#waiters.delete(waiter as Waiter<unknown>);
    if (waiter.context.exchange === this.#options.starter.exchange) this.#credit();
    if (reason.code === 'upstream-timeout' || reason.code === 'deadline-exceeded') this.joinable = false;
    if (this.#waiters.size === 0) this.#abandon(reason);
  }

  #known(context: CallContext, outcome: RunOutcome<Out>): Promise<Out> {
    if ('error' in outcome) return Promise.reject(outcome.error);
    if (this.#part !== undefined) context.served?.(this.#part);
    return Promise.resolve(outcome.value);
  }

  #abandon(reason: Problem): void {
    if (this.#options.kept === true || this.#outcome !== undefined) return;
    this.joinable = false;
    // To the run its time is up, whoever set the limit: a target that was silent for so long has failed.
    this.#exchange?.cancel(reason.code === 'upstream-timeout' ? new Problem('deadline-exceeded') : reason);
  }

  #end(outcome: RunOutcome<Out>): void {
    if ('value' in outcome) freezeDeep(outcome.value);
    // However long it took, a value that is there is there for everybody.
    if ('value' in outcome) this.joinable = true;
    this.#outcome = outcome;
    this.#credit();
    this.#options.ended(this, outcome);
    const asked = this.#exchange?.upstream;
    for (const waiter of this.#waiters) {
      if (asked !== undefined) nameUpstream(waiter.context.exchange, asked);
      if (this.#part !== undefined) waiter.context.served?.(this.#part);
      if ('value' in outcome) waiter.resolve(outcome.value);
      else waiter.reject(outcome.error);
    }
    this.#waiters.clear();
    this.#exchange?.snapshot?.release();
    this.#exchange = undefined;
  }

  /** Attempts appear once, on the access line of the exchange that started the run. */
  #credit(): void {
    if (this.#credited || this.#exchange === undefined || this.#exchange.attempts.length === 0) return;
    this.#credited = true;
    const starter = this.#options.starter.exchange;
    starter.attempts.push(...this.#exchange.attempts);
    // Cookies that keep its client with a target; they are for nobody else who waits for the run.
    const { responseHeaders } = this.#exchange;
    for (let i = 0; i < responseHeaders.length; i += 2)
      if (responseHeaders[i] === 'set-cookie')
        setCookie(starter.responseHeaders, responseHeaders[i + 1] as string);
    if (this.#exchange.upstream !== undefined) nameUpstream(starter, this.#exchange.upstream);
  }
}

/** An exchange of the same request that nobody but the run cancels. */
function detached<Out>({ starter, principal, deadlineAt }: RunOptions<Out>): Exchange {
  const exchange = new Exchange(starter.exchange);
  exchange.principal = principal;
  exchange.route = starter.exchange.route;
  exchange.deadlineAt = deadlineAt;
  return exchange;
}
