/** What commands of the demo need to know. */
export interface StepFacts {
  readonly gateway: string;
  readonly admin: string;
  readonly control: string;
  /** Where one header field per caller is kept: `admin`, `user`, `guest` and `key`. */
  readonly folder: string;
}

/** A command to paste, and what it shows. */
export interface Step {
  readonly shows: string;
  readonly command: string;
  /** Whether the terminal has it too; the page has all. */
  readonly isBrief?: true;
}

/** All commands of the demo, in the order in which they make sense. Each works as it stands. */
export function stepsOf({ gateway, admin, control, folder }: StepFacts): readonly Step[] {
  const as = (who: string): string => `-H @${folder}/${who}`;
  const json = `-H 'content-type: application/json'`;
  const feed = (mode: string): string =>
    `curl -s -o /dev/null -X PUT ${json} -d '{"mode":"${mode}"}' ${control}/services/feed/fault`;
  return [
    {
      shows: 'A route from YAML: JWT, role, limit, load balancing (see x-served-by), and `internal` masked.',
      command: `curl -i ${as('user')} ${gateway}/api/v2/users/2`,
      isBrief: true,
    },
    {
      shows: 'No credentials: 401 as problem+json.',
      command: `curl -i ${gateway}/api/v2/users/2`,
      isBrief: true,
    },
    { shows: 'A guest lacks the role: 403.', command: `curl -i ${as('guest')} ${gateway}/api/v2/users/2` },
    {
      shows: 'The same route with an API key instead of a token.',
      command: `curl -i ${as('key')} ${gateway}/api/v2/users/1`,
    },
    {
      shows: 'Five requests in ten seconds pass, then 429 with Retry-After.',
      command: `curl -so /dev/null -D- '${gateway}/api/v2/feed?first=[1-7]' | grep -iE '^(HTTP|Retry)'`,
      isBrief: true,
    },
    {
      shows: 'REST in front of gRPC: the orders of the user.',
      command: `curl -s ${as('user')} '${gateway}/api/v1/orders?pageSize=2'`,
      isBrief: true,
    },
    {
      shows: 'A new order: JSON in, gRPC behind, 201 with Location.',
      command: `curl -i ${as('user')} ${json} -d '{"items":[{"sku":"BOOK-1","quantity":2}]}' ${gateway}/api/v1/orders`,
    },
    {
      shows: 'One page from three services, over REST.',
      command: `curl -s ${as('user')} ${gateway}/api/homepage`,
      isBrief: true,
    },
    {
      shows: 'Its user over GraphQL: of the three services only one is called.',
      command: `curl -gs${as('user').slice(1)} '${gateway}/graphql?query={homepage{user{name}}}'`,
      isBrief: true,
    },
    {
      shows: 'A dead service costs the page one section, and the page says so.',
      command: `${feed('dead')} && curl -s ${as('user')} '${gateway}/api/homepage?fields=feed'`,
    },
    {
      shows: 'The service is back.',
      command: `${feed('none')} && curl -s ${as('user')} '${gateway}/api/homepage?fields=feed'`,
    },
    {
      shows: 'What operators see, as metrics.',
      command: `curl -s ${admin}/metrics | grep -E '^gatehouse_(request.*count|rate)'`,
    },
  ];
}
