import { readOptions, UsageError } from '../options.ts';

/** How a gateway is developed. */
export interface DevCommand {
  readonly name: 'dev';
  readonly configFile: string | undefined;
  readonly modules: readonly string[];
  /** Upstreams that are faked, and the file that each is made of; undefined for what is found by its name. */
  readonly fakes: readonly FakeOrder[];
  /** Whether upstreams that nobody listens for are faked. */
  readonly fakesMissing: boolean;
  /** Files and folders besides that make it restart. */
  readonly watched: readonly string[];
  /** The folder of schemas that code and descriptor sets are generated of. */
  readonly proto: string | undefined;
}

/** An upstream that is to be faked. */
export interface FakeOrder {
  readonly name: string;
  readonly file: string | undefined;
}

const OPTIONS = {
  config: { type: 'string', short: 'c' },
  modules: { type: 'string' },
  fake: { type: 'string' },
  'fake-missing': { type: 'boolean' },
  watch: { type: 'string' },
  proto: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the arguments behind `gatehouse dev`. @returns undefined for help. @throws UsageError for what makes no sense. */
export function devCommand(args: readonly string[]): DevCommand | undefined {
  const values = readOptions(args, OPTIONS);
  if (values.flag('help')) return undefined;
  const fakes = values.list('fake').map(fakeOrder);
  const twice = fakes.find(({ name }, at) => fakes.findIndex((one) => one.name === name) !== at);
  if (twice !== undefined) throw new UsageError(`dev: --fake ${twice.name} is said twice`);
  return {
    name: 'dev',
    configFile: values.text('config'),
    modules: values.list('modules'),
    fakes,
    fakesMissing: values.flag('fake-missing'),
    watched: values.list('watch'),
    proto: values.text('proto'),
  };
}

function fakeOrder(text: string): FakeOrder {
  const [, name, file] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === undefined || file === '')
    throw new UsageError(
      `dev: expected --fake NAME or --fake NAME=FILE, such as --fake users=openapi/users.yaml, found "${text}"`,
    );
  return { name, file };
}
