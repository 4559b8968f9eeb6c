import { readOptions, UsageError } from '../options.ts';

/** Which contracts somebody wants to have as files. */
export interface WriteContractsCommand {
  readonly name: 'contracts';
  readonly configFile: string | undefined;
  readonly folder: string;
}

/** Which contracts are compared with those that clients rely on. */
export interface CheckContractsCommand {
  readonly name: 'contracts check';
  readonly configFile: string | undefined;
  /** Where they are in the repository. */
  readonly folder: string;
  /** A version of the repository, or a folder; undefined: the last release. */
  readonly against: string | undefined;
  /** The list of breaks that are accepted. */
  readonly acceptedFile: string | undefined;
  readonly json: boolean;
}

const COMMON = {
  config: { type: 'string', short: 'c' },
  help: { type: 'boolean', short: 'h' },
} as const;
const WRITE = { ...COMMON, out: { type: 'string', short: 'o' } } as const;
const CHECK = {
  ...COMMON,
  against: { type: 'string' },
  dir: { type: 'string' },
  accepted: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/**
 * Reads the arguments behind `gatehouse contracts`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function contractsCommand(
  args: readonly string[],
): WriteContractsCommand | CheckContractsCommand | undefined {
  const [action, ...rest] = args;
  if (action === 'check') return checkCommand(rest);
  if (action !== undefined && !action.startsWith('-'))
    throw new UsageError(`contracts: expected --out DIR or check, not "${action}"`);
  const values = readOptions(args, WRITE);
  if (values.flag('help')) return undefined;
  const folder = values.text('out');
  if (folder === undefined) throw new UsageError('contracts: expected --out DIR, or check');
  return { name: 'contracts', configFile: values.text('config'), folder };
}

function checkCommand(args: readonly string[]): CheckContractsCommand | undefined {
  const values = readOptions(args, CHECK);
  if (values.flag('help')) return undefined;
  return {
    name: 'contracts check',
    configFile: values.text('config'),
    folder: values.text('dir') ?? 'contracts',
    against: values.text('against'),
    acceptedFile: values.text('accepted'),
    json: values.flag('json'),
  };
}
