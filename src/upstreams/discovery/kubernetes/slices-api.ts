import { Unknown } from '../discovery-source.ts';
import type { AccessOptions } from './cluster-access.ts';
import { ClusterApi, MAX_ITEMS, nameOf, type Collection } from './cluster-api.ts';
import type { JsonLines } from './json-lines.ts';
import type { Slice } from './slices.ts';

export { Gone, LONGEST_WATCH_MS, nameOf, objectOf } from './cluster-api.ts';

/** Of which Service the slices are asked for. */
export interface SlicesApiOptions extends AccessOptions {
  readonly service: string;
  readonly namespace: string | undefined;
}

/** All slices of a Service by name, and the version that a watch goes on from. */
export interface SliceList {
  readonly slices: Map<string, Slice>;
  readonly version: string;
}

/** Most slices of one Service: each has up to a thousand endpoints. */
export const MAX_SLICES = MAX_ITEMS;

/** The EndpointSlices of one Service, over the API of Kubernetes. */
export class SlicesApi {
  readonly #api: ClusterApi;
  readonly #slices: Collection;

  constructor(options: SlicesApiOptions) {
    this.#api = new ClusterApi(options);
    this.#slices = {
      title: 'endpointslices of discovery.k8s.io in this namespace',
      query: { labelSelector: `kubernetes.io/service-name=${options.service}` },
      path(named) {
        const space = options.namespace ?? named;
        if (space === undefined) throw new Unknown('expected `namespace`: the context names none');
        return `apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(space)}/endpointslices`;
      },
    };
  }

  /** Lists all of them, page by page. @throws {Unknown} */
  async list(signal: AbortSignal): Promise<SliceList> {
    const { items, version } = await this.#api.list<Slice>(this.#slices, nameOf, signal);
    return { slices: items, version };
  }

  /** Follows changes from a version on. @throws {Gone} when that is too old. @throws {Unknown} */
  watch(version: string, signal: AbortSignal): Promise<JsonLines> {
    return this.#api.watch(this.#slices, version, signal);
  }

  /** Closes all connections. */
  close(): void {
    this.#api.close();
  }
}
