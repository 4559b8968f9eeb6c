import type { ConfigFault } from '../../config/config-fault.ts';
import type { ConfigPath } from '../../config/config-path.ts';
import { nearestName } from '../../config/nearest-name.ts';
import type { UpstreamOptions } from '../../upstreams/upstream.schema.ts';
import type { GatewayConfig } from '../gateway.schema.ts';
import type { ParsedTeam } from './parsed-team.ts';
import { sizeStrays } from './file-size.ts';
import { heldStrays } from './held-memory.ts';
import { isNamed } from './outside-names.ts';
import { targetFits } from './target-pattern.ts';
import { ownName, renamedUpstream, upstreamsNamedBy } from './team-names.ts';
import { originStrays } from './socket-origins.ts';
import { sharedStrays } from './shared-upstreams.ts';
import { placedStrays, type Stray } from './strays.ts';
import { boundOf, looser } from './bounds.ts';
import { isTight } from './tightness.ts';

/** What a file of a team names that it may not: upstreams and targets, and what its upstreams may not say. */
export function namedFaults(
  { source, read }: ParsedTeam,
  main: GatewayConfig,
  own: ReadonlySet<string>,
): ConfigFault[] {
  if (read === undefined) return [];
  const { rights } = source;
  const { value, document } = read;
  const { routes, upstreams } = value;
  const fullName = (name: string): string => (own.has(name) ? ownName(source.team, name) : name);
  const sharedPolicies = (name = ''): object | undefined =>
    own.has(name) ? undefined : main.upstreams[name]?.policies;
  const strays: Stray[] = [
    ...routes.flatMap((route, index) => [
      ...strangers(route, ['routes', index], { rights, main, own }),
      ...originStrays(route, rights, sharedPolicies(route.upstream), main.defaults.policies).map((stray) =>
        below(['routes', index], stray),
      ),
      ...sharedStrays(route, { rights, main, own, upstreams }).map((stray) =>
        below(['routes', index], stray),
      ),
    ]),
    ...Object.entries(upstreams).flatMap(([name, one]) => {
      // Under the names that hold in the gateway: what is called as something of the gateway's is not that.
      const named = renamedUpstream(one, source.team, fullName);
      return [
        ...strangers({ policies: one.policies }, ['upstreams', name], { rights, main, own }),
        ...targetStrays(one, rights).map((stray) => below(['upstreams', name], stray)),
        ...audienceStrays(one, rights).map((stray) => below(['upstreams', name], stray)),
        ...loose(named, rights, main).map((stray) => below(['upstreams', name], stray)),
      ];
    }),
  ];
  strays.push(...heldStrays({ routes, upstreams }, rights), ...sizeStrays(value, rights));
  return placedStrays(strays, source, document);
}

type Rights = ParsedTeam['source']['rights'];

interface Known {
  readonly rights: Rights;
  readonly main: GatewayConfig;
  readonly own: ReadonlySet<string>;
}

function strangers(route: object, at: ConfigPath, { rights, main, own }: Known): Stray[] {
  return upstreamsNamedBy(route as Readonly<Record<string, unknown>>).flatMap(({ path, name }) => {
    if (own.has(name)) return [];
    const isShared = Object.hasOwn(main.upstreams, name);
    const mayUse = rights.upstreams === 'any' || rights.upstreams.includes(name);
    if (isShared && mayUse) return [];
    const place = [...at, ...path];
    if (isShared)
      return [
        { path: place, message: `the upstream "${name}" is not one that it may lead to; see \`upstreams\`` },
      ];
    const shared = Object.keys(main.upstreams).filter(
      (one) => rights.upstreams === 'any' || rights.upstreams.includes(one),
    );
    return [
      {
        path: place,
        message: `there is no upstream "${name}" in its files, nor one of the gateway's that it may lead to`,
        suggestion: nearestName(name, [...own, ...shared]),
      },
    ];
  });
}

function below(at: ConfigPath, stray: Stray): Stray {
  return { ...stray, path: [...at, ...stray.path] };
}

function targetStrays(
  { targets, discovery, identity }: UpstreamOptions,
  { targets: allowed }: Rights,
): Stray[] {
  if (allowed === 'any') return [];
  const fits = (host: string, port?: string): boolean => allowed.some((one) => targetFits(one, host, port));
  const strays = targets.flatMap(({ url }, index): Stray[] => {
    const [host, port] = placeOf(url);
    if (fits(host, port)) return [];
    return [
      {
        path: ['targets', index],
        message: `${host} is not an address that it may lead to; see \`targets\``,
      },
    ];
  });
  // It is sent the tokens of callers.
  const issuer = identity?.exchange?.url;
  if (issuer !== undefined && !fits(...placeOf(issuer)))
    strays.push({
      path: ['identity', 'exchange', 'url'],
      message: `${issuer} is not an address that it may lead to; see \`targets\``,
    });
  if (discovery === undefined) return strays;
  const { kind, name } = sourceOf(discovery);
  if (name !== undefined && fits(name)) return strays;
  // Whoever answers there says where requests go.
  const what =
    name === undefined
      ? 'finds addresses that nobody can tell beforehand; `targets: any` lets it'
      : `${name} is not a name that it may lead to; see \`targets\``;
  return [...strays, { path: ['discovery', kind], message: what }];
}

/** For whom tokens are that the gateway signs: a service of another team would take one for the word of a caller of its own. */
function audienceStrays({ identity }: UpstreamOptions, { audiences }: Rights): Stray[] {
  const said = identity?.token?.audience;
  if (said === undefined || audiences === 'any') return [];
  const path = ['identity', 'token', 'audience'];
  return [said].flat().flatMap((one) => {
    if (isNamed(one, audiences)) return [];
    return [{ path, message: `${one} is not an audience that its tokens may be for; see \`audiences\`` }];
  });
}

/** The kind of a source, and the name that it finds addresses of; undefined where that says nothing about them. */
function sourceOf({ dns, kubernetes, ...other }: NonNullable<UpstreamOptions['discovery']>): {
  readonly kind: string;
  readonly name?: string | undefined;
} {
  if (dns !== undefined) return { kind: 'dns', name: dns.servers === undefined ? dns.name : undefined };
  if (kubernetes === undefined) return { kind: other.consul === undefined ? 'file' : 'consul' };
  // Another cluster has names of its own.
  const { service, namespace, kubeconfig } = kubernetes;
  const isHere = namespace !== undefined && kubeconfig === undefined;
  return { kind: 'kubernetes', name: isHere ? `${service}.${namespace}.svc` : undefined };
}

function placeOf(url: string): [host: string, port: string] {
  const { hostname, port, protocol } = new URL(url.replace(/^grpc/, 'http'));
  return [hostname.replace(/^\[|\]$/g, ''), port || (protocol === 'https:' ? '443' : '80')];
}

const TIMEOUTS = { connect: 1000, queue: 1000, firstByte: 30_000, idle: 30_000 } as const;

/** What its upstreams say that weakens what the gateway makes sure of. */
function loose(one: GatewayConfig['upstreams'][string], rights: Rights, main: GatewayConfig): Stray[] {
  const strays: Stray[] = [];
  const say = (path: ConfigPath, message: string): void => void strays.push({ path, message });
  const bounds = rights.timeouts;
  if (bounds !== 'any')
    for (const key of ['connect', 'queue', 'firstByte', 'idle'] as const) {
      const most = bounds[key] ?? TIMEOUTS[key];
      if (one.timeouts[key] > most) say(['timeouts', key], `expected at most ${most}ms; see \`timeouts\``);
    }
  if (one.maxConnections > rights.maxConnections)
    say(['maxConnections'], `expected at most ${rights.maxConnections}; see \`maxConnections\``);
  if (one.tls?.verify === false && rights.targets !== 'any')
    say(['tls', 'verify'], 'its targets have to prove who they are; `targets: any` lets it do without');
  for (const [name, said] of Object.entries(one.policies ?? {})) {
    const bound = boundOf(name, rights, main.defaults.policies);
    if (said !== undefined && !isTight(name, said, bound)) say(['policies', name], looser(name));
  }
  return strays;
}
