import type { Answer } from '../../exchange/exchange.ts';
import type { KeyRing } from '../authentication/login/key-ring.ts';

const PURPOSE = 'idempotency';
/** Statuses that have no body, and whose length nobody may make up (RFC 9110 section 8.6). */
export const BODILESS: ReadonlySet<number> = new Set([204, 304]);

/**
 * What is never kept of a head: what concerns one connection or one moment, what frames the message, what is ours to say
 * of each answer, and cookies, which would log a client in again with what has ended since.
 */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'set-cookie', 'date', 'age', 'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'content-length', 'x-request-id', 'retry-after', 'idempotent-replayed',
]); // prettier-ignore

/** An answer, as it is kept. */
export interface KeptAnswer {
  readonly status: number;
  /** Flat list: name, value. */
  readonly headers: readonly string[];
  /** Undefined for one that cannot be told again: it was too large, cut, or a stream of events. */
  readonly body: Buffer | undefined;
  /** The fields that follow the body, flat; absent for none. */
  readonly trailers?: readonly string[] | undefined;
  /** What decided how much of it its caller sees. */
  readonly view: string;
}

/** Header fields, without what is never kept. */
export function keptFields(headers: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!NOT_KEPT.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

/** The answer that is told again. */
export function replayOf({
  status,
  headers,
  body,
  trailers,
}: KeptAnswer & { readonly body: Buffer }): Answer {
  const replayed = [...headers, 'idempotent-replayed', 'true'];
  // Fields can follow a body only that comes in chunks.
  if (trailers !== undefined) return { status, headers: replayed, body, trailers };
  const length = BODILESS.has(status) ? [] : ['content-length', String(body.length)];
  return { status, headers: [...replayed, ...length], body };
}

/** Makes bytes of answers and reads them again; encrypted where there are keys, each for its own record only. */
export class AnswerBytes {
  readonly #keys: KeyRing | undefined;

  constructor(keys?: KeyRing) {
    this.#keys = keys;
  }

  /** @param name of the record that they are for. */
  write({ status, headers, body, view, trailers }: KeptAnswer, name: string): Buffer {
    const line = JSON.stringify({ status, headers, view, trailers, isWhole: body !== undefined });
    const bytes = Buffer.concat([Buffer.from(`${line}\n`), body ?? Buffer.alloc(0)]);
    return this.#keys?.sealBytes(bytes, { purpose: PURPOSE, bound: name }) ?? bytes;
  }

  /** Undefined for what cannot be read: it was kept under other keys, or is none of ours. */
  read(kept: Buffer, name: string): KeptAnswer | undefined {
    const bytes =
      this.#keys === undefined ? kept : this.#keys.openBytes(kept, { purpose: PURPOSE, bound: name });
    const end = bytes?.indexOf('\n') ?? -1;
    if (bytes === undefined || end < 0) return undefined;
    try {
      const line = JSON.parse(bytes.toString('utf8', 0, end)) as KeptAnswer & { readonly isWhole: boolean };
      const { status, headers, view, trailers, isWhole } = line;
      const body = isWhole ? bytes.subarray(end + 1) : undefined;
      return { status, headers, view, body, ...(trailers && { trailers }) };
    } catch {
      return undefined;
    }
  }
}
