import { Controller, Get, Inject } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
} from '@nestjs/terminus';
import { AuditTrail } from '../audit/audit-trail.ts';
import { Public } from '../policies/authentication/authentication.policy.ts';
import { Authorization } from '../policies/authorization/authorization.policy.ts';
import { Cache } from '../policies/cache/cache.policy.ts';
import { CallerPriority } from '../policies/caller-priority/caller-priority.policy.ts';
import { Concurrency } from '../policies/concurrency/concurrency.policy.ts';
import { LoadShedding } from '../policies/load-shedding/load-shedding.policy.ts';
import { Quota } from '../policies/quota/quota.policy.ts';
import { Transform } from '../policies/transform/transform.policy.ts';
import { Problem } from '../problems/problem.ts';
import { Revocations } from '../policies/authentication/revocation/revocations.ts';
import { StoreHealth } from '../store/store-health.ts';
import type { LeftOutFile } from '../telemetry/config-metrics.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Draining } from './draining.ts';
import { FollowedSources } from './followed-sources.ts';
import { Warming } from './warming.ts';
import { Siblings, type Workforce } from './workforce.ts';

const OK: HealthCheckResult = { status: 'ok', info: {}, error: {}, details: {} };

/** Tells load balancers and orchestrators how the process is. Upstreams do not count: they are not us. */
@Controller('health')
@Public()
@Authorization('off')
@Transform('off')
// What it says is of this moment.
@Cache('off')
// Whoever watches over the process has to hear from it when it has too much to do.
@LoadShedding('off')
@CallerPriority('off')
@Concurrency('off')
@Quota('off')
export class HealthController {
  @Inject(AuditTrail) private readonly audit!: AuditTrail;
  @Inject(StoreHealth) private readonly store!: StoreHealth;
  @Inject(Siblings) private readonly siblings!: Siblings;
  @Inject(FollowedSources) private readonly sources!: FollowedSources;
  @Inject(Metrics) private readonly metrics!: Metrics;

  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly draining: Draining,
    private readonly warming: Warming,
    private readonly revocations: Revocations,
  ) {}

  /** Whether the process is worth keeping. */
  @Get('live')
  @HealthCheck()
  async live(): Promise<HealthCheckResult> {
    return this.#isReplaced ? OK : this.checks.check([]);
  }

  /** Whether the process should get traffic. Says no while it drains, and after a start until it knows its targets. */
  @Get('ready')
  @HealthCheck()
  async ready(): Promise<HealthCheckResult> {
    if (this.#isReplaced) return OK;
    if (this.draining.active) throw new Problem('shutting-down', { headers: { 'retry-after': '1' } });
    const { workforce } = this.siblings;
    // Connections go to any of them, and what one lacks the next request could meet.
    if (workforce?.isComplete === false) throw incomplete(workforce);
    const awaited = this.awaited();
    if (awaited !== undefined) throw awaited;
    // Whoever asks would be refused everything else.
    if (this.audit.refuses) throw new Problem('audit-unavailable', { headers: { 'retry-after': '5' } });
    const gateway = () => this.indicators.check('gateway').up();
    const { state } = this.revocations;
    const audit = this.audit.state;
    const { shownLeftOut: leftOut } = this.metrics.config;
    const cluster = this.sources.stale?.();
    const { state: store, without } = this.store;
    // None of them is a reason to take no traffic: a store that is gone is gone for all replicas, and public routes need none; and
    // what becomes of requests without an audit the configuration says.
    return this.checks.check([
      gateway,
      ...(store === 'off'
        ? []
        : [
            () => this.indicators.check('store').up({ state: store, ...(store === 'ok' ? {} : { without }) }),
          ]),
      ...(workforce === undefined ? [] : [() => this.indicators.check('workers').up(shown(workforce))]),
      ...(state === 'off' ? [] : [() => this.indicators.check('revocations').up({ state })]),
      ...(audit === 'off'
        ? []
        : [() => this.indicators.check('audit').up({ state: audit === 'ok' ? 'ok' : 'degraded' })]),
      ...(cluster === undefined ? [] : [() => this.indicators.check('kubernetes').up(shownCluster(cluster))]),
      ...(leftOut.length === 0
        ? []
        : [
            () => this.indicators.check('configuration').up({ state: 'degraded', leftOut: teamsOf(leftOut) }),
          ]),
    ]);
  }

  // The last requests that it gets are about all workers, and these are well; the checks would say that this one is not.
  get #isReplaced(): boolean {
    return this.draining.active && this.draining.othersServe;
  }

  /** What this process still waits for after its start; undefined once nothing speaks against traffic. */
  awaited(): Problem | undefined {
    const awaited = this.warming.look();
    if (awaited.length > 0) {
      const detail = `Waiting for the first targets of ${awaited.slice(0, 5).join(', ')}.`;
      return new Problem('no-available-target', { detail, headers: { 'retry-after': '1' } });
    }
    if (!this.revocations.isAwaited) return undefined;
    const detail = 'Waiting for the revocations of others.';
    return new Problem('identity-unavailable', { detail, headers: { 'retry-after': '1' } });
  }
}

// Other teams are served, and so is what was there before: no reason to take no traffic.
function teamsOf(leftOut: readonly LeftOutFile[]): string[] {
  return [...new Set(leftOut.map(({ team }) => team))];
}

// What is known stays in force; the API server is away for all replicas.
function shownCluster(stale: readonly string[]): { state: string; stale?: readonly string[] } {
  return stale.length === 0 ? { state: 'ok' } : { state: 'degraded', stale };
}

function incomplete({ serving, wanted }: Workforce): Problem {
  const detail = `Waiting for workers: ${serving} of ${wanted} serve.`;
  return new Problem('starting', { detail, headers: { 'retry-after': '1' } });
}

// One that is being replaced is no reason to take no traffic: the others take it.
function shown({ serving, wanted }: Workforce): { state: string; serving: number; wanted: number } {
  return { state: serving < wanted ? 'degraded' : 'ok', serving, wanted };
}
