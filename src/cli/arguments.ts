import type { AccessCommand } from './access-command.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { AdminTokenCommand } from './admin-token-command.ts';
import { adminOrigin } from './admin-client.ts';
import type { BenchCommand } from './bench-command.ts';
import { READERS } from './command-readers.ts';
import type { CanaryCommand } from './canary.ts';
import type { DoctorCommand } from './doctor-command.ts';
import type { ExplainCommand } from './explain-command.ts';
import { IMPORT_FORMATS, type ImportCommand } from './import/formats.ts';
import { KEY_ACTIONS, keysCommand, nearestKeyAction, type KeysCommand } from './key-options.ts';
import type { LogLevelCommand } from './log-level.ts';
import { readOptions, UsageError, type OptionValues } from './options.ts';
import type { QuotaCommand } from './quota.ts';
import type { RecordCommand } from './record-command.ts';
import type { ReplayCommand } from './replay-command.ts';
import type { RevokeCommand } from './revoke.ts';
import type { SimulateCommand } from './simulate-command.ts';
import type { TiersCommand } from './tiers.ts';

export { UsageError };

/** What somebody asked the `gatehouse` bin to do. */
export type Command =
  | { readonly name: 'start' | 'validate' | 'routes'; readonly configFile: string | undefined }
  | AccessCommand
  | AdminTokenCommand
  | BenchCommand
  | ContractsCommand
  | CanaryCommand
  | ExplainCommand
  | DiffCommand
  | DoctorCommand
  | ImportCommand
  | RecordCommand
  | ReplayCommand
  | RevokeCommand
  | SimulateCommand
  | LogLevelCommand
  | QuotaCommand
  | TiersCommand
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
  | { readonly name: 'client'; readonly configFile: string | undefined; readonly outFile: string };

const CONFIG = { config: { type: 'string', short: 'c' } } as const;
const OUT = { out: { type: 'string', short: 'o' } } as const;
const ALWAYS = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } } as const;

const CONFIGURED = ['start', 'validate', 'routes', 'openapi', 'client'] as const;
const COMMANDS = [
  ...CONFIGURED,
  ...KEY_ACTIONS.map((action) => `keys ${action}`),
  'access',
  'admin-token',
  'bench',
  'canary',
  'diff',
  'doctor',
  'explain',
  'import',
  'log-level',
  'quota',
  'record',
  'replay',
  'revoke',
  'simulate',
  'tiers',
];
const CANARY_ACTIONS = ['list', 'pause', 'resume', 'promote', 'abort'] as const;
const CANARY = { admin: { type: 'string' }, json: { type: 'boolean' } } as const;

const TS = { ts: { type: 'boolean' } } as const;
const JSON_OUT = { json: { type: 'boolean' } } as const;
const IMPORT_OUT = { output: { type: 'string', short: 'o' } } as const;
const EVERY = { ...CONFIG, ...OUT, ...TS, ...JSON_OUT };
const OPTIONS: Readonly<Record<(typeof CONFIGURED)[number], Parameters<typeof readOptions>[1]>> = {
  start: CONFIG,
  validate: CONFIG,
  routes: CONFIG,
  openapi: { ...CONFIG, ...OUT },
  client: { ...CONFIG, ...OUT, ...TS },
};

/** The help of the bin. */
export const HELP = `gatehouse: an API gateway and backend-for-frontend

Usage
  gatehouse start    [--config FILE]    start the gateway
  gatehouse validate [--config FILE]    list every fault of a configuration; exits with 1 if there is one
  gatehouse routes   [--config FILE]    print the compiled route table of both doors
  gatehouse access   [--as FILE] [--json] [--config FILE]
                                        print which routes a caller may call and what keeps it out of the others, by
                                        path and method; without --as for who does not say who it is
  gatehouse admin-token --name NAME --role read|operate|admin [--expires 90d|TIME] [--add FILE] [--out FILE]
                                        make a token for the operators' listener: print it, or write it to --out; and
                                        print its line for the file of ADMIN_TOKENS_FILE, or add that to --add
  gatehouse bench ROUTE [--method GET] [--path PATH] [-H 'Name: value']... [--body FILE] [--real] [--json]
                  [--rounds 5] [--round-time 2s] [--connections 32] [--config FILE]
                                        measure what a route costs beside a bare pipe, and what each of its policies does;
                                        a server of this machine stands in for its upstream, unless --real
  gatehouse canary [list [ROUTE]] [--json] [--admin URL]
  gatehouse canary pause|resume|promote|abort ROUTE [--admin URL]
                                        show the rollouts of a gateway that runs, or act on one
  gatehouse diff OLD NEW [--json]       say what changes in meaning between two configurations; exits with 0 if
                                        nothing does, with 1 if something does, with 2 if one of them is faulty
  gatehouse doctor [--json] [--timeout 5s] [--config FILE]
                                        look at what the gateway needs around it: secrets, certificates, ports, Redis,
                                        issuers, registries, targets, clocks; say what to mend; exits with 1 if
                                        something fails
  gatehouse explain 'GET /path' [-H 'Name: value']... [--as FILE] [--body FILE] [--from IP] [--json]
                    [--config FILE | --admin URL]
                                        say which route takes a request and why others do not, what its policies go by,
                                        which target is asked, and what is sent on, without sending anything; of the
                                        configuration file, or with --admin of the gateway that runs there
  gatehouse import kong|openapi FILE [--output OUT]
                                        print a configuration made of a declarative one of Kong, or of an OpenAPI file,
                                        or write it; what has no equivalent is told on standard error
  gatehouse openapi  [--config FILE] [--out FILE]
                                        print the OpenAPI document of all routes, or write it
  gatehouse client --ts --out FILE [--config FILE]
                                        write a typed client in one file of TypeScript
  gatehouse log-level [LEVEL [--for 10m] | --reset] [--json] [--admin URL]
                                        show the level of the log of a gateway that runs, or have it another one for a while,
                                        by default for 10m, in all its workers
  gatehouse quota [--subject SUBJECT] [--tier TIER] [--json] [--admin URL]
  gatehouse quota --list NAME [--route ID] [--subject PART] [--tier TIER] [--sort used] [--limit N] [--cursor CURSOR]
                                        [--json] [--admin URL]
  gatehouse quota --subject SUBJECT --reset [--quota NAME] [--reason TEXT] [--admin URL]
                                        show the quotas of a gateway that runs, or what somebody has used of them, or have it
                                        begin anew; the log and the audit name subjects
  gatehouse record --out FILE [--for 1m] [--rate 10%] [--max N] [--per-route N] [--bytes 16MiB] [--bodies 4KiB]
                   [--admin URL]        write a sample of what the gateway that runs there serves, without secrets
  gatehouse replay OLD NEW SAMPLE [--json] [--fail-on-change]
                                        say which requests of a sample two configurations treat differently: route,
                                        decision, upstream, or what is sent on; nothing is sent; exits with 2 if a
                                        file is faulty, with --fail-on-change with 1 if something changes
  gatehouse revoke --jti ID | --sid ID [--issuer URL] [--expires TIME] | --sub SUBJECT [--issuer URL] [--before TIME]
                   [--reason TEXT] [--json] [--admin URL]
                                        revoke a token, a session, or what a subject was issued before a time, by default
                                        now, at all replicas of the gateway that runs there
  gatehouse revoke --undo --jti ID | --sid ID [--issuer URL] | --sub SUBJECT [--issuer URL] [--reason TEXT] [--json] [--admin URL]
                                        take a revocation back
  gatehouse simulate TESTS... [--json] [--junit FILE] [--fail-on-untested] [--config FILE]
                                        run route tests: who asks for what, what upstreams answer, and what has to come of
                                        it; nothing leaves this machine; exits with 0 if all pass, with 1 if some fail, with
                                        2 if a file is faulty
  gatehouse tiers [list] [--json] [--admin URL]
  gatehouse tiers subjects [--subject SUBJECT] [--tier TIER] [--limit N] [--json] [--admin URL]
  gatehouse tiers set TIER --rate 600/1m[:60]|--off [--create] [--reason TEXT] [--admin URL]
  gatehouse tiers reset TIER [--reason TEXT] [--admin URL]
  gatehouse tiers assign SUBJECT TIER [--reason TEXT] [--admin URL]
  gatehouse tiers override SUBJECT --rate 600/1m[:60]|--off [--reason TEXT] [--admin URL]
  gatehouse tiers clear SUBJECT [--reason TEXT] [--admin URL]
                                        show the tiers of a gateway that runs, or who is of which; give a tier other numbers
                                        until it is reset to those of the file; give a tenant, a key or a principal (such as
                                        tenant:acme or key:ID) a tier or a limit of its own, or take both away
  gatehouse keys create --client ID [--role ROLE]... [--permission PERMISSION]... [--scope SCOPE]... [--tier TIER]
                   [--tenant TENANT] [--expires 90d|TIME] [--address CIDR]... [--rate 600/1m:60] [--prefix TEXT]
                   [--admin URL]        make an API key; by the gateway at --admin, else stored when REDIS_URL is set, else
                                        printed as YAML
  gatehouse keys list [--client ID] [--limit N] [--json] [--admin URL]
  gatehouse keys show ID [--json] [--admin URL]
  gatehouse keys update ID [--enable|--disable] [what create takes] [--admin URL]
  gatehouse keys rotate ID [--overlap 1d] [--expires 90d|TIME] [--json] [--admin URL]
  gatehouse keys revoke ID|KEY... [--reason TEXT] [--json] [--admin URL]
                                        show the API keys of a gateway that runs, change one, put a new one in its place while
                                        the old one goes on for a while, or revoke some at once, at all replicas

Options
  -c, --config FILE    configuration file; default GATEHOUSE_CONFIG, else config/gateway.yaml
      --admin URL      operators' listener of the gateway; default ADMIN_HOST and ADMIN_PORT
      --token TOKEN    what it is shown, for whatever takes --admin; default ADMIN_TOKEN. Others on this machine may see it
      --token-file FILE  the same in a file; default ADMIN_TOKEN_FILE
  -o, --out FILE       file to write; import has --output
  -h, --help           print this
  -v, --version        print the version

Environment: PORT, HOST, ADMIN_PORT, ADMIN_HOST, ADMIN_TOKENS_FILE, ADMIN_CERT_FILE, ADMIN_KEY_FILE, ADMIN_CLIENT_CA_FILE,
ADMIN_HOSTS, ADMIN_TOKEN, ADMIN_TOKEN_FILE, WORKERS, REDIS_URL, REDIS_PASSWORD_FILE, REDIS_CA_FILE, REDIS_CERT_FILE,
REDIS_KEY_FILE, REDIS_SERVER_NAME, REDIS_SENTINEL_USERNAME, REDIS_SENTINEL_PASSWORD_FILE, REDIS_TIMEOUT, LOG_LEVEL,
GATEHOUSE_CONFIG, GATEHOUSE_WATCH, ANSWER_HEADS, METRICS_MAX_SERIES, FAULT_INJECTION, NODE_ENV, DRAIN_DELAY, SHUTDOWN_TIMEOUT,
WORKER_TIMEOUT. Each has a default, or may be unset.`;

/**
 * Reads the arguments of the bin.
 *
 * @param args without the runtime and the script.
 * @throws UsageError for an unknown command or option, with the nearest name, and for a missing value.
 */
export function parseArguments(args: readonly string[]): Command {
  if (args[0] === 'diff') return diffCommand(args.slice(1));
  if (args[0] === 'canary') return canaryCommand(args.slice(1));
  const own = args[0] !== undefined && Object.hasOwn(READERS, args[0]) ? READERS[args[0]] : undefined;
  if (own !== undefined) return own(args.slice(1)) ?? { name: 'help', text: HELP };
  if (args[0] === 'import') return importCommand(args.slice(1));
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
  if (name === 'openapi') return { name, configFile, outFile: values.text('out') };
  return name === 'client' ? { name, configFile, outFile: clientFile(values) } : { name, configFile };
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
