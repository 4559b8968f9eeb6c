import { Readable } from 'node:stream';
import type { Exchange } from '../exchange/exchange.ts';
import { decodedContent, isCoded, isTooLarge, UnknownCoding } from '../exchange/content-coding.ts';
import { Pieces } from '../exchange/pieces.ts';
import { editIncoming } from '../policies/transform/incoming-body.ts';
import { isJsonType } from '../policies/transform/maskable-body.ts';
import type { IncomingEdit } from '../policies/incoming-edit.ts';
import { Problem } from '../problems/problem.ts';
import type { Outbound } from '../upstreams/http/outbound.ts';
import type { IncomingBody } from '../upstreams/http/outbound-body.ts';

/** Fields that describe the bytes as the client sent them, and are wrong once the body is edited. */
const DESCRIBING: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
]);

/** A body that may have been edited. */
export interface EditedBody {
  readonly body: IncomingBody;
  /** Whether it is another one than the client has sent. */
  readonly isEdited: boolean;
}

/** The fields of a request without those that describe another body than the one that goes out. */
export function describedAnew(fields: readonly string[], length: number): string[] {
  const kept = fields.filter((_, at) => !DESCRIBING.has(fields[at - (at % 2)] as string));
  kept.push('content-length', String(length));
  return kept;
}

/**
 * Waits for the whole body of a request and edits its JSON; a coded one is decoded first, within the bound. What is no
 * JSON passes untouched where the policy says so, also what is larger, which streams then.
 *
 * @throws {Problem} `media-type-unsupported`, `body-too-large`, `request-invalid`, or why the exchange was cancelled.
 */
export async function editBody(
  exchange: Exchange,
  body: IncomingBody,
  incoming: IncomingEdit,
): Promise<EditedBody> {
  const untouched = { body, isEdited: false };
  const { headersDistinct } = exchange.request;
  const fails = incoming.onFault === 'fail';
  const codings = (headersDistinct['content-encoding'] ?? [])
    .flatMap((line) => line.split(','))
    .filter(isCoded);
  const types = headersDistinct['content-type'];
  if ((types !== undefined && !isJsonType(types)) || codings.length > 1) {
    if (fails) throw new Problem('media-type-unsupported');
    return untouched;
  }
  if (body.length !== undefined && body.length > incoming.maxBytes) {
    if (fails) throw new Problem('body-too-large');
    return untouched;
  }
  const whole = await held(exchange, body, incoming.maxBytes);
  if (whole === undefined) {
    if (!fails) return untouched;
    body.stream.destroy();
    throw new Problem('body-too-large');
  }
  const edited = await editWhole(exchange, whole, codings[0], incoming);
  return { body: bodyOf(edited, edited === whole ? body : undefined), isEdited: edited !== whole };
}

async function editWhole(
  exchange: Exchange,
  whole: Buffer,
  coding: string | undefined,
  incoming: IncomingEdit,
): Promise<Buffer> {
  if (whole.length === 0) return whole;
  try {
    const text = await decodedContent(whole, coding, incoming.maxBytes).catch((error: unknown) => {
      throw undecoded(error);
    });
    const edited = editIncoming(exchange, text, incoming);
    // What is not changed stays coded as it was.
    return edited === text ? whole : edited;
  } catch (error) {
    if (incoming.onFault === 'fail') throw error;
    return whole;
  }
}

function undecoded(cause: unknown): Problem {
  if (cause instanceof UnknownCoding) return new Problem('media-type-unsupported', { cause });
  return new Problem(isTooLarge(cause) ? 'body-too-large' : 'request-invalid', { cause });
}

/** @returns undefined for a body that is larger; all of it can still be read then. */
function held(exchange: Exchange, { stream }: IncomingBody, maxBytes: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const pieces = new Pieces();
    const leave = (): void => {
      exchange.offCancel(fail);
      stream.off('data', take).off('end', end).off('error', fail);
    };
    const take = (chunk: Buffer): void => {
      pieces.push(chunk);
      if (pieces.length <= maxBytes) return;
      leave();
      stream.pause();
      stream.unshift(pieces.take());
      resolve(undefined);
    };
    const end = (): void => {
      leave();
      resolve(pieces.take());
    };
    const fail = (error: Error): void => {
      leave();
      reject(exchange.cancelled ?? error);
    };
    stream.on('data', take).once('end', end).once('error', fail);
    exchange.onCancel(fail);
  });
}

function bodyOf(bytes: Buffer, as: IncomingBody | undefined): IncomingBody {
  return {
    stream: Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false }),
    length: as === undefined ? bytes.length : as.length,
    trailers: () => as?.trailers() ?? [],
  };
}

/**
 * What goes out in place of a request whose body is edited, with fields that describe the body that it has then. A body that
 * was read in part is paused.
 *
 * @throws {Problem} as {@link editBody}.
 */
export async function editedOutbound(
  exchange: Exchange,
  outbound: Outbound & { readonly body: IncomingBody },
  edit: IncomingEdit,
): Promise<Outbound> {
  const { body, isEdited } = await editBody(exchange, outbound.body, edit);
  const headers = isEdited ? describedAnew(outbound.headers, body.length ?? 0) : outbound.headers;
  return { ...outbound, headers, body };
}
