import type { Problem } from '../problems/problem.ts';

/** The head of an answer as its target sent it, as far as it travels on: nothing in it concerns the other connection. */
export interface ForwardedHead {
  readonly status: number;
  /** Its `Content-Length`, as it was written. */
  readonly length: string | undefined;
  /** Whether it says when it was made. */
  readonly hasDate: boolean;
  /** The names of fields that come after the body, as it lists them. */
  readonly trailer: string | undefined;
  /** Its fields, as names and values. */
  fields(): string[];
  /**
   * The same as a text, with a line break before each line and none at the end.
   *
   * @param withLength whether its length is among them. Default true.
   */
  lines(withLength?: boolean): string;
}

/**
 * Where an answer goes. First comes its head, by `start` or `begin`, then its body by `data` and `end`; or all of it at
 * once, by `whole`. `fail` may come at any time, in place of what is left.
 */
export interface AnswerSink {
  /** Takes status and header fields (a flat list, hop-by-hop fields already removed). */
  start(status: number, headers: string[]): void;
  /** Takes the head of a forwarded answer whose body streams. */
  begin(head: ForwardedHead): void;
  /** Lets the head go that `begin` has taken: nobody knows when more comes, and its client waits for it. */
  flush(): void;
  /**
   * Takes a forwarded answer as a whole.
   *
   * @param isKept whether the body is the sink's to keep; else it is only valid until this returns.
   */
  whole(head: ForwardedHead, body: Buffer, isKept: boolean): void;
  /** Takes an interim answer; another one follows. */
  interim(head: ForwardedHead): void;
  /** Takes a piece of the body; returns false to be resumed later through `onDrain`. */
  data(chunk: Buffer): boolean;
  /** Takes the fields that come after the body, right before its end. */
  trailers(fields: readonly string[]): void;
  end(): void;
  /** Takes the reason why there is no answer, or no complete one. */
  fail(problem: Problem): void;
  /**
   * Calls back once when the sink can take more.
   *
   * @param idleMs how long its reader may take nothing; the exchange ends then, as for a client that has left.
   */
  onDrain(resume: () => void, idleMs: number): void;
}
