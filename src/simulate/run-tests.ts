import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { policyList } from '../policies/order.ts';
import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { AuthorizationServer } from './authorization-server.ts';
import { credentialsOf, type Credentials } from './credentials.ts';
import { judge, type Got } from './judge.ts';
import type { Mismatch } from './compare.ts';
import { loopbackOnly } from './loopback-only.ts';
import { SECRET_VARIABLE, withoutMissingFiles } from './made-up-secrets.ts';
import type { RouteTest, RouteTests, TestRequest } from './route-tests.schema.ts';
import { SimulatedIdentity } from './simulated-identity.ts';
import { Simulation, type Peer, type StartGateway } from './simulation.ts';
import { StandIns } from './stand-ins.ts';

/** What did not come as expected, and the rule of the configuration that has decided. */
export interface Failure extends Mismatch {
  /** The route that took the request, and the policy that refused it. */
  readonly route: Route | undefined;
  readonly problem: string | undefined;
  readonly policy: string | undefined;
  /** Which of several equal requests it was, from 1; absent where there was one. */
  readonly time?: number;
}

/** How a test went. */
export interface TestResult {
  readonly name: string;
  /** Its number in the file. */
  readonly index: number;
  readonly failures: readonly Failure[];
  /** What kept it from being run to its end. */
  readonly error?: string;
  /** Real time that it took. */
  readonly ms: number;
}

/** What came of a file. */
export interface Simulated {
  readonly results: readonly TestResult[];
  /** Ids of the routes that took a request. */
  readonly taken: ReadonlySet<string>;
  /** All routes of the configuration. */
  readonly routes: readonly Route[];
}

interface World {
  readonly file: RouteTests;
  readonly source: GatewaySource;
  readonly standIns: StandIns;
  readonly played: SimulatedIdentity;
  readonly server: AuthorizationServer;
  readonly start: StartGateway;
  readonly taken: Set<string>;
}

/** What tests are run with. */
export interface RunDeps {
  readonly start: StartGateway;
  /** Throws where the tests do not fit the routes of the configuration. */
  check(routes: readonly Route[]): void;
}

/** Runs the tests of a file, each through a gateway of its own, with servers of this machine in place of all others. */
export async function runTests(
  source: GatewaySource,
  file: RouteTests,
  { start, check }: RunDeps,
): Promise<Simulated> {
  const connectAnywhere = loopbackOnly();
  const [standIns, played, server] = [new StandIns(), new SimulatedIdentity(), new AuthorizationServer()];
  try {
    const authority = await server.listen();
    const upstreams = await standIns.standFor(source.value.upstreams);
    const stood = { ...played.standFor(source.value, file, authority), upstreams };
    const value = aloneOnly(stood, authority, dirname(source.document.file));
    const taken = new Set<string>();
    const world = { file, source: { ...source, value }, standIns, played, server, start, taken };
    const routes = await routesOf(world);
    check(routes);
    const results: TestResult[] = [];
    for (const [index, test] of file.tests.entries()) results.push(await runTest(world, test, index));
    return { results, taken, routes };
  } finally {
    await standIns.close();
    await server.close();
    connectAnywhere();
  }
}

async function routesOf({ source, start, file }: World): Promise<readonly Route[]> {
  const simulation = await Simulation.begin(Date.parse(file.at), source, start, () => false);
  const { routes } = simulation;
  await simulation.end();
  return routes;
}

/** Without what a gateway that serves others does besides: listeners of its own, files, tokens from afar. */
export function aloneOnly(
  value: GatewaySource['value'],
  authority: string,
  folder: string,
): GatewaySource['value'] {
  const { listeners: _listeners, audit: _audit, ...rest } = withoutMissingFiles(value, folder);
  const upstreams = Object.entries(rest.upstreams).map(([name, one]) => {
    if (one.identity?.exchange === undefined) return [name, one] as const;
    const { privateKeyFile: _key, clientSecretFile: _secret, ...exchange } = one.identity.exchange;
    const asked = { ...exchange, url: `http://${authority}/token`, clientSecretEnv: SECRET_VARIABLE };
    return [name, { ...one, identity: { ...one.identity, exchange: asked } }] as const;
  });
  return { ...rest, upstreams: Object.fromEntries(upstreams) };
}

async function runTest(world: World, test: RouteTest, index: number): Promise<TestResult> {
  const began = performance.now();
  const failures: Failure[] = [];
  let error: string | undefined;
  world.standIns.faults.length = 0;
  try {
    await inSimulation(world, test, failures);
  } catch (thrown) {
    error = Error.isError(thrown) ? thrown.message : String(thrown);
  }
  error ??= world.standIns.faults[0];
  world.standIns.disconnect();
  const ms = Math.round(performance.now() - began);
  return { name: test.name, index, failures, ms, ...(error !== undefined && { error }) };
}

async function inSimulation(world: World, test: RouteTest, failures: Failure[]): Promise<void> {
  const { source, start, standIns, file } = world;
  const atMs = Date.parse(test.at ?? file.at);
  const simulation = await Simulation.begin(atMs, source, start, () => standIns.waiting > 0);
  try {
    const callers = new Callers(world, simulation);
    const steps = test.steps ?? [{ ...test, times: 1, advance: undefined, revoke: undefined }];
    for (const [at, step] of steps.entries()) {
      if (step.advance !== undefined) await simulation.clock.advance(step.advance);
      if (step.revoke !== undefined) await simulation.revoke(step.revoke);
      if (step.request === undefined) continue;
      const answers = { ...file.upstreams, ...test.upstreams, ...step.upstreams };
      await simulation.clock.drive(standIns.script(answers));
      const path = test.steps === undefined ? [] : ['steps', at];
      const found = await runStep({ world, simulation, callers }, { ...step, as: step.as ?? test.as });
      failures.push(...found.map((one) => ({ ...one, path: [...path, 'expect', ...one.path] })));
    }
  } finally {
    await simulation.end();
  }
}

interface Running {
  readonly world: World;
  readonly simulation: Simulation;
  readonly callers: Callers;
}

type Asked = Pick<RouteTest, 'as' | 'request' | 'expect'> & { readonly times: number };

async function runStep(
  { world, simulation, callers }: Running,
  { request, as, expect, times }: Asked,
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  for (let time = 1; time <= times; time += 1) {
    const credentials = callers.of(as ?? []);
    world.standIns.heard.length = 0;
    const came = await simulation.ask(
      request as TestRequest,
      peerOf(request as TestRequest, credentials),
      credentials.headers,
    );
    const { exchange } = came;
    if (exchange?.route !== undefined) world.taken.add(exchange.route);
    const route = simulation.routes.find(({ id }) => id === exchange?.route);
    const deniers = deniersOf(route, exchange);
    const found = judge(expect ?? {}, { ...came, deniers, received: world.standIns.heard });
    const about = { route, problem: exchange?.problem, policy: deniers[0], ...(times > 1 && { time }) };
    failures.push(...found.map((one) => ({ ...one, ...about })));
    // The others would say the same.
    if (failures.length > 0) break;
  }
  return failures;
}

// Those in force that can refuse so; a problem of the gateway itself is of none.
function deniersOf(route: Route | undefined, exchange: Got['exchange']): readonly string[] {
  const problem = exchange?.problem;
  if (route === undefined || problem === undefined) return [];
  const able = policyList.filter(
    ({ name, refusesWith }) =>
      Object.hasOwn(route.policies, name) && refusesWith.some((code) => code === problem),
  );
  const names = able.map(({ name }) => name);
  // Whoever is known was let in.
  return exchange?.as === undefined ? names : names.filter((name) => name !== 'authentication');
}

function peerOf({ from = '127.0.0.1', scheme }: TestRequest, { certificate }: Credentials): Peer {
  return { address: from, scheme: certificate === undefined ? scheme : 'https', certificate };
}

/** The credentials of the callers of one test: made once, so that they age. */
class Callers {
  readonly #made = new Map<string, Credentials>();

  constructor(
    private readonly world: World,
    private readonly simulation: Simulation,
  ) {}

  of(names: readonly string[]): Credentials {
    const all = names.map((name) => this.#one(name));
    const headers = Object.assign({}, ...all.map((one) => one.headers)) as Record<string, string>;
    return { headers, certificate: all.find((one) => one.certificate !== undefined)?.certificate };
  }

  #one(name: string): Credentials {
    let made = this.#made.get(name);
    const { file, source, played, server } = this.world;
    const principal = file.principals[name];
    const { identity } = source.value;
    if (principal === undefined || identity === undefined) return { headers: {} };
    const deps = { identity, played, server, nowMs: this.simulation.clock.nowMs };
    made ??= credentialsOf(principal, { ...deps, read: (path) => readFileSync(path, 'utf8') });
    this.#made.set(name, made);
    return made;
  }
}
