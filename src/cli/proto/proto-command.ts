import { nearestName } from '../../config/nearest-name.ts';
import { readOptions, UsageError } from '../options.ts';

/** Schemas of which code and descriptor sets are wanted. */
export interface ProtoCommand {
  readonly name: 'proto';
  /** The folder of the schemas. */
  readonly folder: string;
  /** Where code goes; undefined for none. */
  readonly code: string | undefined;
  /** Where descriptor sets go. Default: where the gateway looks for them. */
  readonly descriptors: string | undefined;
  /** Whether nothing is written, and what is stale is a fault. */
  readonly isCheck: boolean;
}

const OPTIONS = {
  out: { type: 'string', short: 'o' },
  'no-code': { type: 'boolean' },
  descriptors: { type: 'string' },
  check: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const FOLDER = 'proto';
const CODE = 'src/gen';

/** Reads `proto generate [FOLDER]`. @returns undefined for help. @throws UsageError for what makes no sense. */
export function protoCommand(args: readonly string[]): ProtoCommand | undefined {
  const end = args.findIndex((one) => one.startsWith('-'));
  const [verb, folder = FOLDER, ...others] = args.slice(0, end === -1 ? args.length : end);
  const values = readOptions(end === -1 ? [] : args.slice(end), OPTIONS);
  if (values.flag('help')) return undefined;
  if (verb !== 'generate') {
    const near = verb !== undefined && nearestName(verb, ['generate']) !== undefined;
    throw new UsageError(`proto: expected \`generate\`${near ? `, found ${verb}` : ''}`);
  }
  if (others.length > 0) throw new UsageError('proto generate: expected one folder');
  if (values.flag('no-code') && values.text('out') !== undefined)
    throw new UsageError('proto generate: expected --out or --no-code, not both');
  return {
    name: 'proto',
    folder,
    code: values.flag('no-code') ? undefined : (values.text('out') ?? CODE),
    descriptors: values.text('descriptors'),
    isCheck: values.flag('check'),
  };
}
