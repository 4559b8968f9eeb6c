import type { KindOptions } from '../discovery.schema.ts';
import { Unknown, type Asking, type DiscoverySource, type Known } from '../discovery-source.ts';
import { MAX_WEIGHT } from '../json-weight.ts';
import type { JsonLines } from './json-lines.ts';
import { Gone, LONGEST_WATCH_MS, MAX_SLICES, nameOf, objectOf, SlicesApi } from './slices-api.ts';
import { targetsOf, type Slice } from './slices.ts';

/** Which Service is followed, and how its pods are reached. */
export interface KubernetesSourceOptions extends KindOptions<'kubernetes'> {
  readonly scheme: string;
  /** What the paths of the service account of the pod begin with. Default nothing. */
  readonly root?: string | undefined;
}

const GONE = 410;
/** A watch that ends as soon as it begins is begun again no sooner than this. */
const SHORT_MS = 1000;
/** Events that follow each other closely are taken together. */
const TOGETHER_MS = 100;
const NO_SLICES =
  'the Service has no EndpointSlices: is there one of that name? One of type ExternalName has none; use dns for it';

/**
 * The EndpointSlices of a Service: listed once, then followed by a watch that takes up where the one before it ended. It is
 * listed again only when the cluster has forgotten that place, and then the new list takes the place of the old one at once.
 */
export class KubernetesSource implements DiscoverySource {
  readonly longestMs = LONGEST_WATCH_MS;
  readonly #options: KubernetesSourceOptions;
  readonly #api: SlicesApi;
  #slices = new Map<string, Slice>();
  /** What all changes weigh since the list, see {@link JsonLines.weight}. */
  #changedWeight = 0;
  /** What a watch goes on from; undefined when everything has to be listed. */
  #version: string | undefined = undefined;
  #watch: JsonLines | undefined = undefined;
  #watchAt = 0;
  /** Questions that are given up must not go on beside those that follow them. */
  #turn = 0;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    const { service, namespace, kubeconfig, context, root } = options;
    this.#api = new SlicesApi({ service, namespace, kubeconfig, context, root });
  }

  async next({ signal, withinMs }: Asking): Promise<Known> {
    const turn = (this.#turn += 1);
    try {
      if (this.#version === undefined) return await this.#list(signal, turn);
      return await this.#follow({ signal, withinMs }, turn);
    } catch (error) {
      if (turn === this.#turn) this.#endWatch();
      throw error;
    }
  }

  close(): void {
    this.#turn += 1;
    this.#endWatch();
    this.#api.close();
  }

  async #list(signal: AbortSignal, turn: number): Promise<Known> {
    this.#endWatch();
    const { slices, version } = await this.#api.list(signal);
    this.#onlyIn(turn);
    this.#slices = slices;
    this.#changedWeight = 0;
    this.#version = version;
    return this.#known();
  }

  async #follow({ signal, withinMs }: Asking, turn: number): Promise<Known> {
    const watch = (this.#watch ??= await this.#begin(signal));
    this.#onlyIn(turn);
    const leftMs = LONGEST_WATCH_MS - (performance.now() - this.#watchAt);
    const end = await watch.wait(Math.max(0, Math.min(withinMs, leftMs)), signal);
    this.#onlyIn(turn);
    if (end === 'line') {
      this.#apply(watch);
      return this.#known(TOGETHER_MS);
    }
    if (end === 'end') {
      this.#endWatch();
      const isShort = performance.now() - this.#watchAt < SHORT_MS;
      return this.#known(isShort ? SHORT_MS : 0);
    }
    if (withinMs < leftMs) return this.#list(signal, turn);
    throw new Unknown('the watch does not end in its time');
  }

  async #begin(signal: AbortSignal): Promise<JsonLines> {
    try {
      this.#watchAt = performance.now();
      return await this.#api.watch(this.#version ?? '', signal);
    } catch (error) {
      if (error instanceof Gone) this.#version = undefined;
      throw error;
    }
  }

  #apply(watch: JsonLines): void {
    const before = watch.weight;
    try {
      for (const event of watch.take()) this.#change(objectOf(event));
      this.#changedWeight += watch.weight - before;
      // How much of it is in force nobody has counted: a list says what there is, and is bounded.
      if (this.#changedWeight > MAX_WEIGHT) this.#version = undefined;
    } catch (error) {
      // Something was missed: what is known may be wrong from here on.
      this.#version = undefined;
      throw error;
    }
  }

  #change({ type, object }: Readonly<Record<string, unknown>>): void {
    if (type === 'ERROR') {
      const { code, reason } = objectOf(object);
      if (code === GONE) throw new Gone('the cluster has forgotten the version to go on from');
      throw new Unknown(`the watch ended with ${String(code ?? '')} ${String(reason ?? '')}`.trim());
    }
    const { resourceVersion } = objectOf(objectOf(object)['metadata']);
    if (typeof resourceVersion !== 'string')
      throw new Unknown('the watch brought an event without a version');
    if (type === 'DELETED') this.#slices.delete(nameOf(object));
    else if (type === 'ADDED' || type === 'MODIFIED') this.#slices.set(nameOf(object), object as Slice);
    else if (type !== 'BOOKMARK') throw new Unknown('the watch brought an event of no known type');
    if (this.#slices.size > MAX_SLICES) throw new Unknown(`the Service has more than ${MAX_SLICES} slices`);
    this.#version = resourceVersion;
  }

  #known(waitMs = 0): Known {
    const { scheme, port, family, zone } = this.#options;
    const { targets, skipped } = targetsOf(this.#slices, { scheme, port, family, zone });
    const note = this.#slices.size === 0 ? NO_SLICES : undefined;
    return { targets, skipped, version: this.#version, note, waitMs };
  }

  #endWatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  #onlyIn(turn: number): void {
    if (turn !== this.#turn) throw new Unknown('given up');
  }
}
