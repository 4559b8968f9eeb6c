import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

/** The structured logger of the process. */
export type Logger = PinoLogger;

/** Field names whose values never reach a log line. */
const REDACTED = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  '*.authorization',
  '*.cookie',
  '*.password',
];

/** Lines are written in batches of this size, or after this time, whichever comes first. */
const BATCH_BYTES = 8 * 1024;
const BATCH_MS = 250;

/**
 * Creates the logger of the process: JSON lines on standard output, written in batches because a write per
 * request would cost more than the line itself.
 *
 * @param destination where lines go instead; used by tests.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const stream =
    destination ??
    pino.destination({ dest: 1, sync: false, minLength: BATCH_BYTES, periodicFlush: BATCH_MS });
  return pino({ level, base: null, redact: { paths: REDACTED, censor: '[redacted]' } }, stream);
}

/** Where whole lines of JSON go, between those of the logger. */
export interface LineStream {
  write(line: string): unknown;
}

/**
 * The stream behind a logger, for lines that hold only fields of ours: the logger's redaction of such a line would
 * cost more than all else that the gateway does for a request.
 */
export function lineStreamOf(logger: Logger): LineStream {
  return (logger as unknown as Record<symbol, LineStream>)[pino.symbols.streamSym] as LineStream;
}
