import { nearestName } from '../../config/nearest-name.ts';
import { readOptions, UsageError } from '../options.ts';

/** What can be written into a project. */
export const PARTS = ['module', 'view', 'policy'] as const;

/** What somebody wants to begin a project with. */
export interface InitCommand {
  readonly name: 'init';
  readonly directory: string;
  /** Default: that of the directory. */
  readonly project: string | undefined;
  /** How the project depends on gatehouse. Default: by the version that runs. */
  readonly package: string | undefined;
}

/** What somebody wants to have written into a project. */
export interface GenerateCommand {
  readonly name: 'generate';
  readonly part: (typeof PARTS)[number];
  readonly as: string;
  /** Where its folder goes. */
  readonly directory: string;
}

const HELP = { help: { type: 'boolean', short: 'h' } } as const;
const INIT = { name: { type: 'string' }, package: { type: 'string' }, ...HELP } as const;
const GENERATE = { dir: { type: 'string' }, ...HELP } as const;

/** Reads `init DIRECTORY`. @returns undefined for help. @throws UsageError */
export function initCommand(args: readonly string[]): InitCommand | undefined {
  const { words, rest } = leading(args);
  const values = readOptions(rest, INIT);
  if (values.flag('help')) return undefined;
  const [directory, ...others] = words;
  if (directory === undefined || others.length > 0) throw new UsageError('init: expected one directory');
  return { name: 'init', directory, project: values.text('name'), package: values.text('package') };
}

/** Reads `generate module|view|policy NAME`. @returns undefined for help. @throws UsageError */
export function generateCommand(args: readonly string[]): GenerateCommand | undefined {
  const { words, rest } = leading(args);
  const values = readOptions(rest, GENERATE);
  if (values.flag('help')) return undefined;
  const [given = '', as, ...others] = words;
  const part = PARTS.find((one) => one === given);
  if (part === undefined) {
    const nearest = nearestName(given, PARTS);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new UsageError(`generate: expected one of ${PARTS.join(', ')}, and a name${hint}`);
  }
  if (as === undefined || others.length > 0) throw new UsageError(`generate ${part}: expected one name`);
  return { name: 'generate', part, as, directory: values.text('dir') ?? 'src' };
}

function leading(args: readonly string[]): { readonly words: string[]; readonly rest: string[] } {
  const end = args.findIndex((argument) => argument.startsWith('-'));
  const count = end === -1 ? args.length : end;
  return { words: args.slice(0, count), rest: args.slice(count) };
}
