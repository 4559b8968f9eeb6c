import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FakeAnswer } from './answers.schema.ts';

/** What an upstream was sent. */
export interface Received {
  readonly upstream: string;
  /** The target, as the configuration has it. */
  readonly target: string;
  readonly method: string;
  readonly path: string;
  /** Lower-case names; several fields of one name are one, with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of gRPC: its message as JSON; the last one of a stream. */
  readonly message?: unknown;
}

/** One target that is stood in for. */
export interface Place {
  readonly upstream: string;
  readonly target: string;
}

/** A request that asks for another protocol, and its connection. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Says what is answered, and hears what was received. */
export interface Script {
  /** What is answered to it; what is thrown is heard of as a failure. */
  answer(to: Received): FakeAnswer | Promise<FakeAnswer>;
  received(one: Received): void;
  /** Hears that an answer cannot be given as it was asked for. */
  failed(place: Place, error: unknown): void;
  /** Takes a connection over that asks for another protocol. Default: it ends. */
  upgraded?(one: Received, upgrade: Upgrade): void;
  /** Waits as long as an answer takes; `Infinity` for one that never comes. */
  wait(ms: number): Promise<void>;
}

/** Fields as one text each. */
export function fieldsOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || name.startsWith(':') ? [] : [[name, [value].flat().join(', ')]],
    ),
  );
}
