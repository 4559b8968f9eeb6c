import type { DynamicModule, Type } from '@nestjs/common';
import type { ConfigFault } from './config-fault.ts';
import type { ConfigPath } from './config-path.ts';
import type { ReadConfig } from './config-reader.ts';
import { nearestName } from './nearest-name.ts';

/** The protocol that the calls to an upstream speak. */
type Protocol = 'http' | 'grpc';

/** What a Nest module says of itself, beside its code, so that a configuration can switch it on. */
export interface GatewayModule {
  /** What `modules:` calls it. */
  readonly name: string;
  readonly module: Type | DynamicModule;
  /** The upstreams that it calls, by name, and what its calls speak. Default none. */
  readonly upstreams?: Readonly<Record<string, Protocol>>;
  /** Whether it adds to the GraphQL schema. Default no; without a module that does there is no GraphQL door. */
  readonly graphql?: boolean;
  /** Names of the modules that it cannot do without. They have to be listed too: nothing is switched on unsaid. */
  readonly needs?: readonly string[];
}

/** The part of a configuration that says what is switched on. */
type Source = ReadConfig<{
  readonly modules: readonly string[];
  readonly upstreams: Readonly<Record<string, { readonly protocol: Protocol }>>;
}>;

/** What a configuration switches on. */
export interface SwitchedOn {
  /** In the order of the file. What is listed with a fault is among them, so that the rest of it is checked too. */
  readonly modules: readonly GatewayModule[];
  /** Each with its place: unknown and repeated names, what a module needs and there is not. */
  readonly faults: readonly ConfigFault[];
}

/** Finds the modules that `modules:` names among those that are offered. */
export function switchedOn(offered: readonly GatewayModule[], source: Source): SwitchedOn {
  const known = new Map(offered.map((one) => [one.name, one]));
  const { modules: names } = source.value;
  const modules = withNeeded(names, known);
  const faults = [
    ...offered.flatMap((one) => (known.get(one.name) === one ? [] : [namesake(one)])),
    ...names.flatMap((_, index) => faultsOf(index, known, source)),
  ];
  // An unknown name may be that of the module that would open the door.
  return { modules, faults: faults.length > 0 ? faults : doorFaults(modules, source) };
}

function namesake({ name }: GatewayModule): ConfigFault {
  return { file: 'gateway', key: '', message: `two modules are called "${name}"` };
}

function faultsOf(index: number, known: ReadonlyMap<string, GatewayModule>, source: Source): ConfigFault[] {
  const { modules: names } = source.value;
  const name = names[index] as string;
  const one = known.get(name);
  const fault = faultAt(source, ['modules', index], `modules[${index}]`);
  if (one === undefined) return [unknownName(name, known, fault)];
  if (names.indexOf(name) < index) return [fault(`"${name}" is listed twice`)];
  const needed = (one.needs ?? []).filter((other) => !names.includes(other));
  return [
    ...needed.map((other) => fault(`the module "${name}" needs the module "${other}"; list it too`)),
    ...upstreamFaults(one, source, fault),
  ];
}

type FaultOf = (message: string, suggestion?: string) => ConfigFault;

function unknownName(name: string, known: ReadonlyMap<string, GatewayModule>, fault: FaultOf): ConfigFault {
  const nearest = nearestName(name, known.keys());
  const message = `there is no module "${name}"`;
  if (nearest !== undefined) return fault(message, nearest);
  return fault(
    known.size === 0
      ? `${message}: this gateway offers none`
      : `${message}; expected one of ${[...known.keys()].join(', ')}`,
  );
}

function faultAt({ document }: Source, path: ConfigPath, key: string): FaultOf {
  const place = { file: document.file, ...document.locate(path), key };
  return (message, suggestion) => ({ ...place, message, suggestion });
}

function upstreamFaults({ name, upstreams = {} }: GatewayModule, source: Source, missing: FaultOf) {
  const declared = source.value.upstreams;
  return Object.entries(upstreams).flatMap(([upstream, wanted]) => {
    if (!Object.hasOwn(declared, upstream)) {
      const message = `the module "${name}" calls the upstream "${upstream}", and there is none of that name`;
      const nearest = nearestName(upstream, Object.keys(declared));
      const cure = `; add it under \`upstreams\`${wanted === 'http' ? '' : `, with \`protocol: ${wanted}\``}`;
      return [nearest === undefined ? missing(message + cure) : missing(message, nearest)];
    }
    const protocol = declared[upstream]?.protocol;
    if (protocol === wanted) return [];
    const wrong = faultAt(source, ['upstreams', upstream, 'protocol'], `upstreams[${upstream}].protocol`);
    return [
      wrong(`expected \`${wanted}\`, which the calls of the module "${name}" speak; it is ${protocol}`),
    ];
  });
}

// Fails closed: policies of a door that is not there would protect nothing, and whoever wrote them believes there is one.
function doorFaults(modules: readonly GatewayModule[], source: Source): ConfigFault[] {
  const isConfigured = Object.hasOwn((source.document.value ?? {}) as object, 'graphql');
  if (!isConfigured || modules.some(({ graphql }) => graphql)) return [];
  const message = 'there is no GraphQL door: no module of `modules` adds to the schema';
  return [faultAt(source, ['graphql'], 'graphql')(message)];
}

function withNeeded(
  names: readonly string[],
  known: ReadonlyMap<string, GatewayModule>,
): readonly GatewayModule[] {
  const found = new Set<GatewayModule>();
  const add = (name: string): void => {
    const one = known.get(name);
    if (one === undefined || found.has(one)) return;
    found.add(one);
    one.needs?.forEach(add);
  };
  names.forEach(add);
  return [...found];
}
