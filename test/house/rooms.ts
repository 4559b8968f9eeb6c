/** What the files of one room of `src` may import of ours, besides each other. */
export interface Room {
  /** Rooms, folders or single files below `src`. */
  readonly imports: readonly string[];
  /** The same, for imports that leave nothing in the built code (`import type`). */
  readonly types?: readonly string[];
  /** What it imports today against the direction of the house, each with the reason. One that nobody needs is a fault. */
  readonly exceptions?: Readonly<Record<string, string>>;
}

/** Rooms that know nothing of a gateway. */
const LEAVES = ['config', 'problems', 'telemetry'];

/** What every action and every composed answer stands on. */
const GROUND = [...LEAVES, 'exchange', 'templates', 'policies', 'routing', 'upstreams'];

/** An action answers for its routes, and describes in the words of the contracts what it answers. */
const ACTION: Room = { imports: [...GROUND, 'snapshot'], types: ['contracts'] };

/** Files of `src` itself. They put the rooms together, and only the bin imports one of them. */
export const TOP = '(top)';

/**
 * The rooms of `src`, a row each: the one list of what may import what. A row is a folder and holds for what lies below it,
 * unless a longer row does. Imports point one way: rows may not lead back to themselves. A folder without a row may import
 * nothing; a row may stand before its folder does.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  config: { imports: [] },
  problems: { imports: [] },
  telemetry: { imports: [] },
  store: { imports: LEAVES },
  signing: { imports: [...LEAVES, 'store'] },
  exchange: {
    imports: LEAVES,
    // The record of a request has fields for what later stages write; it never touches them.
    types: ['policies', 'routing', 'snapshot'],
  },
  // Whoever does something to be accounted for tells it.
  audit: { imports: [...LEAVES, 'store', 'exchange'] },
  // What OpenTelemetry's SDK is loaded for lies below it, and is loaded only then.
  tracing: { imports: [...LEAVES, 'exchange'] },
  listeners: { imports: [...LEAVES, 'exchange'] },
  sockets: { imports: [...LEAVES, 'exchange'] },
  templates: { imports: [...LEAVES, 'exchange'] },
  conditions: { imports: [...LEAVES, 'exchange'] },
  policies: { imports: [...LEAVES, 'store', 'exchange', 'templates', 'conditions'] },
  canary: { imports: [...LEAVES, 'audit', 'store', 'exchange', 'conditions', 'upstreams'] },
  upstreams: {
    imports: [...LEAVES, 'exchange', 'signing'],
    exceptions: {
      'policies/circuit-breaker': 'A breaker belongs to a target, while its options are a policy of routes.',
      'policies/transform/header-edits.ts':
        'Edits of a request are applied where its header fields are put together.',
    },
  },
  routing: {
    imports: [
      ...LEAVES,
      'audit',
      'exchange',
      'templates',
      'policies',
      'upstreams',
      'listeners',
      'signing',
      'tracing',
    ],
    types: ['contracts'],
  },
  snapshot: { imports: [...GROUND, 'audit', 'listeners', 'signing', 'tracing'] },

  // WebSockets are forwarded as well.
  proxy: { ...ACTION, imports: [...ACTION.imports, 'sockets', 'canary', 'conditions'] },
  // Calls with streams are translated to sockets as well.
  transcoding: { ...ACTION, imports: [...ACTION.imports, 'sockets'] },
  answers: ACTION,
  login: { ...ACTION, imports: [...ACTION.imports, 'audit'] },
  calls: { imports: [...LEAVES, 'exchange', 'templates', 'upstreams'] },
  bff: {
    imports: [...GROUND, 'snapshot', 'sockets', 'calls', 'bff/composition'],
    types: ['contracts'],
  },
  // What a view says of its faces becomes a handler and a resolver, which say what they answer as those of teams do.
  'bff/exposed': {
    imports: [...LEAVES, 'exchange', 'policies', 'bff', 'contracts/answers.decorator.ts'],
  },
  'bff/composition': { imports: [...LEAVES, 'exchange'], types: ['contracts', 'calls'] },
  'bff/aggregation': {
    imports: [...ACTION.imports, 'calls', 'bff', 'bff/composition'],
    types: ['contracts'],
  },

  routes: {
    imports: [
      ...LEAVES,
      'exchange',
      'policies',
      'calls',
      'bff',
      'bff/exposed',
      'contracts/answers.decorator.ts',
      'routing/sources/match.decorator.ts',
      'routes/services',
    ],
  },
  'routes/services': { imports: [...LEAVES, 'calls'] },

  contracts: {
    imports: [...LEAVES, 'exchange', 'policies', 'routing', 'snapshot', 'calls', 'bff', 'bff/composition'],
  },
  health: { imports: [...LEAVES, 'audit', 'store', 'exchange', 'policies'] },
  // Off, it is a field that is looked at.
  record: { imports: [...LEAVES, 'exchange'] },
  explain: { imports: [...GROUND, 'snapshot'] },
  // What it is told when an exchange closes is all that it has of the request path.
  traffic: { imports: [...LEAVES, 'exchange', 'policies', 'upstreams', 'routing', 'snapshot', 'health'] },
  // The same, for many requests and two configurations.
  replay: { imports: [...LEAVES, 'explain', 'record'], types: ['snapshot'] },
  // It stands in for whatever a gateway asks, and speaks as that would.
  simulate: { imports: [...LEAVES, 'exchange', 'policies', 'upstreams'], types: ['routing', 'record'] },
  // Tests of teams import it, and nothing else does.
  testing: {
    imports: [
      ...LEAVES,
      'contracts',
      'snapshot',
      'upstreams',
      'simulate',
      'main.ts',
      'pipeline/actions.ts',
      'routing/teams/read-gateway.ts',
    ],
    types: ['routing'],
  },
  // It makes answers of what describes an upstream, for a gateway that is developed.
  fakes: {
    imports: [...LEAVES, 'upstreams', 'simulate', 'explain', 'record', 'replay'],
    types: ['routing', 'snapshot'],
  },
  // It measures a gateway from outside, and what stands in for upstreams there does so here.
  bench: { imports: [...LEAVES, 'simulate/stand-ins.ts', 'listeners/free-port.ts'], types: ['routing'] },
  // It asks as the rooms that it looks after would ask.
  doctor: { imports: [...LEAVES, 'store', 'policies', 'listeners', 'upstreams'], types: ['routing'] },
  // What tests of a team's own start.
  console: { imports: [] },
  // It runs in browsers: of the gateway it knows the words only.
  'console/page': { imports: [], types: ['explain', 'traffic'] },
  admin: {
    imports: [
      ...LEAVES,
      'console',
      'audit',
      'exchange',
      'policies',
      'upstreams',
      'routing',
      'snapshot',
      'health',
      'explain',
      'record',
      'canary',
      'traffic',
    ],
  },
  pipeline: {
    // It seats whatever answers; besides the top, only the bin imports of it.
    imports: [
      ...GROUND,
      'audit',
      'tracing',
      'listeners',
      'store',
      'health',
      'record',
      'traffic',
      'snapshot',
      'sockets',
      'calls',
      'proxy',
      'canary',
      'transcoding',
      'answers',
      'login',
      'bff/aggregation',
    ],
  },
  // A source of configuration, loaded only where the file asks for it.
  kubernetes: { imports: [...LEAVES, 'upstreams', 'routing', 'policies/order.ts'], types: ['snapshot'] },
  // It keeps the processes of a gateway, and gives each what the primary says.
  workers: { imports: [...LEAVES, 'admin', 'health', 'snapshot'], types: ['upstreams'] },
  cli: {
    imports: [
      ...LEAVES,
      'audit',
      'store',
      'policies',
      'routing',
      'snapshot',
      'contracts',
      'admin',
      'explain',
      'record',
      'replay',
      'simulate',
      'fakes',
      'bench',
      'doctor',
      'workers',
      'upstreams/grpc/descriptors/descriptor-places.ts',
      'main.ts',
      'whole-refusal.ts',
      'process-life.ts',
      'pipeline/actions.ts',
    ],
  },
};
