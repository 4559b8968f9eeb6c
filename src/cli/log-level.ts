import type { Environment } from '../config/env.schema.ts';
import { LOG_LEVELS } from '../config/log-levels.ts';
import { nearestName } from '../config/nearest-name.ts';
import { adminOrigin, askAdmin } from './admin-client.ts';
import { readOptions, UsageError } from './options.ts';

/** What somebody wants to know of the level of a log, or wants it to be. */
export interface LogLevelCommand {
  readonly name: 'log-level';
  /** Undefined to look, or to go back. */
  readonly level: string | undefined;
  /** For how long; undefined for the default of the gateway. */
  readonly for: string | undefined;
  readonly reset: boolean;
  readonly admin: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  for: { type: 'string' },
  reset: { type: 'boolean' },
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const PATH = '/log-level';

/** Reads the arguments behind `gatehouse log-level`. @returns undefined when somebody asks for help. */
export function logLevelCommand(args: readonly string[]): LogLevelCommand | undefined {
  const level = args[0]?.startsWith('-') === false ? args[0] : undefined;
  const values = readOptions(level === undefined ? args : args.slice(1), OPTIONS);
  if (values.flag('help')) return undefined;
  if (level !== undefined && !(LOG_LEVELS as readonly string[]).includes(level)) {
    const nearest = nearestName(level, LOG_LEVELS);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new UsageError(`log-level: expected one of ${LOG_LEVELS.join(', ')}, got "${level}"${hint}`);
  }
  const [duration, reset] = [values.text('for'), values.flag('reset')];
  if (reset && level !== undefined)
    throw new UsageError('log-level: expected a level, or --reset, but not both');
  if (duration !== undefined && level === undefined)
    throw new UsageError('log-level: expected a level before --for');
  const admin = adminOrigin('log-level', values.text('admin'));
  return { name: 'log-level', level, for: duration, reset, admin, json: values.flag('json') };
}

/**
 * Asks a gateway that runs for the level of its log, or has it changed for a while.
 *
 * @throws {Error} for people, when it cannot be reached, and when it does not do it.
 */
export async function runLogLevel(
  { level, for: duration, reset, admin, json }: LogLevelCommand,
  environment: Pick<Environment, 'admin' | 'adminHost' | 'adminPort'>,
  out: { write(text: string): unknown },
): Promise<void> {
  const place = { admin, environment };
  const order = { level, ...(duration !== undefined && { for: duration }) };
  const answer = await (level === undefined
    ? askAdmin(place, reset ? 'DELETE' : 'GET', PATH)
    : askAdmin(place, 'PUT', PATH, order));
  if (json) return void out.write(`${JSON.stringify(answer, null, 2)}\n`);
  const shown = answer as { readonly level: string; readonly configured: string; readonly until?: string };
  const back = shown.until === undefined ? '' : ` until ${shown.until}, then ${shown.configured}`;
  out.write(`${shown.level}${back}\n`);
}
