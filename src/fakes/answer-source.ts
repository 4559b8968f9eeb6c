import type { FakeAnswer } from '../simulate/answers.schema.ts';
import type { Received } from '../simulate/received.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** What makes the answers of a faked upstream. */
export interface AnswerSource {
  /** What they are made of, such as `OpenAPI openapi/users.yaml`. */
  readonly told: string;
  /** The file that it was made of; undefined for none. */
  readonly file?: string | undefined;
  /** An answer; the same each time. */
  answer(to: Received): FakeAnswer | Promise<FakeAnswer>;
  /** Goes by a configuration that is in force now. */
  use?(snapshot: Snapshot): void;
}

/** Thrown for what no answers can be made of; its message names the file and what to do. */
export class FakeFault extends Error {
  override readonly name = 'FakeFault';
}

/** An answer in JSON. */
export function jsonAnswer(status: number, body: unknown): FakeAnswer {
  const headers = { 'content-type': 'application/json' };
  return { status, headers, body: JSON.stringify(body), delay: 0 };
}

/** An answer for what there is none for, which says so. */
export function noAnswer(detail: string): FakeAnswer {
  const body = JSON.stringify({ title: 'The fake has no answer for this', status: 404, detail });
  return { status: 404, headers: { 'content-type': 'application/problem+json' }, body, delay: 0 };
}
