import { compileCondition } from '../../conditions/condition.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Timings, type TimedPart } from '../../exchange/timings.ts';
import { changes, passes, type StageVerdict } from '../explained-stage.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { serverTimingPolicy, type ServerTimingOptions } from './server-timing.policy.ts';

const FIELD = 'server-timing';
const LOOPBACK = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/;
/** What proxies add: with one of them, whoever called first was elsewhere. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/** Measures the exchanges of one route, and tells who may see it. */
export class ServerTimingStage implements Stage {
  readonly heads = 'all';
  readonly onlyAdds = true;
  readonly #maySee: (exchange: Exchange) => boolean;

  constructor(options: ServerTimingOptions) {
    this.#maySee = compileAudience(options.for);
  }

  enter(exchange: Exchange): void {
    // Who calls is not known yet, so that everybody is measured.
    if (exchange.timings === undefined) exchange.timings = new Timings(exchange.startedAt, performance.now());
    else exchange.timings.begin(performance.now());
    exchange.timings.audience = () => this.#maySee(exchange);
  }

  head(exchange: Exchange, { headers }: ResponseHead): void {
    if (!this.#maySee(exchange)) return;
    const now = performance.now();
    // Of what no route takes nothing is known but how long it took.
    const { timings = new Timings(exchange.startedAt, now) } = exchange;
    headers.push(FIELD, timings.parts(now).map(written).join(', '));
  }

  explain(exchange: Exchange): StageVerdict {
    return this.#maySee(exchange) ? changes(`every answer gets ${FIELD}`) : passes();
  }
}

function written({ name, ms }: TimedPart): string {
  return `${name};dur=${Math.round(ms * 1000) / 1000}`;
}

function compileAudience(who: ServerTimingOptions['for']): (exchange: Exchange) => boolean {
  if (who === 'loopback') return isLocal;
  const { anyRole, when } = who;
  const holds = when === undefined ? undefined : compiled(when);
  return (exchange) => {
    if (anyRole !== undefined && !hasRole(exchange, anyRole)) return false;
    return holds === undefined || holds(exchange);
  };
}

// Fails closed: a proxy on the same machine that nobody trusts would make everybody local.
function isLocal({ clientAddress, addressDoubt, request }: Exchange): boolean {
  if (addressDoubt !== undefined || !LOOPBACK.test(clientAddress)) return false;
  return OF_PROXIES.every((name) => request.headers[name] === undefined);
}

// Fails closed: who was refused before anybody knew who calls has no role.
function hasRole({ principal, route }: Exchange, names: readonly string[]): boolean {
  if (principal === undefined) return false;
  const roles = route?.roles?.holdingsOf(principal).roles ?? new Set(principal.roles);
  return names.some((name) => roles.has(name));
}

function compiled(when: string): (exchange: Exchange) => boolean {
  try {
    return compileCondition(when);
  } catch (error) {
    throw new StageFault(['serverTiming', 'for', 'when'], (error as Error).message);
  }
}

/** Compiles the `serverTiming` policy. */
export class ServerTimingStageFactory implements StageFactory {
  readonly policy = serverTimingPolicy;

  compile({ policies }: StageInput): Stage | undefined {
    return policies.serverTiming && new ServerTimingStage(policies.serverTiming);
  }
}

/** Registers the policy in THE ORDER. */
export const serverTiming = { policy: serverTimingPolicy, factory: ServerTimingStageFactory };
