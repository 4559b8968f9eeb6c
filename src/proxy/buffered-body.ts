import type { Exchange } from '../exchange/exchange.ts';
import { Pieces } from '../exchange/pieces.ts';
import type { ResponseHead } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';
import { beginsLikeJson, editMaybeJson, isNeverJson } from '../policies/transform/maskable-body.ts';

/** Fields that describe the bytes as the upstream sent them, and are wrong once the body is edited. */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
  'etag',
  'accept-ranges',
]);

/** Statuses that have no body; their fields describe another one. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** A body that is held back until it is whole, because a stage of the way out edits it. */
export class BufferedBody {
  readonly #route: Route;
  readonly #head: ResponseHead;
  readonly #maxBytes: number;
  readonly #pieces = new Pieces();
  /** Whether the body can be read at all: a coded one cannot, and a stream of events never ends. */
  readonly isReadable: boolean;
  /** Whether it is said to be no JSON, and its beginning has not been seen yet. */
  #isDoubtful: boolean;

  private constructor(route: Route, head: ResponseHead, types: readonly string[]) {
    this.#route = route;
    this.#head = head;
    this.#maxBytes = Math.min(...route.leaving.map((stage) => stage.maxBodyBytes ?? Infinity));
    this.#isDoubtful = isNeverJson(types);
    this.isReadable =
      this.#isDoubtful || (!isCoded(head) && !types.some((type) => /^\s*text\/event-stream/i.test(type)));
  }

  /**
   * Holds the body back when a stage of the route edits bodies; one of a type that is never JSON, until it is seen that
   * it is none. What is coded and of such a type is taken at its word.
   *
   * @param head as the upstream sent it: what the stages make of its type says nothing about the bytes.
   */
  static of(route: Route, head: ResponseHead): BufferedBody | undefined {
    if (!route.leaving.some((stage) => stage.body !== undefined) || BODILESS.has(head.status))
      return undefined;
    const types = linesOf(head.headers, 'content-type');
    return isNeverJson(types) && isCoded(head) ? undefined : new BufferedBody(route, head, types);
  }

  /** What is to be written at once when a piece shows that the body is no JSON, as its type says; else undefined. */
  release(chunk: Buffer): { head: ResponseHead; body: Buffer } | undefined {
    if (!this.#isDoubtful) return undefined;
    const verdict = beginsLikeJson(chunk);
    if (verdict !== undefined) this.#isDoubtful = false;
    if (verdict !== false) return undefined;
    return { head: this.#head, body: Buffer.concat([this.#pieces.take(), chunk]) };
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
   * @throws {Problem} `upstream-response-invalid` when it may have fields and is not JSON.
   */
  finish(exchange: Exchange): { head: ResponseHead; body: Buffer } {
    const whole = this.#pieces.take();
    const { status, headers } = this.#head;
    // Nothing but blanks, or the answer to a HEAD.
    if (this.#isDoubtful) return { head: this.#head, body: whole };
    if (whole.length === 0) return { head: { status, headers: undescribed(headers) }, body: whole };
    const body = editMaybeJson(whole, (value) =>
      this.#route.leaving.reduce(
        (edited, stage) => (stage.body ? stage.body(exchange, edited) : edited),
        value,
      ),
    );
    if (body === whole) return { head: this.#head, body };
    const kept = undescribed(headers);
    kept.push('content-length', String(body.length));
    return { head: { status, headers: kept }, body };
  }
}

function isCoded({ headers }: ResponseHead): boolean {
  return linesOf(headers, 'content-encoding').some((coding) => coding.trim().toLowerCase() !== 'identity');
}

function undescribed(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!BODY_FIELDS.has(headers[i]?.toLowerCase() ?? '')) kept.push(headers[i] ?? '', headers[i + 1] ?? '');
  }
  return kept;
}

function linesOf(headers: readonly string[], name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
}
