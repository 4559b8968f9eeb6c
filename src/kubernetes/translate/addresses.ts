import { jsonOf, listOf, type Json } from '../resource.ts';
import type { ClusterView, Settings } from './settings.ts';

/** The addresses that Gateways are told to have. */
export function addressesOf({
  view,
  settings,
}: {
  readonly view: ClusterView;
  readonly settings: Settings;
}): readonly Json[] {
  const given = settings.addresses.map(addressOf);
  if (settings.service === undefined) return given;
  const [namespace = '', name = ''] = settings.service.split('/');
  const service = view.get('Service', namespace, name);
  const balanced = listOf(jsonOf(service?.status['loadBalancer'])['ingress']).flatMap(({ ip, hostname }) =>
    typeof ip === 'string' ? [addressOf(ip)] : typeof hostname === 'string' ? [addressOf(hostname)] : [],
  );
  return [...given, ...balanced].slice(0, 16);
}

function addressOf(value: string): Json {
  return { type: /^[\d.]+$|:/.test(value) ? 'IPAddress' : 'Hostname', value };
}
