import type { ConfigFault } from '../config/config-fault.ts';
import type { ReadConfig } from '../config/config-reader.ts';
import { nearestName } from '../config/nearest-name.ts';
import { renderPath } from '../config/config-path.ts';
import { policyList } from '../policies/order.ts';
import { catalogue } from '../problems/catalogue.ts';
import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { FakeAnswer, FakeAnswers } from './answers.schema.ts';
import type { Expectation } from './expectation.schema.ts';
import { principalFaults } from './check-principals.ts';
import type { RouteTests } from './route-tests.schema.ts';
import { descriptorSetOf } from '../upstreams/grpc/descriptors/descriptor-places.ts';

type Path = readonly (string | number)[];

/** Notes that something is wrong. @param among what could have stood there. */
export type Complain = (
  path: Path,
  message: string,
  among?: { given: string; names: Iterable<string> },
) => void;

const NONE = 'none';

/** What tests name that the configuration does not have, all of it. */
export function testFaults(
  { value, document }: ReadConfig<RouteTests>,
  source: GatewaySource,
  routes: readonly Route[],
): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const complain: Complain = (path, message, among) =>
    faults.push({
      file: document.file,
      ...document.locate(path),
      key: renderPath(path, document.value),
      message,
      suggestion: among && nearestName(among.given, among.names),
    });
  const names = namesOf(source, routes, value);
  principalFaults(value, source, complain);
  answerFaults(['upstreams'], value.upstreams, source, complain);
  for (const [index, test] of value.tests.entries()) {
    const steps = test.steps ?? [];
    for (const [at, one] of [test, ...steps].entries()) {
      const path = at === 0 ? ['tests', index] : ['tests', index, 'steps', at - 1];
      answerFaults([...path, 'upstreams'], one.upstreams, source, complain);
      for (const [place, name] of (one.as ?? []).entries())
        known([...path, 'as', ...(one.as?.length === 1 ? [] : [place])], name, 'principal', {
          names: names.principals,
          complain,
        });
      expectationFaults([...path, 'expect'], one.expect ?? {}, names, complain);
      if ('revoke' in one && one.revoke !== undefined && source.value.identity?.revocation === undefined)
        complain([...path, 'revoke'], 'nothing can be revoked: the configuration has no identity.revocation');
    }
  }
  return faults;
}

type Names = ReturnType<typeof namesOf>;

function namesOf({ value }: GatewaySource, routes: readonly Route[], { principals }: RouteTests) {
  return {
    routes: routes.map(({ id }) => id),
    upstreams: Object.keys(value.upstreams),
    targets: Object.values(value.upstreams).flatMap(({ targets }) => targets.map(({ url }) => url)),
    problems: Object.keys(catalogue),
    policies: policyList.map(({ name }) => name as string),
    principals: Object.keys(principals),
  };
}

function expectationFaults(
  path: Path,
  { route, problem, deniedBy, upstream, received = {} }: Expectation,
  names: Names,
  complain: Complain,
): void {
  if (route !== undefined) known([...path, 'route'], route, 'route', { names: names.routes, complain });
  if (problem !== undefined)
    known([...path, 'problem'], problem, 'problem', { names: names.problems, complain });
  if (deniedBy !== undefined)
    known([...path, 'deniedBy'], deniedBy, 'policy', { names: names.policies, complain });
  // Of a composed answer several.
  for (const one of upstream?.split(/,\s*/) ?? [])
    known([...path, 'upstream'], one, 'upstream', { names: names.upstreams, complain });
  for (const [name, one] of Object.entries(received)) {
    known([...path, 'received', name], name, 'upstream', { names: names.upstreams, complain });
    if (one !== NONE && one.target !== undefined && names.targets.length > 0)
      known([...path, 'received', name, 'target'], one.target, 'target', { names: names.targets, complain });
  }
}

function answerFaults(path: Path, answers: FakeAnswers, { value }: GatewaySource, complain: Complain): void {
  const names = Object.keys(value.upstreams);
  for (const [name, list] of Object.entries(answers)) {
    known([...path, name], name, 'upstream', { names, complain });
    const upstream = value.upstreams[name];
    if (upstream === undefined) continue;
    for (const [at, one] of list.entries()) {
      const place = [...path, name, ...(list.length === 1 ? [] : [at])];
      for (const key of misplaced(one, upstream.protocol))
        complain([...place, key], `is not for an upstream that speaks ${upstream.protocol}`);
    }
    const saysMessage = list.some(({ message, messages }) => message !== undefined || messages !== undefined);
    if (
      saysMessage &&
      upstream.protocol === 'grpc' &&
      (descriptorSetOf(name, upstream) ?? upstream.proto) === undefined
    )
      complain([...path, name], 'nobody knows its messages: the upstream needs `descriptorSet` or `proto`');
  }
}

function misplaced(answer: FakeAnswer, protocol: 'http' | 'grpc'): readonly string[] {
  const others = {
    grpc: ['status', 'body'],
    http: ['message', 'messages', 'grpcStatus', 'grpcMessage'],
  } as const;
  return others[protocol].filter((key) => answer[key] !== undefined);
}

function known(
  path: Path,
  given: string,
  what: string,
  { names, complain }: { readonly names: readonly string[]; readonly complain: Complain },
): void {
  if (given === NONE || names.includes(given)) return;
  complain(path, `there is no ${what} ${JSON.stringify(given)}`, { given, names });
}
