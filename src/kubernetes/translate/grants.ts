import { listOf, textOf } from '../resource.ts';
import type { ClusterView } from './settings.ts';

/** Who refers to something in another namespace. */
export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** What is referred to. */
export interface Referred {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Whether an object may refer to another: in its own namespace, or where a ReferenceGrant says so. Fails closed. */
export function mayRefer(view: ClusterView, from: Referrer, to: Referred): boolean {
  if (from.namespace === to.namespace) return true;
  return view
    .all('ReferenceGrant')
    .filter(({ namespace }) => namespace === to.namespace)
    .some(({ spec }) => {
      const isFrom = listOf(spec['from']).some(
        (one) =>
          textOf(one['group']) === from.group &&
          textOf(one['kind']) === from.kind &&
          textOf(one['namespace']) === from.namespace,
      );
      const isTo = listOf(spec['to']).some(
        (one) =>
          textOf(one['group']) === to.group &&
          textOf(one['kind']) === to.kind &&
          (one['name'] === undefined || one['name'] === to.name),
      );
      return isFrom && isTo;
    });
}
