import type { IncomingHttpHeaders } from 'node:http';
import { isIdentityHeader } from '../../exchange/identity-headers.ts';
import { parseCacheControl } from '../../policies/cache/cache-control.ts';
import { freshnessOf, varyNames } from '../../policies/cache/freshness.ts';

/**
 * Collects what the answers of several calls say about keeping them (RFC 9111): the answer that is composed of
 * them may be kept as the strictest of them says.
 */
export class AggregateFreshness {
  #calls = 0;
  #saying = 0;
  #open = 0;
  #freshMs = Infinity;
  #isStorable = true;
  #isPrivate: boolean;
  #mayBeStale = true;

  /** @param isPersonal whether the answer depends on who asks, whatever its parts say. */
  constructor(isPersonal: boolean) {
    this.#isPrivate = isPersonal;
  }

  /** Takes the header fields of one answer. */
  hear(fields: IncomingHttpHeaders): void {
    const headers = Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
    const directives = parseCacheControl(
      fields['cache-control'] === undefined ? undefined : String(fields['cache-control']),
    );
    const { storable, freshMs, mayBeStale } = freshnessOf(200, headers, {
      isShared: false,
      isOneUser: true,
      authenticated: false,
    });
    this.#calls += 1;
    this.#isStorable &&= storable;
    this.#mayBeStale &&= mayBeStale;
    if (directives.has('public')) this.#open += 1;
    if (directives.has('private') || varyNames(headers).some(isIdentityHeader)) this.#isPrivate = true;
    if (freshMs === undefined) return;
    this.#saying += 1;
    this.#freshMs = Math.min(this.#freshMs, freshMs);
  }

  /**
   * The value of `Cache-Control`; undefined when the parts say nothing.
   *
   * @param silentMs how long a part is fresh that does not say, if its route knows.
   */
  cacheControl(silentMs: number | undefined): string | undefined {
    if (!this.#isStorable) return 'no-store';
    const directives: string[] = [];
    if (this.#isPrivate) directives.push('private');
    else if (this.#calls > 0 && this.#open === this.#calls) directives.push('public');
    const isKnown = this.#saying === this.#calls || silentMs !== undefined;
    if (this.#saying > 0 && isKnown) {
      const silent = this.#saying === this.#calls ? Infinity : (silentMs ?? 0);
      directives.push(`max-age=${Math.floor(Math.min(this.#freshMs, silent) / 1000)}`);
    }
    if (!this.#mayBeStale) directives.push('must-revalidate');
    return directives.length === 0 ? undefined : directives.join(', ');
  }
}
