import { Controller, Get } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
} from '@nestjs/terminus';
import { Public } from '../policies/authentication/authentication.policy.ts';
import { Authorization } from '../policies/authorization/authorization.policy.ts';
import { Problem } from '../problems/problem.ts';
import { Draining } from './draining.ts';
import { Warming } from './warming.ts';

/** Tells load balancers and orchestrators how the process is. Upstreams do not count: they are not us. */
@Controller('health')
@Public()
@Authorization('off')
export class HealthController {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly draining: Draining,
    private readonly warming: Warming,
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
    return this.checks.check([() => this.indicators.check('gateway').up()]);
  }
}
