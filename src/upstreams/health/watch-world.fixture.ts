import { Breaker, type BreakerHooks } from '../../policies/circuit-breaker/breaker.ts';
import { circuitBreakerPolicy } from '../../policies/circuit-breaker/circuit-breaker.policy.ts';
import { healthSchema, type PassiveOptions } from './health.schema.ts';
import { TargetWatch } from './target-watch.ts';
import { WatchGroup } from './watch-group.ts';

/** Options of passive ejection. */
export const passiveOf = (options: object): PassiveOptions =>
  healthSchema.parse({ passive: options }).passive as PassiveOptions;

/** Some targets that share one group, on a fake clock. */
export class WatchWorld {
  readonly passive: PassiveOptions;
  readonly group: WatchGroup;
  readonly watches: TargetWatch[];
  readonly said: string[] = [];

  constructor(count: number, options: object = {}, verdict?: 'unknown' | 'up') {
    this.passive = passiveOf(options);
    const { said } = this;
    this.group = new WatchGroup(
      { passive: this.passive, probeIntervalMs: 5000 },
      {
        breaker: ({ host, ejectedFor }, { state, cause, openForMs }) =>
          said.push(`${host} ${state} ${cause} ${openForMs ?? ''} ${ejectedFor}`.trim()),
        probed: ({ host, verdict: now }) => said.push(`${host} ${now}`),
        spared: ({ host }) => said.push(`${host} spared`),
        mostDown: (_watch, down, all) => said.push(`${down} of ${all} down`),
      },
    );
    this.watches = Array.from({ length: count }, (_, i) => this.watch(String.fromCharCode(97 + i), verdict));
    for (const watch of this.watches) watch.start();
  }

  watch(host: string, verdict?: 'unknown' | 'up'): TargetWatch {
    const { group, passive } = this;
    const watch = new TargetWatch({ upstream: 'u', origin: host, host, group, passive, verdict });
    const never = { window: 1, errorRate: Infinity, consecutiveFailures: Infinity };
    const hooks: BreakerHooks = {
      onChange: (change) => watch.breakerChanged(change),
      onOutcome: (isFailure, ms) => watch.counted(isFailure, ms),
      ejectAgainMs: () => group.ejectForMs(watch),
    };
    watch.breaker = new Breaker({ ...circuitBreakerPolicy.schema.parse({}), ...never }, hooks);
    return watch;
  }

  at(index: number): TargetWatch {
    return this.watches[index] as TargetWatch;
  }

  call(index: number, failures: number, times = failures, ms = 10): void {
    const { breaker } = this.at(index);
    for (let i = 0; i < times; i += 1)
      breaker?.settle(breaker.admit(), i < failures ? 'failure' : 'success', ms);
  }

  get ejected(): string {
    return this.watches
      .filter(({ isEjected }) => isEjected)
      .map(({ host }) => host)
      .join('');
  }

  end(): void {
    for (const watch of this.watches) {
      watch.end();
      watch.breaker?.shutdown();
    }
  }
}
