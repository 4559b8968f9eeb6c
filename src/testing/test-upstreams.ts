import type { GatewaySource } from '../routing/table-builder.ts';
import { discovered, schemaIn } from '../simulate/stand-ins.ts';
import { FakeGrpc } from './fakes/fake-grpc.ts';
import { FakeHttp } from './fakes/fake-http.ts';
import { expectNoCalls } from './fakes/expect-no-calls.ts';
import { schemaOfRegistry } from './fakes/grpc-schema.ts';
import { noSuch, TestingError } from './testing-error.ts';

type Upstreams = GatewaySource['value']['upstreams'];
type Upstream = Upstreams[string];

/** What stands for an upstream: a fake that a test has started, or the URL of a server that is there. */
export type GivenUpstream = FakeHttp | FakeGrpc | string;

/** What stands for the upstreams of a configuration. */
export class TestUpstreams {
  readonly #fakes = new Map<string, FakeHttp | FakeGrpc>();
  readonly #own: (FakeHttp | FakeGrpc)[] = [];
  readonly #protocols = new Map<string, Upstream['protocol']>();

  /**
   * The same upstreams, with what stands for them as targets: what is given, and fakes for all others, so that nothing leaves
   * this machine.
   */
  async standFor(
    upstreams: Upstreams,
    given: Readonly<Record<string, GivenUpstream>>,
  ): Promise<Upstreams> {
    for (const name of Object.keys(given))
      if (!Object.hasOwn(upstreams, name)) throw noSuch('upstream', name, Object.keys(upstreams));
    const stood = await Promise.allSettled(
      Object.entries(upstreams).map(async ([name, options]) => {
        const { discovery, tls: _, ...rest } = options;
        const targets = discovery === undefined ? options.targets : [discovered(name, options)];
        const urls = await this.#urlsOf(name, { options, targets, upstreams }, given[name]);
        const placed = urls.map((url, at) => ({ ...(targets[at] ?? targets[0]), url }));
        // Probes would be requests that no test has asked for.
        const health = { ...options.health, active: undefined };
        return [name, { ...rest, targets: placed, health } as Upstream] as const;
      }),
    );
    // One that cannot be does not keep those that are being started from being known, and ended.
    const all = stood.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
    return Object.fromEntries(all);
  } // prettier-ignore

  /** How many keep somebody waiting on purpose. */
  get waiting(): number {
    return this.#each(({ waiting }) => waiting).reduce((sum, one) => sum + one, 0);
  }

  /** The fake HTTP service of an upstream. @throws {TestingError} when there is none. */
  http(name: string): FakeHttp {
    const fake = this.#fakeOf(name);
    if (fake instanceof FakeHttp) return fake;
    throw new TestingError(`the upstream "${name}" speaks gRPC: call grpc('${name}')`);
  }

  /** The fake gRPC service of an upstream. @throws {TestingError} when there is none. */
  grpc(name: string): FakeGrpc {
    const fake = this.#fakeOf(name);
    if (fake instanceof FakeGrpc) return fake;
    throw new TestingError(`the upstream "${name}" speaks HTTP: call http('${name}')`);
  }

  /** Forgets what all of them answer and were asked. */
  async reset(): Promise<void> {
    await Promise.all(this.#each((fake) => fake.reset()));
  }

  /** @throws {ExpectationError} when one of them was asked for anything, naming all requests. */
  expectNoCalls(): void {
    expectNoCalls(
      [...this.#fakes].map(([name, fake]) => ({
        name,
        titles: fake instanceof FakeHttp ? fake.requests.map((one) => fake.titleOf(one)) : fake.requests.map((one) => fake.titleOf(one)),
      })),
    );
  } // prettier-ignore

  /** Ends those that were started here; the others belong to the test. */
  async stop(): Promise<void> {
    const ended = await Promise.allSettled(this.#own.map((fake) => fake.stop()));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }

  #each<Result>(act: (fake: FakeHttp | FakeGrpc) => Result): Result[] {
    return [...this.#fakes.values()].map(act);
  }

  #fakeOf(name: string): FakeHttp | FakeGrpc {
    const fake = this.#fakes.get(name);
    if (fake !== undefined) return fake;
    if (this.#protocols.has(name))
      throw new TestingError(`the upstream "${name}" is a server that the test has named, and no fake`);
    throw noSuch('upstream', name, this.#protocols.keys());
  }

  async #urlsOf(name: string, placed: Placed, given: GivenUpstream | undefined): Promise<readonly string[]> {
    const { protocol } = placed.options;
    this.#protocols.set(name, protocol);
    if (typeof given === 'string') return [withScheme(name, given, protocol)];
    const fake = given ?? (await this.#started(name, placed));
    if (given !== undefined && given instanceof FakeGrpc !== (protocol === 'grpc'))
      throw new TestingError(
        `the upstream "${name}" speaks ${protocol}, and the fake that is given for it does not`,
      );
    this.#fakes.set(name, fake);
    return fake.urls;
  }

  async #started(name: string, { options, targets, upstreams }: Placed): Promise<FakeHttp | FakeGrpc> {
    const called = targets.map(({ url }) => url);
    const fake = await (options.protocol === 'grpc'
      ? FakeGrpc.startWith(name, grpcSchemaIn(name, upstreams), called)
      : FakeHttp.start(name, called));
    this.#own.push(fake);
    return fake;
  }
}

interface Placed {
  readonly options: Upstream;
  readonly targets: Upstream['targets'];
  readonly upstreams: Upstreams;
}

function grpcSchemaIn(name: string, upstreams: Upstreams): Parameters<typeof FakeGrpc.startWith>[1] {
  const registry = schemaIn(name, upstreams);
  return registry === undefined ? undefined : schemaOfRegistry(registry);
}

function withScheme(name: string, url: string, protocol: Upstream['protocol']): string {
  const read = URL.canParse(url) ? new URL(url) : undefined;
  if (read === undefined || read.host === '')
    throw new TestingError(
      `the upstream "${name}": expected a URL such as ${protocol}://127.0.0.1:4101, given "${url}"`,
    );
  return `${protocol}://${read.host}`;
}
