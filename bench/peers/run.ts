/**
 * Measures what the gateway costs, against other gateways with the same backend, load and policies on one core each:
 * `npm run bench:peers`. See README.md in the folder above for how to read the table.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { lastPrincipalOf } from '../cases.ts';
import { chooseCores, describeMachine } from '../machine.ts';
import { Stand } from '../stand.ts';
import { find } from './find.ts';
import { measurePeers, type Run } from './measure.ts';
import { readPeersOptions } from './options.ts';
import type { PeersResult } from './results.ts';
import { SERVERS } from './servers.ts';
import { writeKeys } from './start.ts';
import { renderMissing, renderPeers } from './table.ts';

const options = readPeersOptions(process.argv.slice(2));
const { cases, rounds, seconds, loadTool, jsonFile } = options;
const names = new Set(cases.flatMap(({ against }) => against.map(({ server }) => server)));
const found = new Map([...names].map((name) => [name, find(SERVERS[name], options.install)]));
const version = `Node ${process.versions.node}`;

const stand = new Stand(chooseCores());
process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
try {
  // RS256, because HAProxy, like most, is set up with one RSA key.
  await stand.open(Math.max(1, ...cases.map(lastPrincipalOf)), 'RS256');
  await stand.addServices('peers/backend.ts');
  report(await measureAll({ stand, options, found, keys: await writeKeys(stand) }));
} catch (error) {
  console.error(`bench:peers: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await stand.close();
}

async function measureAll(run: Run): Promise<PeersResult[]> {
  const results: PeersResult[] = [];
  for (const one of cases) {
    console.error(`${one.name}: ${rounds} rounds of ${seconds} s each`);
    results.push(await measurePeers(one, run));
    console.error(renderPeers(results.slice(-1), version));
  }
  return results;
}

function report(results: readonly PeersResult[]): void {
  const machine = describeMachine(loadTool, stand.cores);
  console.log(`\n${machine}\nmedian of ${rounds} interleaved rounds of ${seconds} s\n`);
  console.log([renderPeers(results, version), ...renderMissing(results)].join('\n\n'));
  if (jsonFile !== undefined) {
    writeFileSync(jsonFile, `${JSON.stringify({ machine, rounds, seconds, results }, null, 2)}\n`);
  }
  const failed = ({ failed: own, entrants }: PeersResult): boolean =>
    own !== undefined || entrants.some((one) => one.failed !== undefined);
  if (results.some(failed)) process.exitCode = 1;
}
