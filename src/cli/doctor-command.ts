import { duration } from '../config/units.ts';
import { readOptions, UsageError } from './options.ts';

/** Whose surroundings are looked at, and how it is shown. */
export interface DoctorCommand {
  readonly name: 'doctor';
  readonly configFile: string | undefined;
  readonly timeoutMs: number;
  readonly json: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DEFAULT_TIMEOUT = '5s';
const LONGEST_MS = 60_000;

/**
 * Reads the arguments behind `gatehouse doctor`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function doctorCommand(args: readonly string[]): DoctorCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  const timeout = duration.safeParse(values.text('timeout') ?? DEFAULT_TIMEOUT);
  if (!timeout.success || timeout.data < 1 || timeout.data > LONGEST_MS)
    throw new UsageError('doctor: expected --timeout from 1ms to 60s, such as 5s');
  return {
    name: 'doctor',
    configFile: values.text('config'),
    timeoutMs: timeout.data,
    json: values.flag('json'),
  };
}
