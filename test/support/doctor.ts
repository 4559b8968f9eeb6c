import { join } from 'node:path';
import { readConfig } from '../../src/config/config-reader.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import type { CheckResult } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/doctor.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';

/** What a gateway is examined with, besides its file. */
export interface Asked {
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Examines the surroundings of a gateway. @param folder where its file would be. @param config YAML without its version. */
export async function examined(
  folder: string,
  config: string,
  { environment = {}, timeoutMs }: Asked = {},
): Promise<readonly CheckResult[]> {
  const variables = { HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', ...environment };
  const file = join(folder, 'gateway.yaml');
  const source = readConfig(gatewaySchema, `version: 1\n${config}`, file, variables);
  const patient = {
    environment: readEnvironment(variables),
    source,
    compile: () => Promise.resolve(),
    variables,
  };
  return examine(patient, timeoutMs === undefined ? {} : { timeoutMs });
}

/** The first result of a check whose subject has a text in it. */
export function found(results: readonly CheckResult[], check: string, subject = ''): CheckResult {
  const one = results.find((result) => result.check === check && result.subject.includes(subject));
  if (one === undefined) throw new Error(`no ${check} of ${subject} among ${JSON.stringify(results)}`);
  return one;
}
