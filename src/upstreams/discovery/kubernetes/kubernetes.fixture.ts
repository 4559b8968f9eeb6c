import type { ServerResponse } from 'node:http';
import { FakeRegistry, sendJson } from '../registry.fixture.ts';

/** An endpoint of a slice. */
export interface TestEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: Readonly<Record<string, boolean | null>>;
  readonly zone?: string;
  readonly hints?: unknown;
  readonly nodeName?: string;
  readonly targetRef?: { readonly uid?: string; readonly name?: string };
}

/** A slice; by default of IPv4, with one port `http` of 8080. */
export function slice(name: string, endpoints: readonly (string | TestEndpoint)[], more: object = {}) {
  return {
    metadata: { name, resourceVersion: '1' },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map((one) => (typeof one === 'string' ? { addresses: [one] } : one)),
    ...more,
  };
}

/** The kind of slices that {@link slice} makes. */
export type TestSlice = ReturnType<typeof slice>;

const STATUS = (code: number, reason: string) => ({ kind: 'Status', status: 'Failure', code, reason });

/** The API of Kubernetes, as far as EndpointSlices are concerned: lists by page, watches from a version on. */
export class FakeCluster extends FakeRegistry {
  version = 100;
  slices: TestSlice[] = [];
  /** Answers in place of lists or watches, while it is there. */
  instead: {
    list?: (response: ServerResponse, url: URL) => void;
    watch?: (response: ServerResponse, url: URL) => void;
  } = {};
  /** The token that lets in; undefined for anybody. */
  token: string | undefined = undefined;
  /** Slices on a page, whatever is asked for. */
  pageSize = 500;
  readonly watches = new Set<ServerResponse>();

  /** Sends an event to all watches; the version moves on. */
  event(type: string, object: object): void {
    this.version += 1;
    this.send(`${JSON.stringify(this.eventOf(type, object))}\n`);
  }

  /** An event as it is sent. */
  eventOf(type: string, object: object): object {
    const { metadata } = object as { metadata?: object };
    return { type, object: { ...object, metadata: { ...metadata, resourceVersion: String(this.version) } } };
  }

  /** Tells all watches that their version is forgotten. */
  gone(): void {
    this.send(`${JSON.stringify({ type: 'ERROR', object: STATUS(410, 'Expired') })}\n`);
  }

  /** Sends anything to all watches. */
  send(text: string): void {
    for (const watch of this.watches) watch.write(text);
  }

  /** Ends all watches in order. */
  endWatches(): void {
    for (const watch of this.watches) watch.end();
  }

  protected answer(url: URL, response: ServerResponse): void {
    if (this.token !== undefined && this.headers.at(-1)?.authorization !== `Bearer ${this.token}`)
      return sendJson(response, STATUS(401, 'Unauthorized'), [401, {}]);
    if (url.searchParams.has('watch')) return this.#watch(url, response);
    if (this.instead.list !== undefined) return this.instead.list(response, url);
    const from = Number(url.searchParams.get('continue') ?? 0);
    const to = from + this.pageSize;
    const metadata = {
      resourceVersion: String(this.version),
      ...(to < this.slices.length && { continue: String(to) }),
    };
    sendJson(response, { kind: 'EndpointSliceList', metadata, items: this.slices.slice(from, to) });
  }

  #watch(url: URL, response: ServerResponse): void {
    if (this.instead.watch !== undefined) return this.instead.watch(response, url);
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    this.watches.add(response);
    response.once('close', () => this.watches.delete(response));
  }
}

/** Answers with a status of Kubernetes. */
export function refuse(
  code: number,
  reason: string,
  headers: object = {},
): (response: ServerResponse) => void {
  return (response) => sendJson(response, STATUS(code, reason), [code, headers]);
}
