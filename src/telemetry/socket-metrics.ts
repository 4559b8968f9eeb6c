import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';
import { ReadGauge } from './read-gauge.ts';

/** The codes of RFC 6455 and IANA, each by itself; those that applications choose are one, so that clients cannot make series. */
const [FIRST_CODE, LAST_CODE] = [1000, 1015];

/** What is counted of WebSockets, by route. */
export class SocketMetrics {
  readonly #open = new Map<string, number>();
  readonly #messages: LabelCounter;
  readonly #bytes: LabelCounter;
  readonly #closed: LabelCounter;
  readonly #expired: LabelCounter;

  constructor(registry: Registry) {
    new ReadGauge(
      {
        name: 'gatehouse_open_sockets',
        help: 'WebSockets of a route that are open.',
        labels: ['route'],
      },
      registry,
      (show) => {
        for (const [route, count] of this.#open) show(count, route);
      },
    );
    const counter = (name: string, help: string, label: string): LabelCounter =>
      new LabelCounter({ name: `gatehouse_socket_${name}_total`, help, labels: ['route', label] }, registry);
    this.#messages = counter('messages', 'Messages over WebSockets that are forwarded.', 'from');
    this.#bytes = counter('bytes', 'Bytes over WebSockets that are forwarded, frames and all.', 'from');
    this.#closed = counter('closes', 'WebSockets that were forwarded and have ended, by code.', 'code');
    this.#expired = new LabelCounter(
      {
        name: 'gatehouse_expired_exchanges_total',
        help: 'Sockets, streams and requests that were under way and have ended because their credential has expired.',
        labels: ['route'],
      },
      registry,
    );
  }

  opened(route: string): void {
    this.#open.set(route, (this.#open.get(route) ?? 0) + 1);
  }

  closed(route: string): void {
    this.#open.set(route, (this.#open.get(route) ?? 0) - 1);
  }

  /** Counts what one read has brought. */
  passed(
    route: string,
    from: string,
    { messages, bytes }: { readonly messages: number; readonly bytes: number },
  ): void {
    if (messages > 0) this.#messages.count(route, from, '', messages);
    this.#bytes.count(route, from, '', bytes);
  }

  ended(route: string, code: number): void {
    this.#closed.count(route, code >= FIRST_CODE && code <= LAST_CODE ? String(code) : 'application');
  }

  credentialEnded(route: string): void {
    this.#expired.count(route);
  }

  /** Shows nothing more of routes that are gone. */
  forget(ids: ReadonlySet<string>): void {
    for (const id of ids) this.#open.delete(id);
    for (const counter of [this.#messages, this.#bytes, this.#closed, this.#expired]) counter.forget(ids);
  }
}
