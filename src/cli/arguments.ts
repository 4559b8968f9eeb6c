import type { AccessCommand } from './access-command.ts';
import { HELP } from './help.ts';
import { helpOf } from './help-topic.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { AdminTokenCommand } from './admin-token-command.ts';
import { adminOrigin } from './admin-client.ts';
import type { BenchCommand } from './bench-command.ts';
import { READERS } from './command-readers.ts';
import type { CanaryCommand } from './canary.ts';
import type { BundleCommand, ConfigCommand } from './config-orders.ts';
import { clientSource, type ClientSource } from './contract/client-source.ts';
import type { CheckContractsCommand, WriteContractsCommand } from './contract/contracts-command.ts';
import type { DevCommand } from './dev/dev-command.ts';
import type { DoctorCommand } from './doctor-command.ts';
import type { ExplainCommand } from './explain-command.ts';
import { IMPORT_FORMATS, type ImportCommand } from './import/formats.ts';
import { KEY_ACTIONS, keysCommand, nearestKeyAction, type KeysCommand } from './key-options.ts';
import type { LogLevelCommand } from './log-level.ts';
import { readOptions, UsageError, type OptionValues } from './options.ts';
import type { QuotaCommand } from './quota.ts';
import type { RecordCommand } from './record-command.ts';
import type { ProtoCommand } from './proto/proto-command.ts';
import type { ReplayCommand } from './replay-command.ts';
import type { RevokeCommand } from './revoke.ts';
import type { SimulateCommand } from './simulate-command.ts';
import { TARGET_COMMANDS, targetsCommand, type TargetsCommand } from './target-orders.ts';
import type { GenerateCommand, InitCommand } from './project/scaffold-command.ts';
import type { TiersCommand } from './tiers.ts';
import type { RoutesCommand, ValidateCommand } from './validate.ts';

export { HELP, UsageError };

/** What somebody asked the `gatehouse` bin to do. */
export type Command =
  | { readonly name: 'start'; readonly configFile: string | undefined }
  | ValidateCommand
  | RoutesCommand
  | AccessCommand
  | AdminTokenCommand
  | BenchCommand
  | ContractsCommand
  | CheckContractsCommand
  | WriteContractsCommand
  | CanaryCommand
  | ExplainCommand
  | DevCommand
  | DiffCommand
  | DoctorCommand
  | GenerateCommand
  | ImportCommand
  | InitCommand
  | ProtoCommand
  | RecordCommand
  | ReplayCommand
  | RevokeCommand
  | SimulateCommand
  | LogLevelCommand
  | QuotaCommand
  | TiersCommand
  | TargetsCommand
  | ConfigCommand
  | BundleCommand
  | KeysCommand
  | { readonly name: 'help'; readonly text: string }
  | { readonly name: 'version' };

/** Which two files are compared, and how the difference is shown. */
export interface DiffCommand {
  readonly name: 'diff';
  readonly files: readonly [before: string, after: string];
  readonly json: boolean;
}

/** What somebody wants to have of the contracts for clients. */
export type ContractsCommand =
  | {
      readonly name: 'openapi';
      readonly configFile: string | undefined;
      readonly outFile: string | undefined;
    }
  | {
      readonly name: 'client';
      readonly configFile: string | undefined;
      readonly outFile: string;
      /** The document it is made of; undefined: that of the configuration. */
      readonly from: ClientSource | undefined;
    };

const CONFIG = { config: { type: 'string', short: 'c' } } as const;
const OUT = { out: { type: 'string', short: 'o' } } as const;
const ALWAYS = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } } as const;

const CONFIGURED = ['start', 'validate', 'routes', 'openapi', 'client'] as const;
const COMMANDS = [
  ...CONFIGURED,
  ...KEY_ACTIONS.map((action) => `keys ${action}`),
  ...TARGET_COMMANDS,
  'access',
  'admin-token',
  'bench',
  'canary',
  'config',
  'contracts',
  'dev',
  'diff',
  'doctor',
  'explain',
  'generate',
  'import',
  'init',
  'log-level',
  'proto',
  'quota',
  'record',
  'replay',
  'revoke',
  'simulate',
  'support-bundle',
  'tiers',
];
const CANARY_ACTIONS = ['list', 'pause', 'resume', 'promote', 'abort'] as const;
const CANARY = { admin: { type: 'string' }, json: { type: 'boolean' } } as const;

const TS = {
  ts: { type: 'boolean' },
  from: { type: 'string' },
  header: { type: 'string', short: 'H', multiple: true },
} as const;
const JSON_OUT = { json: { type: 'boolean' } } as const;
const WIDE = { wide: { type: 'boolean' } } as const;
const TEAM = { team: { type: 'string' } } as const;
const IMPORT_OUT = { output: { type: 'string', short: 'o' } } as const;
const EVERY = { ...CONFIG, ...OUT, ...TS, ...JSON_OUT, ...WIDE, ...TEAM };
const OPTIONS: Readonly<Record<(typeof CONFIGURED)[number], Parameters<typeof readOptions>[1]>> = {
  start: CONFIG,
  validate: { ...CONFIG, ...JSON_OUT },
  routes: { ...CONFIG, ...JSON_OUT, ...WIDE, ...TEAM },
  openapi: { ...CONFIG, ...OUT },
  client: { ...CONFIG, ...OUT, ...TS },
};

/**
 * Reads the arguments of the bin.
 *
 * @param args without the runtime and the script.
 * @throws UsageError for an unknown command or option, with the nearest name, and for a missing value.
 */
export function parseArguments(args: readonly string[]): Command {
  const command = commandOf(args);
  if (command.name !== 'help') return command;
  return { name: 'help', text: helpOf(args[0] === 'help' ? args[1] : args[0]) };
}

function commandOf(args: readonly string[]): Command {
  if (args[0] === 'diff') return diffCommand(args.slice(1));
  if (args[0] === 'canary') return canaryCommand(args.slice(1));
  const own = args[0] !== undefined && Object.hasOwn(READERS, args[0]) ? READERS[args[0]] : undefined;
  if (own !== undefined) return own(args.slice(1)) ?? { name: 'help', text: HELP };
  if (args[0] === 'import') return importCommand(args.slice(1));
  if (TARGET_COMMANDS.some((one) => one === args[0]))
    return targetsCommand(args) ?? { name: 'help', text: HELP };
  if (args[0] === 'keys') {
    const command = keysCommand(args.slice(1));
    if (command !== undefined) return command === 'help' ? { name: 'help', text: HELP } : command;
    if (args[1]?.startsWith('-') !== true) throw new UsageError(unknownCommand(leadingWords(args)));
  }
  const words = leadingWords(args);
  const name = CONFIGURED.find((command) => command === words.slice(0, command.split(' ').length).join(' '));
  const rest = name === undefined ? args.slice(words.length) : args.slice(name.split(' ').length);
  const options = name === undefined ? EVERY : OPTIONS[name];
  const values = readOptions(rest, { ...options, ...ALWAYS });
  if (values.flag('help') || words[0] === 'help') return { name: 'help', text: HELP };
  if (name === undefined && words.length > 0) throw new UsageError(unknownCommand(words));
  if (values.flag('version')) return { name: 'version' };
  if (name === undefined)
    throw new UsageError(`expected a command first: ${COMMANDS.join(', ')} (see gatehouse --help)`);
  const configFile = values.text('config');
  if (name === 'routes') return { name, configFile, ...listed(values) };
  if (name === 'validate') return { name, configFile, json: values.flag('json') };
  if (name === 'openapi') return { name, configFile, outFile: values.text('out') };
  return name === 'client'
    ? { name, configFile, outFile: clientFile(values), from: clientSource(values) }
    : { name, configFile };
}

function listed(values: OptionValues): Omit<RoutesCommand, 'name' | 'configFile'> {
  return { wide: values.flag('wide'), json: values.flag('json'), team: values.text('team') };
}

// The one command that takes files as they are: both are equal, and people know it from other tools.
function diffCommand(args: readonly string[]): Command {
  const files = args.filter((argument) => !argument.startsWith('-'));
  const options = args.filter((argument) => argument.startsWith('-'));
  const values = readOptions(options, { ...JSON_OUT, ...ALWAYS });
  if (values.flag('help')) return { name: 'help', text: HELP };
  const [before, after, ...others] = files;
  if (before === undefined || after === undefined || others.length > 0)
    throw new UsageError('diff: expected two files, the old one and the new one');
  return { name: 'diff', files: [before, after], json: values.flag('json') };
}

function canaryCommand(args: readonly string[]): Command {
  const [given = 'list', route, ...others] = leadingWords(args);
  const count = leadingWords(args).length;
  const values = readOptions(args.slice(count), { ...CANARY, ...ALWAYS });
  if (values.flag('help')) return { name: 'help', text: HELP };
  const action = CANARY_ACTIONS.find((one) => one === given);
  if (action === undefined || others.length > 0) {
    const nearest = nearestName(given, CANARY_ACTIONS);
    const isRoute = route === undefined && nearest === undefined;
    const hint = isRoute ? `; did you mean "list ${given}"?` : nearest && `; did you mean "${nearest}"?`;
    throw new UsageError(`canary: expected one of ${CANARY_ACTIONS.join(', ')}, and a route${hint ?? ''}`);
  }
  if (action !== 'list' && route === undefined)
    throw new UsageError(`canary ${action}: expected the id of a route`);
  const admin = adminOrigin('canary', values.text('admin'));
  return { name: 'canary', action, route, admin, json: values.flag('json') };
}

function importCommand(args: readonly string[]): Command {
  const [format, file] = leadingWords(args);
  const count = [format, file].filter((word) => word !== undefined).length;
  const values = readOptions(args.slice(count), { ...IMPORT_OUT, ...ALWAYS });
  if (values.flag('help')) return { name: 'help', text: HELP };
  const known = IMPORT_FORMATS.find((one) => one === format);
  if (known === undefined)
    throw new UsageError(`import: expected ${IMPORT_FORMATS.join(' or ')}, and a file`);
  if (file === undefined) throw new UsageError(`import ${known}: expected a file`);
  return { name: 'import', format: known, file, outFile: values.text('output') };
}

function clientFile(values: OptionValues): string {
  const outFile = values.text('out');
  if (!values.flag('ts')) throw new UsageError('client: expected --ts, the language of the client');
  if (outFile === undefined) throw new UsageError('client: expected --out FILE');
  return outFile;
}

function leadingWords(args: readonly string[]): string[] {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  return end === -1 ? [...args] : args.slice(0, end);
}

function unknownCommand(words: readonly string[]): string {
  const given = words.slice(0, words[0] === 'keys' ? 2 : 1).join(' ');
  if (words[0] === 'keys') return `unknown command "${given}"; ${nearestKeyAction(words[1])}`;
  const nearest = nearestName(words.slice(0, 2).join(' '), COMMANDS) ?? nearestName(given, COMMANDS);
  const hint =
    nearest === undefined ? `expected one of ${COMMANDS.join(', ')}` : `did you mean "${nearest}"?`;
  return `unknown command "${given}"; ${hint}`;
}
