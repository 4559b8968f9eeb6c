import { parseArgs } from 'node:util';
import { chooseLoadTool, type LoadTool } from '../load.ts';
import { positive } from '../options.ts';
import { PEERS_CASES, type PeersCase } from './cases.ts';
import { SERVERS } from './servers.ts';

const USAGE = `npm run bench:peers -- [options]

  --quick            3 rounds of 1 s instead of 6 of 3 s
  --rounds N         number of rounds
  --seconds S        length of a round
  --only CASE        run this case; may be repeated
  --against SERVER   measure only against this one; may be repeated
  --no-install       take only what is there
  --load TOOL        wrk or autocannon; default wrk if it is installed
  --json FILE        write all rounds to a file as well

Cases: ${PEERS_CASES.map(({ name }) => name).join(', ')}
Servers: ${Object.keys(SERVERS).join(', ')}`;

/** What the command line asks for. */
export interface PeersOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** With those entrants only that are wanted. */
  readonly cases: readonly PeersCase[];
  readonly install: boolean;
  readonly loadTool: LoadTool;
  readonly jsonFile: string | undefined;
}

/** Reads the command line; prints the usage and ends the process when asked to, or when it makes no sense. */
export function readPeersOptions(args: string[]): PeersOptions {
  try {
    const options = parsePeersOptions(args);
    if (options !== undefined) return options;
    console.log(USAGE);
    process.exit(0);
  } catch (error) {
    console.error(`bench:peers: ${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/**
 * Reads the command line; undefined when it asks for help.
 *
 * @throws {Error} naming the option that makes no sense.
 */
export function parsePeersOptions(args: string[]): PeersOptions | undefined {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      against: { type: 'string', multiple: true, default: [] },
      install: { type: 'boolean', default: true },
      load: { type: 'string' },
      json: { type: 'string' },
    },
  });
  if (values.help) return undefined;
  const { quick, load } = values;
  if (load !== undefined && load !== 'wrk' && load !== 'autocannon') {
    throw new Error(`--load: expected wrk or autocannon, given ${load}`);
  }
  return {
    // An even number, because every other turn goes backwards.
    rounds: positive('--rounds', values.rounds) ?? (quick ? 3 : 6),
    seconds: positive('--seconds', values.seconds) ?? (quick ? 1 : 3),
    warmUpSeconds: quick ? 2 : 4,
    cases: casesOf(values.only, values.against),
    install: values.install,
    loadTool: load ?? chooseLoadTool(),
    jsonFile: values.json,
  };
}

function casesOf(only: readonly string[], against: readonly string[]): readonly PeersCase[] {
  expectKnown(
    '--only: there is no case',
    only,
    PEERS_CASES.map(({ name }) => name),
  );
  expectKnown('--against: there is no server', against, Object.keys(SERVERS));
  const wanted = PEERS_CASES.filter(({ name }) => only.length === 0 || only.includes(name));
  if (against.length === 0) return wanted;
  return wanted
    .map((one) => ({ ...one, against: one.against.filter(({ server }) => against.includes(server)) }))
    .filter((one) => one.against.length > 0);
}

function expectKnown(message: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${message} ${unknown}`);
}
