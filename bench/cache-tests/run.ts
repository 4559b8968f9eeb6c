/**
 * Runs the public suite of tests for HTTP caches (https://cache-tests.fyi) against the gateway: `npm run cache-tests`, or
 * `npm run cache-tests -- --id <test>` for one of them. It ends with 1 when fewer required cases pass than promised.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../../src/listeners/free-port.ts';
import { outputOf, startChild, stopChild, untilListening } from '../children.ts';
import { burst, startSlowOrigin } from './burst.ts';
import { installSuite } from './install.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROMISED = 150;

/** A test of the suite, as far as it matters here. */
interface SuiteTest {
  readonly id: string;
  readonly kind?: 'required' | 'optimal' | 'check';
  readonly browser_only?: boolean;
}
type Tests = readonly { readonly id: string; readonly tests: readonly SuiteTest[] }[];
type Results = Readonly<Record<string, true | readonly [string, string]>>;

/** Requests at once for one key, which its upstream hears of once; each is a connection. */
const BURST = 10_000;

const { values } = parseArgs({ options: { id: { type: 'string', default: '' }, all: { type: 'boolean' } } });
const slow = await startSlowOrigin();
const suite = installSuite();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cache-tests-'));
try {
  const { text, served } = await runSuite();
  if (values.id === '') process.exitCode = report(JSON.parse(text) as Results, await testsOf());
  else console.log(text);
  console.log(
    `${served} of ${BURST} requests at once for one key were answered, and ${slow.asked()} asked for`,
  );
  if (served !== BURST || slow.asked() !== 1) process.exitCode = 1;
} finally {
  slow.server.close();
  rmSync(folder, { recursive: true, force: true });
}

async function runSuite(): Promise<{ readonly text: string; readonly served: number }> {
  const [origin, port, adminPort] = [await freePort(), await freePort(), await freePort()];
  mkdirSync(join(folder, 'origin'));
  const pidfile = join(folder, 'origin', 'pid');
  const server = startChild({
    command: process.execPath,
    args: [join(suite, 'server', 'server.mjs')],
    env: { npm_config_protocol: 'http', npm_config_port: String(origin), npm_config_pidfile: pidfile },
    core: undefined,
  });
  await untilListening(server, origin, 'the server of the suite');
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, configuration(origin));
  const gateway = startChild({
    command: process.execPath,
    args: [join(ROOT, 'bin', 'gatehouse.js'), 'start'],
    env: { GATEHOUSE_CONFIG: file, PORT: String(port), ADMIN_PORT: String(adminPort), LOG_LEVEL: 'warn' },
    core: undefined,
  });
  try {
    await untilListening(gateway, port, 'the gateway');
    const text = await outputOf({
      command: process.execPath,
      args: ['--no-warnings', join(suite, 'cli.mjs')],
      env: {
        npm_config_base: `http://127.0.0.1:${port}`,
        npm_config_id: values.id,
        npm_package_config_id: '',
      },
      core: undefined,
    });
    return { text, served: await burst(port, BURST) };
  } finally {
    await Promise.all([stopChild(gateway), stopChild(server)]);
  }
}

// The suite says in fields of its own which request it is, which no answer depends on; times are for answers to say.
function configuration(origin: number): string {
  return `version: 1
upstreams:
  origin: { targets: ['http://127.0.0.1:${origin}'], circuitBreaker: off, retry: { attempts: 1 } }
  slow: { targets: ['http://127.0.0.1:${slow.port}'] }
routes:
  - id: tests
    match: { path: /test/* }
    upstream: origin
    policies:
      authentication: public
      cache: { ttl: 0s, scope: public, ignoreHeaders: [Test-ID, Req-Num], targetedFields: [Surrogate-Control] }
  - id: burst
    match: { path: /burst }
    upstream: slow
    policies: { authentication: public, cache: { ttl: 0s } }
  - id: rest
    match: { path: /* }
    upstream: origin
    policies: { authentication: public }
`;
}

async function testsOf(): Promise<Tests> {
  const from = async (file: string): Promise<unknown> => {
    const module = (await import(pathToFileURL(join(suite, 'tests', file)).href)) as { default: unknown };
    return module.default;
  };
  return [...((await from('index.mjs')) as Tests), (await from('surrogate-control.mjs')) as Tests[number]];
}

function report(results: Results, tests: Tests): number {
  const counts = { required: [0, 0], optimal: [0, 0], check: [0, 0] };
  for (const test of tests.flatMap((group) => group.tests)) {
    if (test.browser_only === true) continue;
    const kind = test.kind ?? 'required';
    const result = results[test.id];
    const count = counts[kind] as [number, number];
    count[1] += 1;
    if (result === true) count[0] += 1;
    else if (kind === 'required' || values.all === true)
      console.log(`${kind} ${test.id}: ${result?.join(': ') ?? 'not run'}`);
  }
  for (const [kind, [passed, all]] of Object.entries(counts)) console.log(`${kind}: ${passed} of ${all}`);
  return (counts.required[0] ?? 0) >= PROMISED ? 0 : 1;
}
