/** Counts what reached a service, so that a test can say "no second call was made". */
export class RequestCounter {
  /** All requests, those answered with a fault and health probes included. */
  total = 0;

  /** Requests whose client went away before the answer was complete. */
  aborted = 0;

  /** Requests by operation: `GET /users/{id}` over HTTP, `shop.v1.Orders/GetOrder` over gRPC. */
  readonly by: Record<string, number> = {};

  /** Counts one request. */
  count(operation: string): void {
    this.total += 1;
    this.by[operation] = (this.by[operation] ?? 0) + 1;
  }

  /** Starts again from zero. */
  reset(): void {
    this.total = 0;
    this.aborted = 0;
    for (const operation of Object.keys(this.by)) delete this.by[operation];
  }
}
