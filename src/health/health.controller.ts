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
import { CallerPriority } from '../policies/caller-priority/caller-priority.policy.ts';
import { Concurrency } from '../policies/concurrency/concurrency.policy.ts';
import { LoadShedding } from '../policies/load-shedding/load-shedding.policy.ts';
import { Transform } from '../policies/transform/transform.policy.ts';
import { Problem } from '../problems/problem.ts';
import { Revocations } from '../policies/authentication/revocation/revocations.ts';
import { Draining } from './draining.ts';
import { Warming } from './warming.ts';

/** Tells load balancers and orchestrators how the process is. Upstreams do not count: they are not us. */
@Controller('health')
@Public()
@Authorization('off')
@Transform('off')
// Whoever watches over the process has to hear from it when it has too much to do.
@LoadShedding('off')
@CallerPriority('off')
@Concurrency('off')
export class HealthController {
  @Inject(AuditTrail) private readonly audit!: AuditTrail;

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
  live(): Promise<HealthCheckResult> {
    return this.checks.check([]);
  }

  /** Whether the process should get traffic. Says no while it drains, and after a start until it knows its targets. */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    if (this.draining.active) throw new Problem('shutting-down', { headers: { 'retry-after': '1' } });
    const awaited = this.warming.look();
    if (awaited.length > 0) {
      const detail = `Waiting for the first targets of ${awaited.slice(0, 5).join(', ')}.`;
      throw new Problem('no-available-target', { detail, headers: { 'retry-after': '1' } });
    }
    if (this.revocations.isAwaited) {
      const detail = 'Waiting for the revocations of others.';
      throw new Problem('identity-unavailable', { detail, headers: { 'retry-after': '1' } });
    }
    // Whoever asks would be refused everything else.
    if (this.audit.refuses) throw new Problem('audit-unavailable', { headers: { 'retry-after': '5' } });
    const gateway = () => this.indicators.check('gateway').up();
    const { state } = this.revocations;
    const audit = this.audit.state;
    // Neither is a reason to take no traffic: a store that is gone is gone for all replicas, and public routes need none; and
    // what becomes of requests without an audit the configuration says.
    return this.checks.check([
      gateway,
      ...(state === 'off' ? [] : [() => this.indicators.check('revocations').up({ state })]),
      ...(audit === 'off'
        ? []
        : [() => this.indicators.check('audit').up({ state: audit === 'ok' ? 'ok' : 'degraded' })]),
    ]);
  }
}
