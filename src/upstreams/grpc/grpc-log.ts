import { logVerbosity, setLogger, setLogVerbosity } from '@grpc/grpc-js';
import { format } from 'node:util';
import type { Logger } from '../../telemetry/logger.ts';
import { maySayASecret } from '../../telemetry/secret-names.ts';

const LONGEST_TEXT = 1000;
/** What was sent as metadata is not for the log, whatever its name. */
const METADATA = /(metadata entry [^:]+):.*$/is;
/** Fields with their values, in text that names them, such as metadata that cannot be sent. */
const FIELDS = /([\w%.-]+)(\s*[:=]\s*)((?:bearer|basic|apikey)\s+)?[^\s,;]+/gi;

/**
 * Lets grpc-js log through the logger of the process, where it would write lines of its own to standard error. What it calls
 * an error is a fault of a target or of what was sent to it, and a warning here; the rest is for finding faults. Its texts
 * may hold anything that was sent: they are cut, and secrets that they name are taken out.
 */
export function logGrpcTo(logger: Logger): void {
  setLogVerbosity(logger.isLevelEnabled('debug') ? logVerbosity.DEBUG : logVerbosity.ERROR);
  setLogger({
    error: (...args: unknown[]) => logger.warn({ grpc: redacted(args) }, 'grpc-js'),
    info: (...args: unknown[]) => logger.debug({ grpc: redacted(args) }, 'grpc-js'),
    debug: (...args: unknown[]) => logger.trace({ grpc: redacted(args) }, 'grpc-js'),
  });
}

function redacted(args: readonly unknown[]): string {
  const text = format(...args)
    .replace(METADATA, '$1')
    .replace(FIELDS, (all, name: string, sign: string) =>
      maySayASecret(name) ? `${name}${sign}[redacted]` : all,
    );
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
}
