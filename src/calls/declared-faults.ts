import { ledgerOf, type DeclaredName } from '../config/code-ledger.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { GatewayModule } from '../config/gateway-module.ts';
import { nearestName } from '../config/nearest-name.ts';
import type { KnownUpstreams } from './call-faults.ts';

/**
 * What is wrong with the declarations of the code that modules were loaded from, as far as it is known: decorators, views
 * and calls that make no sense, names that two calls have, and calls to an upstream that is not there or speaks another
 * protocol. Calls to upstreams of which only modules speak that are not switched on are nobody's.
 *
 * @param offered what `modules:` can name.
 * @param switchedOn what it does name.
 */
export function declaredFaults(
  offered: readonly GatewayModule[],
  switchedOn: readonly GatewayModule[],
  upstreams: KnownUpstreams,
): readonly ConfigFault[] {
  const ledger = switchedOn.length === 0 ? undefined : ledgerOf(offered);
  if (ledger === undefined) return [];
  return [
    ...ledger.faults,
    ...namesakes(ledger.calls),
    ...ledger.calls.flatMap((call) => upstreamFault(call, { offered, switchedOn, upstreams })),
  ];
}

function faultOf({ name, site }: DeclaredName, message: string, suggestion?: string): ConfigFault {
  const text = `the call ${name} ${message}`;
  return { file: 'calls', key: '', message: text, suggestion, code: { at: site, name: '' } };
}

// Metrics, logs and pictures know a call by its name: of two with one name nobody could tell which has failed.
function namesakes(calls: readonly DeclaredName[]): ConfigFault[] {
  const seen = new Map<string, DeclaredName>();
  return calls.flatMap((call) => {
    const first = seen.get(call.name);
    if (first === undefined) seen.set(call.name, call);
    if (first === undefined) return [];
    return [
      faultOf(call, `has the name of another call, to the upstream "${first.upstream}"; rename one of them`),
    ];
  });
}

interface Surroundings {
  readonly offered: readonly GatewayModule[];
  readonly switchedOn: readonly GatewayModule[];
  readonly upstreams: KnownUpstreams;
}

function upstreamFault(call: DeclaredName, { offered, switchedOn, upstreams }: Surroundings): ConfigFault[] {
  const { upstream, protocol } = call;
  const speakers = offered.filter(({ upstreams: own = {} }) => Object.hasOwn(own, upstream));
  const own = speakers.filter((one) => switchedOn.includes(one));
  const [other] = own.filter((one) => one.upstreams?.[upstream] !== protocol);
  if (other !== undefined)
    return [
      faultOf(
        call,
        `speaks ${protocol}, but the module "${other.name}" says that its calls to "${upstream}" speak ${other.upstreams?.[upstream]}`,
      ),
    ];
  // What a module says of itself is told with the place in the file.
  if (speakers.length > 0) return [];
  const known = Object.hasOwn(upstreams, upstream) ? upstreams[upstream] : undefined;
  if (known === undefined) {
    const near = nearestName(upstream, [
      ...Object.keys(upstreams),
      ...offered.flatMap((one) => Object.keys(one.upstreams ?? {})),
    ]);
    return [faultOf(call, `needs the upstream "${upstream}", which is not configured`, near)];
  }
  if (known.protocol === protocol) return [];
  return [faultOf(call, `speaks ${protocol}, but the upstream "${upstream}" speaks ${known.protocol}`)];
}
