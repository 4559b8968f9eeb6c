import { readOptions } from './options.ts';

/** Whose surroundings are looked at, and how it is shown. */
export interface DoctorCommand {
  readonly name: 'doctor';
  readonly configFile: string | undefined;
  /** What one check may take, with a unit. */
  readonly timeout: string;
  readonly json: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const DEFAULT_TIMEOUT = '5s';

/**
 * Reads the arguments behind `gatehouse doctor`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function doctorCommand(args: readonly string[]): DoctorCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  return {
    name: 'doctor',
    configFile: values.text('config'),
    timeout: values.text('timeout') ?? DEFAULT_TIMEOUT,
    json: values.flag('json'),
  };
}
