import type { FileRegistry } from '@bufbuild/protobuf';
import { schemeOf } from '../upstreams/discovery/discovery.schema.ts';
import { schemaOf } from '../upstreams/grpc/descriptors/upstream-schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { FakeAnswer, FakeAnswers } from './answers.schema.ts';
import { grpcStandIn } from './grpc-stand-in.ts';
import { httpStandIn, type StandIn } from './http-stand-in.ts';
import type { Place, Received, Script } from './received.ts';
import { descriptorSetOf } from '../upstreams/grpc/descriptors/descriptor-places.ts';

type Upstreams = GatewaySource['value']['upstreams'];
type Upstream = Upstreams[string];

const USUAL: FakeAnswer = { headers: {}, delay: 0 };

/** Servers of this machine in place of all targets of a configuration. */
export class StandIns implements Script {
  /** What they were sent, in order. */
  readonly heard: Received[] = [];
  /** What could not be answered as it was asked for. */
  readonly faults: string[] = [];
  /** How many of them keep somebody waiting. */
  waiting = 0;
  #answers: FakeAnswers = {};
  readonly #given = new Map<string, number>();
  readonly #all: { readonly upstream: string; readonly standIn: StandIn }[] = [];

  /** The same upstreams, with these servers for targets. */
  async standFor(upstreams: Upstreams): Promise<Upstreams> {
    const stood = Object.entries(upstreams).map(async ([name, options]) => {
      // Those that are discovered are one target, and what is spoken is not sealed: it stays on this machine.
      const { discovery, tls: _, ...rest } = options;
      const given = discovery === undefined ? options.targets : [discovered(name, options)];
      const targets = await Promise.all(
        given.map(async (target) => {
          const standIn = await this.#stand({ upstream: name, target: target.url }, options, upstreams);
          return { ...target, url: `${options.protocol}://${standIn.authority}` };
        }),
      );
      const health = { ...options.health, active: undefined };
      return [name, { ...rest, targets, health } as Upstream] as const;
    });
    return Object.fromEntries(await Promise.all(stood));
  }

  /** What is answered from now on; a list begins at its beginning. */
  async script(answers: FakeAnswers): Promise<void> {
    this.#answers = answers;
    this.#given.clear();
    for (const { upstream, standIn } of this.#all)
      await standIn.listens(answers[upstream]?.[0]?.fault !== 'refuse');
  }

  answer({ upstream }: Place): FakeAnswer {
    const list = this.#answers[upstream] ?? [];
    const at = this.#given.get(upstream) ?? 0;
    this.#given.set(upstream, at + 1);
    return list[Math.min(at, list.length - 1)] ?? USUAL;
  }

  received(one: Received): void {
    this.heard.push(one);
  }

  failed({ upstream }: Place, error: unknown): void {
    this.faults.push(`upstreams.${upstream}: ${Error.isError(error) ? error.message : String(error)}`);
  }

  async wait(ms: number): Promise<void> {
    if (ms === 0) return;
    this.waiting += 1;
    if (ms === Infinity) return new Promise(() => undefined);
    await new Promise((go) => setTimeout(go, ms));
    this.waiting -= 1;
  }

  /** Ends all connections: what is open belongs to a test that is over. */
  disconnect(): void {
    this.waiting = 0;
    for (const { standIn } of this.#all) standIn.disconnect();
  }

  /** Ends them. */
  async close(): Promise<void> {
    for (const { standIn } of this.#all) await standIn.listens(false);
  }

  async #stand(place: Place, options: Upstream, upstreams: Upstreams): Promise<StandIn> {
    const standIn =
      options.protocol === 'grpc'
        ? await grpcStandIn(place, this, schemaIn(place.upstream, upstreams))
        : await httpStandIn(place, this);
    this.#all.push({ upstream: place.upstream, standIn });
    return standIn;
  }
}

/** The schema of an upstream; undefined where it has none, or says it only itself. */
export function schemaIn(name: string, upstreams: Upstreams): FileRegistry | undefined {
  const options = upstreams[name];
  if (options === undefined || (descriptorSetOf(name, options) ?? options.proto) === undefined)
    return undefined;
  const schema = schemaOf(name, upstreams);
  return schema === 'reflection' ? undefined : schema;
}

/** What stands for the targets of an upstream that is discovered. */
export function discovered(name: string, options: Upstream): Upstream['targets'][number] {
  const scheme = options.discovery === undefined ? 'http' : schemeOf(options.discovery, options);
  return { url: `${scheme}://${name}`, weight: 1, labels: options.subset ?? {}, priority: 0 };
}
