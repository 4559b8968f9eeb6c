import { readOptions, UsageError } from './options.ts';

/** Which tests are run, of which configuration, and how that is shown. */
export interface SimulateCommand {
  readonly name: 'simulate';
  readonly files: readonly string[];
  readonly configFile: string | undefined;
  readonly json: boolean;
  /** Where results are written as JUnit's XML. */
  readonly junitFile: string | undefined;
  /** Whether a route without a test is a failure. */
  readonly failOnUntested: boolean;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  json: { type: 'boolean' },
  junit: { type: 'string' },
  'fail-on-untested': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments behind `gatehouse simulate`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function simulateCommand(args: readonly string[]): SimulateCommand | undefined {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  const files = end < 0 ? args : args.slice(0, end);
  const values = readOptions(args.slice(files.length), OPTIONS);
  if (values.flag('help')) return undefined;
  if (files.length === 0)
    throw new UsageError('simulate: expected files of route tests first, such as tests/*.yaml');
  return {
    name: 'simulate',
    files,
    configFile: values.text('config'),
    json: values.flag('json'),
    junitFile: values.text('junit'),
    failOnUntested: values.flag('fail-on-untested'),
  };
}
