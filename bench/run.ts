/**
 * Measures what the gateway costs, against the least code that does the same work: `npm run bench`.
 * See README.md in this folder for how to read the table.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastPrincipalOf } from './cases.ts';
import { compileTimes } from './compile-times.ts';
import { chooseCores, describeMachine } from './machine.ts';
import { leaseTimes } from './leases.ts';
import { limitTimes } from './limits.ts';
import { metricTimes } from './metric-times.ts';
import { measure, type CaseResult } from './measure.ts';
import { readOptions, type BenchOptions } from './options.ts';
import { profile } from './profile.ts';
import { identityTimes } from './identity-tokens.ts';
import { revocationLoads } from './revocations-redis.ts';
import { revocationTimes } from './revocations.ts';
import { Stand } from './stand.ts';
import { renderTable } from './table.ts';
import { workerTimes } from './workers.ts';

const options = readOptions(process.argv.slice(2));
if (!existsSync(join(import.meta.dirname, '..', 'dist', 'cli', 'main.js'))) {
  console.error('bench: there is no build in dist/; use npm run bench, which builds first');
  process.exit(1);
}

const stand = new Stand(chooseCores());
process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
try {
  const wanted = options.profile === undefined ? options.cases : [options.profile];
  await stand.open(Math.max(1, ...wanted.map(lastPrincipalOf)));
  if (options.profile === undefined) await compareAll(options);
  else console.log(await profile(options.profile, stand, options));
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await stand.close();
}

async function compareAll(options: BenchOptions): Promise<void> {
  const { cases, rounds, seconds, loadTool, jsonFile } = options;
  const { compile, revocations, identity, credentials, leases, limits, metrics, workers } = options;
  if (compile) console.log(`${await compileTimes(stand)}\n`);
  if (revocations) console.log(`${revocationTimes()}\n\n${revocationLoads()}\n`);
  if (identity) console.log(`${identityTimes()}\n`);
  if (credentials) console.log(`${credentialTimes()}\n`);
  if (leases) console.log(`${leaseTimes()}\n`);
  if (limits) console.log(`${limitTimes()}\n`);
  if (metrics) console.log(`${metricTimes()}\n`);
  if (workers !== undefined)
    console.log(`${describeMachine('paced-load', stand.cores)}\n\n${await workerTimes(stand, workers)}\n`);
  if (cases.length === 0) return;
  const machine = describeMachine(loadTool, stand.cores);
  const results: CaseResult[] = [];
  for (const one of cases) {
    const names = ['twin', ...(one.peers ?? []).map(({ title }) => title)].join(', ');
    console.error(`${one.name}: ${rounds} rounds of ${seconds} s each for ${names} and gateway`);
    const result = await measure(one, stand, options);
    results.push(result);
    console.error(renderTable([result]));
  }
  console.log(
    `\n${machine}\nmedian of ${rounds} interleaved rounds of ${seconds} s\n\n${renderTable(results)}`,
  );
  if (jsonFile !== undefined)
    writeFileSync(jsonFile, `${JSON.stringify({ machine, rounds, seconds, results }, null, 2)}\n`);
  for (const result of results) {
    if ('note' in result && result.note !== undefined) console.log(`\n${result.case.name}: ${result.note}`);
    if (!('failed' in result)) continue;
    console.error(`\nFAILED ${result.case.name}: ${result.failed}`);
    process.exitCode = 1;
  }
}

// In a process of its own, whose memory is that of the credentials.
function credentialTimes(): string {
  const file = join(import.meta.dirname, 'credentials.ts');
  return execFileSync(process.execPath, ['--expose-gc', file], { encoding: 'utf8' }).trim();
}
