import type { TargetOptions } from '../../target.schema.ts';
import { isLabelText, labelsFrom, originOf } from '../discovery-source.ts';

/** What a list of instances comes to. */
export interface Entries {
  readonly targets: readonly TargetOptions[];
  readonly skipped: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

const DEFAULT_PORT_WEIGHT = 1;

/**
 * Reads the instances of a service, one by one: one that makes no sense does not spoil the others. Those with a critical
 * check of the instance or of its node, and those in maintenance, are not for use; neither are those of weight 0.
 */
export function readEntries(list: readonly unknown[], scheme: string): Entries {
  const targets: TargetOptions[] = [];
  const skipped: string[] = [];
  const seen = new Set<string>();
  list.forEach((one, index) => {
    const read = readEntry(one, scheme);
    if (read === undefined) return;
    if (typeof read === 'string') return void skipped.push(`entry ${index}: ${read}`);
    // Two registrations of one address are one target.
    if (!seen.has(read.url)) targets.push(read);
    seen.add(read.url);
  });
  return { targets, skipped };
}

// Undefined for one that is in order and not for use; a text for one that makes no sense.
function readEntry(one: unknown, scheme: string): TargetOptions | string | undefined {
  const { Service: service, Node: node, Checks: checks } = objectOf(one) ?? {};
  const instance = objectOf(service);
  if (instance === undefined) return 'has no Service';
  const place = objectOf(node) ?? {};
  const worst = worstOf(Array.isArray(checks) ? checks : []);
  if (worst === 'critical') return undefined;
  const port = instance['Port'];
  const address = textOf(instance['Address']) ?? textOf(place['Address']);
  if (address === undefined) return 'has no address';
  if (typeof port !== 'number' || port === 0) return 'has no port';
  const url = originOf(scheme, address, port);
  if (url === undefined) return 'has an address that is no host, or a port that is none';
  const weight = weightOf(objectOf(instance['Weights']), worst);
  if (weight === 0) return undefined;
  return { url, weight, labels: labelsOf(instance, place), zone: zoneOf(instance), priority: 0 };
}

function worstOf(checks: readonly unknown[]): 'passing' | 'warning' | 'critical' {
  let worst: 'passing' | 'warning' | 'critical' = 'passing';
  for (const check of checks.map((one) => objectOf(one) ?? {})) {
    const id = textOf(check['CheckID']) ?? '';
    const isMaintenance = id === '_node_maintenance' || id.startsWith('_service_maintenance:');
    const status = check['Status'];
    if (isMaintenance || (status !== 'passing' && status !== 'warning')) return 'critical';
    if (status === 'warning') worst = 'warning';
  }
  return worst;
}

function weightOf(weights: Json | undefined, worst: string): number {
  const weight = weights?.[worst === 'warning' ? 'Warning' : 'Passing'];
  if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0) return DEFAULT_PORT_WEIGHT;
  return Math.min(weight, 65_535);
}

function labelsOf(service: Json, node: Json): Record<string, string> {
  const labels: [string, string][] = [];
  for (const tag of Array.isArray(service['Tags']) ? service['Tags'] : []) {
    const text = textOf(tag);
    if (text === undefined) continue;
    const [, name = text, value = 'true'] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    labels.push([name, value]);
  }
  labels.push(...pairsOf(service['Meta']));
  for (const [name, value] of pairsOf(node['Meta'])) labels.push([`node.${name}`, value]);
  const datacenter = textOf(node['Datacenter']);
  if (datacenter !== undefined) labels.push(['node.datacenter', datacenter]);
  return labelsFrom(labels);
}

function zoneOf(service: Json): string | undefined {
  const zone = textOf(objectOf(service['Locality'])?.['Zone']) ?? textOf(objectOf(service['Meta'])?.['zone']);
  return zone !== undefined && isLabelText(zone) ? zone : undefined;
}

function pairsOf(value: unknown): [string, string][] {
  return Object.entries(objectOf(value) ?? {}).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
