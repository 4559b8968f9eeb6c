import { Problem } from '../../problems/problem.ts';
import type { BatchAnswer, BatchPlan } from '../call-plan.ts';
import type { Transports } from '../call.ts';
import type { CallTime } from './call-time.ts';
import type { Run } from './flights.ts';
import { SharedRun, type Passage } from './shared-run.ts';
import { refusalOf, type Settle } from './waiter.ts';

/** Ids of one request together: beyond this, servers begin to refuse the length of an address. */
const MAX_IDS_LENGTH = 4000;

/** One call that waits for the end of the turn. */
interface Item<In, Out> extends Settle<Out> {
  readonly id: string;
  readonly input: In;
  readonly key: string;
  readonly passage: Passage;
}

/** What a queue needs. */
export interface BatchDeps<In, Out> {
  readonly plan: BatchPlan<In, Out>;
  readonly transports: Transports;
  readonly time: CallTime;
  /** Makes the call for one input. */
  readonly alone: Run<In, Out>;
}

/**
 * Gathers calls for single ids that are made in one turn of the loop into one upstream call. Only calls of the
 * same origin and group meet; an id that is alone makes the plain call, which the upstream may know how to cache.
 */
export class BatchQueue<In, Out> {
  readonly deps: BatchDeps<In, Out>;

  constructor(deps: BatchDeps<In, Out>) {
    this.deps = deps;
  }

  readonly run: Run<In, Out> = (input, key, passage) => {
    const { plan, alone } = this.deps;
    const id = plan.idOf(input);
    if (!plan.joins(id)) return alone(input, key, passage);
    return new Promise<Out>((resolve, reject) => {
      // The key begins with who asks: a socket may change its principal, and then its calls do not mix either.
      const group = key.slice(0, key.indexOf('\n') + 1) + plan.groupOf(input);
      this.#enqueue(group, { id, input, key, passage, resolve, reject });
    });
  };

  #enqueue(group: string, item: Item<In, Out>): void {
    const { waiting } = item.passage.origin;
    let groups = waiting.get(this) as Map<string, Item<In, Out>[]> | undefined;
    if (groups === undefined) {
      groups = new Map();
      waiting.set(this, groups as Map<string, unknown[]>);
    }
    const items = groups.get(group);
    if (items !== undefined) return void items.push(item);
    const first = [item];
    groups.set(group, first);
    const gathered = groups;
    this.deps.time.afterTurn(() => {
      gathered.delete(group);
      this.#send(first);
    });
  }

  #send(items: readonly Item<In, Out>[]): void {
    const [first] = items;
    // The usual case of a page that shows one of each kind.
    if (first !== undefined && items.length === 1) return this.#single(first);
    let chunk = new Map<string, Item<In, Out>[]>();
    let length = 0;
    for (const item of items) {
      const refusal = refusalOf(item.passage);
      if (refusal !== undefined) {
        item.reject(refusal);
        continue;
      }
      const same = chunk.get(item.id);
      if (same !== undefined) {
        same.push(item);
        continue;
      }
      length += item.id.length + 1;
      if (chunk.size === this.deps.plan.max || (length > MAX_IDS_LENGTH && chunk.size > 0)) {
        this.#load(chunk);
        chunk = new Map();
        length = item.id.length + 1;
      }
      chunk.set(item.id, [item]);
    }
    if (chunk.size > 0) this.#load(chunk);
  }

  #single({ input, key, passage, resolve, reject }: Item<In, Out>): void {
    const refusal = refusalOf(passage);
    if (refusal === undefined) this.deps.alone(input, key, passage).then(resolve, reject);
    else reject(refusal);
  }

  #load(chunk: ReadonlyMap<string, readonly Item<In, Out>[]>): void {
    const items = [...chunk.values()].flat();
    const [first] = items as [Item<In, Out>];
    if (items.length === 1) return this.#single(first);
    const inputs = [...chunk.values()].map(([one]) => (one as Item<In, Out>).input);
    const run = new SharedRun<BatchAnswer<Out>>({
      starter: first.passage,
      principal: first.passage.exchange.principal,
      origin: first.passage.origin,
      timeoutMs: Math.max(...items.map(({ passage }) => passage.timeoutMs)),
      deadlineAt: Math.max(...items.map(({ passage }) => passage.exchange.deadlineAt)),
      load: (passage) => this.deps.plan.load(this.deps.transports, inputs, passage),
      ended() {},
    });
    for (const { id, passage, resolve, reject } of items) {
      if (passage.trail !== undefined) passage.trail.via = 'batch';
      run
        .join(passage)
        .then((answer) => resolve(pick(answer, id)), reject)
        .catch(reject);
    }
    run.start();
  }
}

/** The element of an id. @throws {Problem} for the id alone when there is none or it cannot be used. */
function pick<Out>({ found, faults, stray }: BatchAnswer<Out>, id: string): Out {
  const value = found.get(id);
  if (value !== undefined) return value;
  const fault = faults.get(id) ?? stray;
  throw fault ?? new Problem('resource-not-found');
}
