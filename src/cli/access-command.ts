import { readOptions } from './options.ts';

/** Whose access somebody wants to see, and how it is shown. */
export interface AccessCommand {
  readonly name: 'access';
  readonly configFile: string | undefined;
  /** File with who calls, as JSON; undefined for nobody. */
  readonly asFile: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  as: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments behind `gatehouse access`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function accessCommand(args: readonly string[]): AccessCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  return {
    name: 'access',
    configFile: values.text('config'),
    asFile: values.text('as'),
    json: values.flag('json'),
  };
}
