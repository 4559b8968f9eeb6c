import { ConfigError } from '../config/config-fault.ts';
import type { Environment } from '../config/env.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { runChecks, type Check, type CheckLimits, type CheckResult } from './check.ts';
import { issuerChecks } from './issuer-checks.ts';
import { limitChecks } from './limit-checks.ts';
import { listenerChecks } from './listener-checks.ts';
import { redisChecks } from './redis-checks.ts';
import { secretChecks } from './secret-checks.ts';
import type { Surroundings } from './surroundings.ts';
import { upstreamChecks } from './target-checks.ts';

/** What the doctor is asked about. */
export interface Patient {
  readonly environment: Environment;
  readonly source: GatewaySource;
  /** Compiles the whole configuration, as a start would. @throws {ConfigError} with all that is wrong with it. */
  readonly compile: () => Promise<unknown>;
  /** Where secrets are. Default the environment of the process. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
}

const CONCURRENCY = 16;

/** Looks at the surroundings of a gateway: what it needs of others, and of its machine. It changes nothing. */
export function examine(
  patient: Patient,
  limits: Partial<CheckLimits> = {},
): Promise<readonly CheckResult[]> {
  const around: Surroundings = { variables: process.env, ...patient };
  const checks = [
    configurationCheck(patient),
    ...secretChecks(around),
    ...listenerChecks(around),
    ...limitChecks(around),
    ...redisChecks(around),
    ...issuerChecks(around),
    ...upstreamChecks(around),
  ];
  return runChecks(checks, { timeoutMs: 5000, concurrency: CONCURRENCY, ...limits });
}

function configurationCheck({ source, compile }: Patient): Check {
  const { file } = source.document;
  return {
    name: 'configuration',
    subject: file,
    mend: `gatehouse validate --config ${file}`,
    run: async () => {
      try {
        await compile();
        return { level: 'ok', what: 'valid' };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const [first] = error.faults;
        const count = error.faults.length;
        const what = `${count === 1 ? 'a fault' : `${count} faults, one of them`}: ${first?.key ?? ''}: ${first?.message ?? ''}`;
        return { level: 'fail', what, mend: `gatehouse validate --config ${file}` };
      }
    },
  };
}
