import type { ObjectState, ObjectVerdict } from '../snapshot/followed-cluster.ts';
import { KINDS, type Kind, type KindName } from './kinds.ts';
import { listOf, textOf, wordsOf, type Json, type Resource } from './resource.ts';
import { brokenKey } from './translate/broken.ts';
import type { ClusterView } from './translate/settings.ts';
import type { StatusDraft } from './translate/status-draft.ts';
import type { Translation } from './translate/translate.ts';

/** Kinds whose objects are told what became of them. */
const JUDGED = (KINDS as readonly Kind[]).filter(({ hasStatus }) => hasStatus === true);
const NOT_OURS: Partial<Record<KindName, string>> = {
  GatewayClass: 'controllerName: names another controller',
  Gateway: 'gatewayClassName: names no GatewayClass of this gateway',
  HTTPRoute: 'parentRefs: name no Gateway of this gateway',
  GRPCRoute: 'parentRefs: name no Gateway of this gateway',
  Ingress: 'ingressClassName: names no IngressClass of this gateway',
};

/** What became of all objects, from what is to be written into their status. */
export function verdictsOn(
  view: ClusterView,
  { statuses, remarks }: Pick<Translation, 'statuses' | 'remarks'>,
): readonly ObjectVerdict[] {
  // By name: an object may have changed since, and is still the one that was judged.
  const drafts = new Map(statuses.map((draft) => [brokenKey(draft.of), draft]));
  const byObject = Map.groupBy(remarks, ({ of }) => of && brokenKey(of));
  return JUDGED.flatMap(({ kind }) =>
    view.all(kind as KindName).map((of) => {
      const said = byObject.get(brokenKey(of)) ?? [];
      const draft = drafts.get(brokenKey(of));
      if (draft === undefined) return verdict(of, 'ignored', [NOT_OURS[kind as KindName] ?? '']);
      const { state, why } = readStatus(draft);
      const isRefused = said.some(({ isWhole }) => isWhole === true);
      const all = [...why, ...said.map(({ message }) => message)];
      return verdict(of, isRefused ? 'refused' : said.length > 0 ? 'partly' : state, all);
    }),
  );
}

function verdict(
  { kind, namespace, name, generation }: Resource,
  state: ObjectState,
  why: readonly string[],
): ObjectVerdict {
  const words = [...new Set(why)].filter((one) => one !== '');
  return { kind, namespace, name, generation, state, ...(words.length > 0 && { why: words }) };
}

interface Read {
  readonly state: ObjectState;
  readonly why: readonly string[];
}

function readStatus({ kind, status }: StatusDraft): Read {
  if (kind === 'HTTPRoute' || kind === 'GRPCRoute') {
    const parents = listOf(status['parents']);
    return parents.length === 0 ? { state: 'ignored', why: [NOT_OURS[kind] ?? ''] } : ofEntries(parents);
  }
  if (kind === 'BackendTLSPolicy') {
    const ancestors = listOf(status['ancestors']);
    return ancestors.length === 0
      ? { state: 'ignored', why: ['no Gateway is of this gateway'] }
      : ofEntries(ancestors);
  }
  const own = faultsOf(status['conditions']);
  const listeners = listOf(status['listeners']).flatMap(({ name, conditions }) =>
    faultsOf(conditions).map(({ text }) => `listener ${textOf(name)}: ${text}`),
  );
  const isRefused = own.some(({ isAccepted }) => isAccepted);
  const why = [...own.map(({ text }) => text), ...listeners];
  return { state: isRefused ? 'refused' : why.length > 0 ? 'partly' : 'served', why };
}

/** Of a route, or a policy, each entry is about one Gateway. */
function ofEntries(entries: readonly Json[]): Read {
  const all = entries.map(({ conditions }) => faultsOf(conditions));
  const refused = all.filter((faults) => faults.some(({ isAccepted }) => isAccepted)).length;
  const why = all.flatMap((faults) => faults.map(({ text }) => text));
  const isRefused = refused === all.length && refused > 0;
  return { state: isRefused ? 'refused' : why.length > 0 ? 'partly' : 'served', why };
}

function faultsOf(conditions: unknown): readonly { readonly isAccepted: boolean; readonly text: string }[] {
  return listOf(conditions)
    .filter(({ type, status }) => status === 'False' && type !== 'Conflicted')
    .map(({ type, reason, message }) => ({
      isAccepted: type === 'Accepted',
      text: wordsOf([type, reason]).join(' ') + (textOf(message) === '' ? '' : `: ${textOf(message)}`),
    }));
}
