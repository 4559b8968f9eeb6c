import { adminOrigin } from './admin-client.ts';
import { readOptions, UsageError } from './options.ts';

/** What is recorded, and into which file. */
export interface RecordCommand {
  readonly name: 'record';
  readonly outFile: string;
  /** Default: as the environment says. */
  readonly admin: string | undefined;
  /** As the operators' listener takes it. */
  readonly order: Readonly<Record<string, string | number>>;
}

const OPTIONS = {
  out: { type: 'string', short: 'o' },
  for: { type: 'string' },
  rate: { type: 'string' },
  max: { type: 'string' },
  'per-route': { type: 'string' },
  bytes: { type: 'string' },
  bodies: { type: 'string' },
  answers: { type: 'string' },
  admin: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const TEXTS = ['for', 'rate', 'bytes', 'bodies', 'answers'] as const;

/**
 * Reads the arguments behind `gatehouse record`.
 *
 * @returns undefined when somebody asks for help.
 * @throws UsageError for what makes no sense; what is wrong with the order, the gateway says.
 */
export function recordCommand(args: readonly string[]): RecordCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  const outFile = values.text('out');
  if (outFile === undefined) throw new UsageError('record: expected --out FILE, such as --out sample.ndjson');
  const number = (name: string): number | undefined => {
    const text = values.text(name);
    if (text === undefined) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`record: expected a number behind --${name}`);
    return Number(text);
  };
  const given = [
    ...TEXTS.map((name) => [name, values.text(name)] as const),
    ['max', number('max')] as const,
    ['perRoute', number('per-route')] as const,
  ];
  const order = Object.fromEntries(
    given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return { name: 'record', outFile, admin: adminOrigin('record', values.text('admin')), order };
}
