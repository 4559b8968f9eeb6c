import { parseArgs } from 'node:util';

/** What somebody wants of the demo. */
export interface DemoOptions {
  /** Sends sample requests. */
  readonly traffic: boolean;
  /** Prints the address of the start page and nothing else. */
  readonly quiet: boolean;
  readonly help: boolean;
}

/** What `--help` prints. */
export const DEMO_HELP = `Runs the gateway in front of sample services until Ctrl-C.

  npm run demo                    prints addresses, and commands to paste
  npm run demo -- --quiet         prints the address of the start page only
  npm run demo -- --no-traffic    sends no sample requests; the start page can switch them on

Environment:
  PORT, ADMIN_PORT   ports of the gateway: 8080 and 9080
  PORTS=free         free ports for all that has none named
  HOST               where clients may come from: 127.0.0.1, this machine only
  REDIS_URL          sessions and limits in Redis, and a second gateway that shares them
  LOG_LEVEL=info     a line for each exchange
`;

/** @throws {Error} in one line that names what is not known. */
export function readDemoOptions(args: readonly string[]): DemoOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      allowNegative: true,
      options: {
        traffic: { type: 'boolean', default: true },
        quiet: { type: 'boolean', short: 'q', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    const [reason = ''] = (error as Error).message.split(/[.\n] ?/, 1);
    throw new Error(`${reason}; there are --quiet, --no-traffic and --help`, { cause: error });
  }
}
