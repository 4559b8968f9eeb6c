import { readOptions, UsageError } from './options.ts';

/** What somebody wants to have explained, and how it is shown. */
export interface ExplainCommand {
  readonly name: 'explain';
  readonly configFile: string | undefined;
  readonly request: string;
  readonly headers: readonly string[];
  /** Files with who calls, as JSON, and with the body. */
  readonly asFile: string | undefined;
  readonly bodyFile: string | undefined;
  readonly from: string | undefined;
  /** The operators' listener of a running gateway; undefined: the configuration file alone. */
  readonly adminUrl: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  header: { type: 'string', short: 'H', multiple: true },
  as: { type: 'string' },
  body: { type: 'string' },
  from: { type: 'string' },
  admin: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments behind `gatehouse explain`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function explainCommand(args: readonly string[]): ExplainCommand | undefined {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  const words = end < 0 ? args : args.slice(0, end);
  const values = readOptions(args.slice(words.length), OPTIONS);
  if (values.flag('help')) return undefined;
  if (words.length === 0)
    throw new UsageError("explain: expected a request first, such as 'GET /api/v2/users/7'");
  const adminUrl = values.text('admin');
  if (adminUrl !== undefined && !/^https?:\/\/[^/]/.test(adminUrl))
    throw new UsageError(`--admin: expected where the operators' listener is, such as http://127.0.0.1:9080`);
  if (adminUrl !== undefined && values.flag('config'))
    throw new UsageError('expected --admin or --config, not both: a running gateway has its configuration');
  return {
    name: 'explain',
    configFile: values.text('config'),
    request: words.join(' '),
    headers: values.list('header'),
    asFile: values.text('as'),
    bodyFile: values.text('body'),
    from: values.text('from'),
    adminUrl,
    json: values.flag('json'),
  };
}
