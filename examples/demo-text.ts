import type { styleText } from 'node:util';

/** What the demo has to say. */
export interface DemoFacts {
  readonly gateway: string;
  /** Another replica, where Redis is there to share by. */
  readonly second: string | undefined;
  readonly admin: string;
  readonly control: string;
  readonly services: readonly string[];
  /** Where one header field per caller is kept: `admin`, `user`, `guest` and `key`. */
  readonly folder: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly apiKey: string;
  readonly paint: typeof styleText;
}

interface Step {
  readonly shows: string;
  readonly command: string;
}

function steps({ gateway, admin, control, folder }: DemoFacts): Step[] {
  const as = (who: string) => `-H @${folder}/${who}`;
  const json = `-H 'content-type: application/json'`;
  return [
    {
      shows: 'A route from YAML: JWT, role, limit, load balancing (see x-served-by), and `internal` masked.',
      command: `curl -i ${as('user')} ${gateway}/api/v2/users/2`,
    },
    { shows: 'No credentials: 401 as problem+json.', command: `curl -i ${gateway}/api/v2/users/2` },
    { shows: 'A guest lacks the role: 403.', command: `curl -i ${as('guest')} ${gateway}/api/v2/users/2` },
    {
      shows: 'The same route with an API key instead of a token.',
      command: `curl -i ${as('key')} ${gateway}/api/v2/users/1`,
    },
    {
      shows: 'Five requests in ten seconds pass, then 429 with Retry-After.',
      command: `curl -s -o /dev/null -D - '${gateway}/api/v2/feed?first=[1-7]' | grep -iE '^(HTTP|Retry-After)'`,
    },
    {
      shows: 'REST in front of gRPC: the orders of the user.',
      command: `curl -s ${as('user')} '${gateway}/api/v1/orders?pageSize=2'`,
    },
    {
      shows: 'A new order: JSON in, gRPC behind, 201 with Location.',
      command: `curl -i ${as('user')} ${json} -d '{"items":[{"sku":"BOOK-1","quantity":2}]}' ${gateway}/api/v1/orders`,
    },
    {
      shows: 'One page from three services, over REST.',
      command: `curl -s ${as('user')} ${gateway}/api/homepage`,
    },
    {
      shows: 'The same page over GraphQL; only the two sections that are asked for are called.',
      command: `curl -s ${as('user')} ${json} -d '{"query":"{ homepage { user { name } notifications { unread } } }"}' ${gateway}/graphql`,
    },
    {
      shows: 'A dead service costs the page one section, and says so. (Bring it back with "mode":"none".)',
      command: `curl -s -o /dev/null -X PUT ${json} -d '{"mode":"dead"}' ${control}/services/feed/fault && curl -s ${as('user')} '${gateway}/api/homepage?fields=feed'`,
    },
    { shows: 'What operators see.', command: `curl -s ${admin}/metrics` },
  ];
}

/** Renders the introduction of the demo. */
export function demoText(facts: DemoFacts): string {
  const { gateway, second, admin, services, tokens, apiKey, paint } = facts;
  const commands = steps(facts).map(
    ({ shows, command }, index) => `${paint('dim', `# ${index + 1}. ${shows}`)}\n${command}\n`,
  );
  const callers = Object.entries(tokens).map(([user, token]) => `${paint('bold', user)}\n${token}\n`);
  return [
    `${paint('bold', 'Gatehouse')} is at ${paint('cyan', gateway)}, its admin listener at ${paint('cyan', admin)}.`,
    'Behind it:',
    ...services.map((one) => `  ${one}`),
    '',
    'To open in a browser:',
    '',
    `${paint('cyan', `${gateway}/`)}  what there is to see`,
    `${paint('cyan', `${gateway}/demo/homepage.html`)}  the homepage over REST and GraphQL, with switches for its services`,
    `${paint('cyan', `${gateway}/demo/login.html`)}  log in at the sample provider, call, log out, without a token in the page`,
    ...(second === undefined
      ? []
      : [
          `${paint('cyan', `${second}/demo/login.html`)}  the same at another replica, with the same session`,
        ]),
    `${paint('cyan', `${gateway}/graphql`)}  GraphiQL`,
    `${paint('cyan', `${gateway}/docs`)}  all routes`,
    `${paint('cyan', `${admin}/`)}  what operators see`,
    '',
    'Tokens, valid for 15 minutes:',
    '',
    ...callers,
    paint('bold', 'API key'),
    apiKey,
    '',
    'Things to try; each works as it stands:',
    '',
    ...commands,
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}
