import { ContractDocument } from '../contracts/contract-document.ts';
import type { Gateway } from '../main.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { TestClient, type ClientDeps } from './clients/test-client.ts';
import { expectContract } from './contracts/contract-snapshot.ts';
import { openapiText } from '../contracts/artefacts/openapi-text.ts';
import type { Ending } from './ending.ts';
import type { FakeGrpc } from './fakes/fake-grpc.ts';
import type { FakeHttp } from './fakes/fake-http.ts';
import type { LogLine, LogLines } from './log-lines.ts';
import { anonymous, type Fields, type PrincipalOptions, type Principals } from './principals.ts';
import type { TestClock } from './test-clock.ts';
import type { TestUpstreams } from './test-upstreams.ts';
import { TestingError } from './testing-error.ts';

/** What a running gateway is made of. */
export interface RunningGatewayDeps {
  readonly gateway: Gateway;
  readonly upstreams: TestUpstreams;
  readonly principals: Principals;
  readonly clock: TestClock | undefined;
  readonly logs: LogLines;
  readonly ending: Ending;
}

/** A route, for tests of what protects it. */
export interface TestRoute {
  readonly id: string;
  /** Empty for all. */
  readonly methods: readonly string[];
  readonly path: string;
  /** Names of the policies in force, defaults among them, by name. */
  readonly policies: readonly string[];
}

/** Files that contracts are kept in. */
export interface ContractFiles {
  readonly openapi?: string | URL;
  readonly graphql?: string | URL;
}

/** A gateway that serves in this process, who may ask it, and what stands behind it. */
export class RunningGateway {
  readonly #deps: RunningGatewayDeps;
  readonly #open = new Set<() => unknown>();

  constructor(deps: RunningGatewayDeps) {
    this.#deps = deps;
    deps.ending.add(() => this.#closeAll());
  }

  /** Where clients reach it. */
  get url(): string {
    return this.#deps.gateway.url;
  }

  /** Where operators reach it. */
  get adminUrl(): string {
    return this.#deps.gateway.adminUrl;
  }

  /** What it has logged so far, access lines with `msg: 'exchange'` among it. */
  get logs(): readonly LogLine[] {
    return this.#deps.logs.lines;
  }

  /** The time of the test. @throws {TestingError} when it goes by that of the process. */
  get clock(): TestClock {
    if (this.#deps.clock !== undefined) return this.#deps.clock;
    throw new TestingError(
      'time is real here; start the gateway with `clock: true`, or with a time such as "2026-01-01T00:00:00Z"',
    );
  }

  /** Fields of somebody with a token. @throws {TestingError} when the configuration knows no issuer. */
  as(principal: PrincipalOptions): Fields {
    return this.#deps.principals.as(principal);
  }

  /** Fields of the holder of an API key. @throws {TestingError} when there is no key of that client. */
  apiKey(clientId: string): Fields {
    return this.#deps.principals.apiKey(clientId);
  }

  /** Fields of somebody with an opaque token. @throws {TestingError} without `identity.introspection`. */
  introspected(claims: Readonly<Record<string, unknown>>): Fields {
    return this.#deps.principals.introspected(claims);
  }

  /** Fields of somebody who has logged in with a browser. @throws {TestingError} without `identity.login`. */
  session(claims: Readonly<Record<string, unknown>> & { readonly sub: string }): Fields {
    return this.#deps.principals.session(claims);
  }

  /** Somebody who asks it. @param fields that each request has, such as those of {@link as}. Default nobody. */
  client(fields: Fields = anonymous): TestClient {
    const deps: ClientDeps = {
      url: this.url,
      drive: (work) => this.#deps.clock?.drive(work) ?? work,
      opened: (close) => void this.#open.add(close),
    };
    return new TestClient(deps, fields);
  }

  /** The fake HTTP service of an upstream. @throws {TestingError} when there is none. */
  http(upstream: string): FakeHttp {
    return this.#deps.upstreams.http(upstream);
  }

  /** The fake gRPC service of an upstream. @throws {TestingError} when there is none. */
  grpc(upstream: string): FakeGrpc {
    return this.#deps.upstreams.grpc(upstream);
  }

  /** Has all fakes forget what they answer and were asked, for between two tests. What the gateway keeps stays. */
  resetUpstreams(): Promise<void> {
    return this.#deps.upstreams.reset();
  }

  /** @throws {ExpectationError} when a fake was asked for anything, naming all requests. */
  expectNoUpstreamCalls(): void {
    this.#deps.upstreams.expectNoCalls();
  }

  /** Its routes: those of the configuration, of modules, and its own. */
  get routes(): readonly TestRoute[] {
    const { routes } = this.#deps.gateway.app.get(Snapshots).current.table;
    return routes.map(({ id, match: { methods, path }, policies }) => ({
      id,
      methods,
      path,
      policies: Object.keys(policies).toSorted(),
    }));
  }

  /** The OpenAPI document of what it offers. */
  openapi(): Readonly<Record<string, unknown>> {
    const { document } = this.#deps.gateway.app.get(ContractDocument).current();
    return document as unknown as Readonly<Record<string, unknown>>;
  }

  /** The GraphQL schema, in its definition language. @throws {TestingError} when it has none. */
  async sdl(): Promise<string> {
    // Gateways without it do not load it.
    const [{ GraphQLSchemaHost }, { schemaText }] = await Promise.all([
      import('@nestjs/graphql'),
      import('../contracts/artefacts/schema-text.ts'),
    ]);
    try {
      return schemaText(this.#deps.gateway.app.get(GraphQLSchemaHost, { strict: false }).schema);
    } catch (error) {
      throw new TestingError('this gateway has no GraphQL: none of its `modules` adds to the schema', {
        cause: error,
      });
    }
  }

  /**
   * Compares what it offers with what is kept in files; with `UPDATE_CONTRACTS=1` in the environment they are written.
   *
   * @throws {ExpectationError} with the lines that differ.
   */
  async expectContracts({ openapi, graphql }: ContractFiles): Promise<void> {
    if (openapi === undefined && graphql === undefined)
      throw new TestingError('expectContracts(): expected a file for openapi, for graphql, or both');
    if (openapi !== undefined) {
      const read = (text: string): string => openapiText(JSON.parse(text));
      await expectContract({ file: openapi, text: openapiText(this.openapi()), read });
    }
    if (graphql === undefined) return;
    const text = await this.sdl();
    const { readSchemaText } = await import('../contracts/artefacts/schema-text.ts');
    await expectContract({ file: graphql, text, read: readSchemaText });
  }

  /**
   * Ends it with what was started for it: clients, fakes, the clock, secrets that were made up. Safe to call twice.
   *
   * @throws {TestingError} with what fakes could not answer as a test has asked for.
   */
  stop(): Promise<void> {
    return this.#deps.ending.run();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #closeAll(): Promise<void> {
    const all = [...this.#open].map(async (close) => close());
    this.#open.clear();
    await Promise.allSettled(all);
  }
}
