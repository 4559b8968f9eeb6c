import type { styleText } from 'node:util';
import type { Step } from './demo-steps.ts';

/** What the demo has to say in a terminal. */
export interface DemoFacts {
  readonly gateway: string;
  readonly admin: string;
  /** Another replica, where Redis is there to share by. */
  readonly second: { readonly gateway: string; readonly admin: string } | undefined;
  readonly folder: string;
  readonly steps: readonly Step[];
  readonly traffic: boolean;
  readonly paint: typeof styleText;
}

/** The last line of the introduction. */
const END = 'Ctrl-C stops everything.';

/** Renders the introduction of the demo: one screen of 100 columns, without a credential. */
export function demoText(facts: DemoFacts): string {
  const { paint, steps, traffic, folder } = facts;
  const commands = steps
    .filter(({ isBrief }) => isBrief)
    .flatMap(({ shows, command }, index) => [paint('dim', `# ${index + 1}. ${shows}`), command]);
  return [
    `${paint('bold', 'Gatehouse is running.')} Start here: ${paint(['bold', 'cyan'], `${facts.gateway}/`)}`,
    '',
    ...addresses(facts),
    '',
    `Header fields of callers are files in ${folder}: admin, user, guest, key.`,
    traffic
      ? 'Sample traffic flows, two requests a second; the start page stops it, --no-traffic leaves it out.'
      : 'No sample traffic flows; the start page starts it.',
    '',
    ...commands,
    '',
    `The start page has more of them. ${END}`,
    '',
  ].join('\n');
}

/** All that `--quiet` prints. */
export function quietText({ gateway }: Pick<DemoFacts, 'gateway'>): string {
  return `${gateway}/\n`;
}

function addresses({ gateway, admin, second, paint }: DemoFacts): string[] {
  const rows: [string, string, string][] = [
    ['GraphiQL', `${gateway}/demo/graphiql`, 'signed in as Bob, with a query that runs'],
    ['Homepage', `${gateway}/demo/homepage.html`, 'one page over REST and GraphQL'],
    ['Log-in', `${gateway}/demo/login.html`, 'a page that calls without a token'],
    ['API', `${gateway}/docs`, 'all routes; log in as Bob and try them'],
    ['Console', `${admin}/`, 'what operators see'],
  ];
  if (second !== undefined) {
    rows.push(['Replica', `${second.gateway}/`, 'the same limits and sessions, by Redis']);
    rows.push(['', `${second.admin}/`, 'its console']);
  }
  const width = Math.max(...rows.map(([, address]) => address.length));
  return rows.map(
    ([name, address, about]) =>
      `  ${name.padEnd(10)}${paint('cyan', address)}${' '.repeat(width - address.length)}  ${paint('dim', about)}`,
  );
}
