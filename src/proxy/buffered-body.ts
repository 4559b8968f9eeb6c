import type { Exchange } from '../exchange/exchange.ts';
import { Pieces } from '../exchange/pieces.ts';
import type { ResponseHead } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';
import { decodeContent, isCoded } from '../exchange/content-coding.ts';
import {
  beginsLikeJson,
  editJson,
  editMaybeJson,
  isJsonType,
  isNeverJson,
  isText,
} from '../policies/transform/maskable-body.ts';
import { Problem } from '../problems/problem.ts';

/** Fields that describe the bytes as the upstream sent them, and are wrong once the body is edited. */
const BODY_FIELDS: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  // What is edited was decoded before.
  'content-encoding',
  'etag',
  'accept-ranges',
]);

/** Statuses that have no body; their fields describe another one. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/** Part of another representation; what is in it cannot be edited by itself. */
const PARTIAL = 206;

/** What is to be written in place of what came. */
export interface WholeAnswer {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** A body that is held back until it is whole, because a stage of the way out edits it. */
export class BufferedBody {
  readonly #route: Route;
  readonly #head: ResponseHead;
  readonly #maxBytes: number;
  readonly #pieces = new Pieces();
  readonly #coding: string | undefined;
  /** Whether the body can be read at all: one in a coding that is not known cannot, and a stream of events never ends. */
  readonly isReadable: boolean;
  /** Whether it goes out as it is when it is larger than it may be, or cannot be read. */
  readonly passes: boolean;
  /** Whether it is said to be no JSON, and its beginning has not been seen yet. */
  #isDoubtful: boolean;

  private constructor(route: Route, head: ResponseHead, types: readonly string[]) {
    this.#route = route;
    this.#head = head;
    this.#maxBytes = Math.min(...route.leaving.map((stage) => stage.maxBodyBytes ?? Infinity));
    this.#isDoubtful = isNeverJson(types);
    this.passes = !isStrict(route) && route.leaving.every(({ onBodyFault }) => onBodyFault !== 'fail');
    const codings = codingsOf(head);
    this.#coding = codings[0];
    const isEndless = types.some((type) => /^\s*text\/event-stream/i.test(type));
    this.isReadable =
      codings.length === 0 ? this.#isDoubtful || !isEndless : codings.length === 1 && !isEndless;
  }

  /**
   * Holds the body back when a stage of the route edits bodies. Where one has to see all that may be JSON, one of a type
   * that is never JSON is held until it is seen that it is none: to its end, if it is text and coded. Other coded ones, such as
   * images, are taken at their word.
   * Where all of them are content with what is said to be JSON, nothing else is touched.
   *
   * @param head as the upstream sent it: what the stages make of its type says nothing about the bytes.
   */
  static of(route: Route, head: ResponseHead): BufferedBody | undefined {
    if (!route.leaving.some((stage) => stage.body !== undefined) || BODILESS.has(head.status))
      return undefined;
    const types = linesOf(head.headers, 'content-type');
    const isUntouched = isStrict(route)
      ? isNeverJson(types) && !isText(types) && codingsOf(head).length > 0
      : !isJsonType(types) || head.status === PARTIAL;
    if (isUntouched) return undefined;
    const held = new BufferedBody(route, head, types);
    return held.passes && !held.isReadable ? undefined : held;
  }

  /** What is to be written at once when a piece shows that the body is no JSON, as its type says; else undefined. */
  release(chunk: Buffer): WholeAnswer | undefined {
    if (!this.#isDoubtful || this.#coding !== undefined) return undefined;
    const verdict = beginsLikeJson(chunk);
    if (verdict !== undefined) this.#isDoubtful = false;
    return verdict === false ? this.letGo(chunk) : undefined;
  }

  /** What came so far, as it came, a last piece included. */
  letGo(chunk: Buffer): WholeAnswer {
    return { head: this.#head, body: Buffer.concat([this.#pieces.take(), chunk]) };
  }

  /** Takes a piece; returns false when the body has grown over the limit of the route. */
  push(chunk: Buffer): boolean {
    if (this.#pieces.length + chunk.length > this.#maxBytes) return false;
    this.#pieces.push(chunk);
    return true;
  }

  /**
   * Edits the whole body, at once unless it is coded.
   *
   * @param done hears what is to be written, or `upstream-response-invalid` when it may have fields and is not JSON, and when
   * it is larger than it may be once it is decoded.
   */
  finish(exchange: Exchange, done: (answer: WholeAnswer | Problem) => void): void {
    const whole = this.#pieces.take();
    const { status, headers } = this.#head;
    // Nothing but blanks, or the answer to a HEAD.
    if (this.#isDoubtful && (this.#coding === undefined || whole.length === 0))
      return done({ head: this.#head, body: whole });
    if (whole.length === 0) return done({ head: { status, headers: undescribed(headers) }, body: whole });
    if (this.#coding === undefined) return done(this.#edited(exchange, whole, whole));
    decodeContent(whole, this.#coding, this.#maxBytes, (fault, decoded) =>
      done(fault === null ? this.#decoded(exchange, whole, decoded) : this.#faulty(whole, fault)),
    );
  }

  #decoded(exchange: Exchange, whole: Buffer, text: Buffer): WholeAnswer | Problem {
    const isAsItSays = this.#isDoubtful && beginsLikeJson(text) !== true;
    return isAsItSays ? { head: this.#head, body: whole } : this.#edited(exchange, whole, text);
  }

  #edited(exchange: Exchange, whole: Buffer, text: Buffer): WholeAnswer | Problem {
    const { status, headers } = this.#head;
    const edit = (value: unknown): unknown =>
      this.#route.leaving.reduce(
        (edited, stage) => (stage.body ? stage.body(exchange, edited, status) : edited),
        value,
      );
    let body: Buffer;
    try {
      body = isStrict(this.#route) ? editMaybeJson(text, edit) : editJson(text, edit);
    } catch (error) {
      return this.#faulty(whole, error);
    }
    // Nothing was changed: what it was coded as stays, and so does what describes it.
    if (body === text) return { head: this.#head, body: whole };
    const kept = undescribed(headers);
    kept.push('content-length', String(body.length));
    return { head: { status, headers: kept }, body };
  }

  #faulty(whole: Buffer, fault: unknown): WholeAnswer | Problem {
    if (this.passes) return { head: this.#head, body: whole };
    return fault instanceof Problem ? fault : new Problem('upstream-response-invalid', { cause: fault });
  }
}

/** Whether a stage has to see all that may be JSON. */
function isStrict({ leaving }: Route): boolean {
  return leaving.some(({ body, bodies }) => body !== undefined && bodies !== 'json');
}

function codingsOf({ headers }: ResponseHead): readonly string[] {
  return linesOf(headers, 'content-encoding')
    .flatMap((line) => line.split(','))
    .filter(isCoded);
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
