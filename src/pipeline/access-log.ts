import type { Exchange } from '../exchange/exchange.ts';
import type { LogsOptions } from '../routing/logs.schema.ts';
import type { AccessLines } from '../snapshot/edge.ts';
import type { LineStream } from '../telemetry/logger.ts';
import { compileFields } from './access-fields.ts';
import { accessLine } from './access-line.ts';
import { quoted } from './access-values.ts';
import { combinedLine, escaped } from './combined-line.ts';
import { ecsLine } from './ecs-line.ts';

const FIRST_FAILURE = 400;

/** Writes a line. @param standsFor how many exchanges it stands for; undefined where all lines are kept. */
type Line = (
  exchange: Exchange,
  durationMs: number,
  complete: boolean,
  standsFor: number | undefined,
) => string;

/**
 * Compiles what access lines look like and which are kept.
 *
 * @param random from 0 up to 1, for the sample.
 * @returns undefined for {@link accessLine} of every exchange.
 */
export function compileAccessLog(
  { format, sample, fields }: LogsOptions,
  random: () => number = Math.random,
): AccessLines | undefined {
  if (format === 'json' && sample === undefined && Object.keys(fields).length === 0) return undefined;
  const line = FORMATS[format](fields);
  if (sample === undefined)
    return (exchange, durationMs, complete) => line(exchange, durationMs, complete, undefined);
  const { successes, slow } = sample;
  const standsFor = Math.round(1000 / successes) / 1000;
  return (exchange, durationMs, complete) => {
    if (!isPlainSuccess(exchange, complete) || durationMs >= slow)
      return line(exchange, durationMs, complete, 1);
    // Not by the trace, which is the client's to choose: nobody can see to it that no line of his own is kept.
    return random() < successes ? line(exchange, durationMs, complete, standsFor) : undefined;
  };
}

/** Writes the access line of an exchange that has closed, as its configuration says. */
export function writeAccessLine(
  lines: LineStream,
  exchange: Exchange,
  durationMs: number,
  complete: boolean,
): void {
  const write = exchange.snapshot?.edge.accessLines ?? accessLine;
  const line = write(exchange, durationMs, complete);
  if (line !== undefined) lines.write(line);
}

/** The access line of an exchange, also of one that the log has no line of. */
export function accessLineOf(exchange: Exchange, durationMs: number, complete: boolean): string {
  const line = exchange.snapshot?.edge.accessLines?.(exchange, durationMs, complete);
  return line ?? accessLine(exchange, durationMs, complete);
}

/** Whether nothing about it is worth a look. Whatever is doubtful is kept. */
function isPlainSuccess(exchange: Exchange, complete: boolean): boolean {
  const { status, problem, denied, shadowDenied, headFault, degraded, grpcStatus } = exchange;
  if (!complete || status >= FIRST_FAILURE || problem !== undefined || denied !== undefined) return false;
  if (shadowDenied !== undefined || headFault !== undefined || degraded.length > 0) return false;
  return grpcStatus === undefined || grpcStatus === 'OK';
}

const FORMATS: Readonly<Record<LogsOptions['format'], (fields: LogsOptions['fields']) => Line>> = {
  json: (fields) => {
    const more = compileFields(fields, member);
    return (exchange, durationMs, complete, standsFor) =>
      accessLine(
        exchange,
        durationMs,
        complete,
        weightMember(standsFor) + group('fields', more?.(exchange) ?? ''),
      );
  },
  ecs: (fields) => {
    const more = compileFields(fields, member);
    return (exchange, durationMs, complete, standsFor) =>
      ecsLine(exchange, durationMs, complete, {
        labels: group('labels', more?.(exchange) ?? ''),
        own: weightMember(standsFor),
      });
  },
  combined: (fields) => {
    const more = compileFields(fields, pair);
    return (exchange, _durationMs, _complete, standsFor) =>
      combinedLine(
        exchange,
        (standsFor === undefined ? '' : pair('standsFor', String(standsFor))) + (more?.(exchange) ?? ''),
      );
  },
};

function member(name: string, value: string): string {
  return `,"${name}":${quoted(value)}`;
}

function pair(name: string, value: string): string {
  return ` ${name}="${escaped(value)}"`;
}

function weightMember(standsFor: number | undefined): string {
  return standsFor === undefined ? '' : `,"standsFor":${standsFor}`;
}

function group(name: string, members: string): string {
  return members === '' ? '' : `,"${name}":{${members.slice(1)}}`;
}
