import { isDeepStrictEqual } from 'node:util';
import type { KindName } from './kinds.ts';
import { jsonOf, listOf, textOf, type Json, type Resource } from './resource.ts';
import type { StatusDraft } from './translate/status-draft.ts';

/** Lists of a status of which each entry is one controller's. */
const SHARED: Partial<Record<KindName, string>> = {
  HTTPRoute: 'parents',
  GRPCRoute: 'parents',
  BackendTLSPolicy: 'ancestors',
};

/**
 * The status that is to be written so that an object says what it should; undefined where it does. What others have said
 * stays, and a condition that is what it was keeps its time.
 */
export function mergedStatus(
  { kind, of, status }: StatusDraft,
  controller: string,
  now: Date,
): Json | undefined {
  const dating = { generation: of.generation, now: now.toISOString().replace(/\.\d+Z$/, 'Z') };
  const shared = SHARED[kind];
  const next =
    shared === undefined
      ? ownStatus(of, status, dating)
      : { [shared]: sharedEntries(of, shared, { status, controller, dating }) };
  const before = Object.fromEntries(Object.keys(next).map((key) => [key, of.status[key]]));
  return isDeepStrictEqual(before, withoutUndefined(next)) ? undefined : next;
}

interface Dating {
  readonly generation: number;
  readonly now: string;
}

function ownStatus({ status: before }: Resource, status: Json, dating: Dating): Json {
  const listeners = status['listeners'];
  return {
    ...status,
    ...(status['conditions'] !== undefined && {
      conditions: dated(status['conditions'], before['conditions'], dating, true),
    }),
    ...(listeners !== undefined && {
      listeners: listOf(listeners).map((listener) => {
        const known = listOf(before['listeners']).find(({ name }) => name === listener['name']);
        return {
          ...listener,
          conditions: dated(listener['conditions'], known?.['conditions'], dating, false),
        };
      }),
    }),
  };
}

function sharedEntries(
  { status: before }: Resource,
  key: string,
  {
    status,
    controller,
    dating,
  }: { readonly status: Json; readonly controller: string; readonly dating: Dating },
): readonly Json[] {
  const all = listOf(before[key]);
  const refKey = key === 'parents' ? 'parentRef' : 'ancestorRef';
  const ours = listOf(status[key]).map((entry) => {
    const known = all.find(
      (one) => one['controllerName'] === controller && isDeepStrictEqual(one[refKey], entry[refKey]),
    );
    return { ...entry, conditions: dated(entry['conditions'], known?.['conditions'], dating, false) };
  });
  return [...all.filter((one) => one['controllerName'] !== controller), ...ours];
}

/** @param keepsOthers whether conditions of other types stay, which others may have written. */
function dated(
  wanted: unknown,
  before: unknown,
  { generation, now }: Dating,
  keepsOthers: boolean,
): readonly Json[] {
  const known = listOf(before);
  const types = new Set(listOf(wanted).map(({ type }) => type));
  const own = listOf(wanted).map((condition) => {
    const old = known.find(({ type }) => type === condition['type']);
    const since = old?.['status'] === condition['status'] ? textOf(old?.['lastTransitionTime']) : '';
    return {
      type: condition['type'],
      status: condition['status'],
      reason: condition['reason'],
      message: textOf(condition['message']).slice(0, 32_768),
      observedGeneration: generation,
      lastTransitionTime: since || now,
    };
  });
  const isOld = (type: unknown): boolean => !keepsOthers || types.has(type) || isPending(known, type);
  return [...known.filter(({ type }) => !isOld(type)), ...own];
}

// What the definition of a kind sets as a default is nobody's word.
function isPending(known: readonly Json[], type: unknown): boolean {
  return known.find((one) => one['type'] === type)?.['reason'] === 'Pending';
}

function withoutUndefined(value: Json): Json {
  return jsonOf(JSON.parse(JSON.stringify(value)));
}
