import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { errorFacts } from './error-facts.ts';
import { KeptLines } from './kept-lines.ts';
import { LineBuffer, type LineTurns } from './line-buffer.ts';
import { printableJson } from './printable.ts';
import { redacted, redactedFields } from './redaction.ts';

/** The structured logger of the process. */
export type Logger = PinoLogger;

const STANDARD_OUTPUT = 1;

/** The levels at which lines show the messages of errors, which may quote what clients and upstreams sent. */
const LEVELS_WITH_MESSAGES: ReadonlySet<string> = new Set(['trace', 'debug']);

/**
 * Creates the logger of the process: JSON lines on standard output, written in batches because a write per
 * request would cost more than the line itself. Of errors a line shows what {@link errorFacts} says, under `err`.
 *
 * @param destination where lines go instead; used by tests.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const stream = new RedactingStream(destination ?? new LineBuffer({ fd: STANDARD_OUTPUT }));
  const withMessages = LEVELS_WITH_MESSAGES.has(level);
  const serializers = { err: (error: unknown) => errorFacts(error, withMessages) };
  return pino({ level, base: null, serializers, formatters: { log: redactedFields } }, stream);
}

/** How lines in the Elastic Common Schema begin, and no other ones. */
const ECS_START = '{"@timestamp"';

/** What a pipe takes at once, so that the turn of a worker is over soon. */
const TURN_BYTES = 56 * 1024;

/** Says in each line of a worker whose it is. */
export class WorkerLines implements LineStream {
  readonly #lines: LineBuffer;
  readonly #start: string;
  readonly #node: string;

  /** @param worker from 1. @param turns since others write to the same output. */
  constructor(worker: number, turns: LineTurns) {
    this.#lines = new LineBuffer({ fd: STANDARD_OUTPUT, batchBytes: TURN_BYTES, turns });
    this.#start = `{"worker":${worker},`;
    this.#node = `worker-${worker}`;
  }

  /** @param line an object of JSON that has fields; an access line may have another form. */
  write(line: string): void {
    if (line.startsWith(ECS_START))
      this.#lines.write(`${line.slice(0, -2)},"service.node.name":"${this.#node}"}\n`);
    else this.#lines.write(line.startsWith('{') ? this.#start + line.slice(1) : line);
  }

  get droppedLines(): number {
    return this.#lines.droppedLines;
  }

  limit(maxWaitingBytes: number): void {
    this.#lines.limit(maxWaitingBytes);
  }

  flush(done?: () => void): void {
    this.#lines.flush(done);
  }
}

/** Hides in each line what looks like a secret, or is one that the process was given. */
class RedactingStream {
  readonly inner: LineStream & Pick<Partial<LineBuffer>, 'flush'>;
  readonly kept = new KeptLines();

  constructor(inner: LineStream) {
    this.inner = inner;
  }

  write(line: string): void {
    const shown = printableJson(redacted(line));
    this.kept.add(shown);
    this.inner.write(shown);
  }

  flush(done?: () => void): void {
    if (this.inner.flush === undefined) done?.();
    else this.inner.flush(done);
  }
}

/** Where whole lines of JSON go, between those of the logger. */
export interface LineStream {
  write(line: string): unknown;
  /** How many lines were lost; absent where none can be. */
  readonly droppedLines?: number;
  /** Has so much wait at most for a slow reader, in bytes. */
  limit?(maxWaitingBytes: number): void;
}

/**
 * The stream behind a logger, for lines that hold only fields of ours and need no redaction, which would
 * cost more than all else that the gateway does for a request.
 */
export function lineStreamOf(logger: Logger): LineStream {
  const stream = streamOf(logger);
  return stream instanceof RedactingStream ? stream.inner : stream;
}

/** The last lines that a logger has written itself, the oldest first. */
export function keptLinesOf(logger: Logger): readonly string[] {
  const stream = streamOf(logger);
  return stream instanceof RedactingStream ? stream.kept.all() : [];
}

function streamOf(logger: Logger): LineStream {
  return (logger as unknown as Record<symbol, LineStream>)[pino.symbols.streamSym] as LineStream;
}
