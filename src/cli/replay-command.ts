import { readOptions, UsageError } from './options.ts';

/** Which configurations are compared, by which sample, and how the difference is shown. */
export interface ReplayCommand {
  readonly name: 'replay';
  readonly files: readonly [old: string, now: string];
  readonly sample: string;
  readonly json: boolean;
  /** Whether a change is a failure. */
  readonly failOnChange: boolean;
}

const OPTIONS = {
  json: { type: 'boolean' },
  'fail-on-change': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments behind `gatehouse replay`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense.
 */
export function replayCommand(args: readonly string[]): ReplayCommand | undefined {
  const files = args.filter((argument) => !argument.startsWith('-'));
  const values = readOptions(
    args.filter((argument) => argument.startsWith('-')),
    OPTIONS,
  );
  if (values.flag('help')) return undefined;
  const [old, now, sample, ...others] = files;
  if (old === undefined || now === undefined || sample === undefined || others.length > 0)
    throw new UsageError(
      'replay: expected the old configuration, the new one, and a sample of gatehouse record',
    );
  return {
    name: 'replay',
    files: [old, now],
    sample,
    json: values.flag('json'),
    failOnChange: values.flag('fail-on-change'),
  };
}
