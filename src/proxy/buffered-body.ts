import type { Exchange } from '../exchange/exchange.ts';
import { Pieces } from '../exchange/pieces.ts';
import { fieldOf } from '../policies/cache/freshness.ts';
import type { ResponseHead } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';
import { editJson, isJson } from './json-edit.ts';

/** Fields that describe the bytes as the upstream sent them, and are wrong once the body is edited. */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
  'etag',
  'accept-ranges',
]);

/** A JSON body that is held back until it is whole, because a stage of the way out edits it. */
export class BufferedBody {
  readonly #route: Route;
  readonly #head: ResponseHead;
  readonly #maxBytes: number;
  readonly #pieces = new Pieces();

  constructor(route: Route, head: ResponseHead) {
    this.#route = route;
    this.#head = head;
    this.#maxBytes = Math.min(...route.leaving.map((stage) => stage.maxBodyBytes ?? Infinity));
  }

  /** Whether a stage of the route edits bodies and this answer has one that it can edit. */
  static isNeeded(route: Route, head: ResponseHead): boolean {
    return (
      route.leaving.some((stage) => stage.body !== undefined) && isJson(fieldOf(head.headers, 'content-type'))
    );
  }

  /** Whether the body can be read at all; a coded one cannot. */
  get isReadable(): boolean {
    const coding = fieldOf(this.#head.headers, 'content-encoding');
    return coding === undefined || coding === 'identity';
  }

  /** Takes a piece; returns false when the body has grown over the limit of the route. */
  push(chunk: Buffer): boolean {
    if (this.#pieces.length + chunk.length > this.#maxBytes) return false;
    this.#pieces.push(chunk);
    return true;
  }

  /**
   * Edits the whole body.
   *
   * @throws {Problem} `upstream-response-invalid` when it is not JSON.
   */
  finish(exchange: Exchange): { head: ResponseHead; body: Buffer } {
    const kept: string[] = [];
    const { status, headers } = this.#head;
    for (let i = 0; i < headers.length; i += 2) {
      if (!BODY_FIELDS.has(headers[i]?.toLowerCase() ?? ''))
        kept.push(headers[i] ?? '', headers[i + 1] ?? '');
    }
    const whole = this.#pieces.take();
    if (whole.length === 0) return { head: { status, headers: kept }, body: whole };
    const body = editJson(whole, (value) =>
      this.#route.leaving.reduce(
        (edited, stage) => (stage.body ? stage.body(exchange, edited) : edited),
        value,
      ),
    );
    kept.push('content-length', String(body.length));
    return { head: { status, headers: kept }, body };
  }
}
