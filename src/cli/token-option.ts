import { UsageError } from './options.ts';

const OPTIONS: Readonly<Record<string, string>> = {
  '--token': 'ADMIN_TOKEN',
  '--token-file': 'ADMIN_TOKEN_FILE',
  '--ca-file': 'ADMIN_CA_FILE',
};
/** Commands that talk to the operators' listener of a gateway that runs. */
const TALKING: ReadonlySet<string | undefined> = new Set([
  'canary',
  'explain',
  'keys',
  'log-level',
  'quota',
  'record',
  'revoke',
  'tiers',
]);

/**
 * Takes `--token`, `--token-file` and `--ca-file` out of the arguments of a command that talks to a gateway: they say the same as variables
 * of the environment, which this returns.
 *
 * @throws UsageError for one without a value, and for two tokens.
 */
export function takeToken(args: readonly string[]): {
  readonly rest: readonly string[];
  readonly shown: Readonly<Record<string, string>>;
} {
  if (!TALKING.has(args[0])) return { rest: args, shown: {} };
  const rest: string[] = [];
  const shown: Record<string, string> = {};
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] as string;
    const [name = '', inline] = argument.split(/=(.*)/s);
    const variable = OPTIONS[name];
    if (variable === undefined) rest.push(argument);
    else {
      const value = inline ?? args[(at += 1)];
      if (!value || (inline === undefined && value.startsWith('-')))
        throw new UsageError(`${name}: expected a value`);
      shown[variable] = value;
    }
  }
  if (shown['ADMIN_TOKEN'] !== undefined && shown['ADMIN_TOKEN_FILE'] !== undefined)
    throw new UsageError('expected --token or --token-file, but not both');
  // What is said on the command line holds over what is around it.
  if (shown['ADMIN_TOKEN_FILE'] !== undefined) shown['ADMIN_TOKEN'] = '';
  return { rest, shown };
}
