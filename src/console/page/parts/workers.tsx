import type { JSX } from 'preact';
import type { WorkerNote } from '../data/traffic.ts';
import { hrefWith, WORKER } from '../app/address.ts';
import { Choice } from './small.tsx';

/** Says whose numbers are shown, where several processes serve, and leads to those of the others; nothing of one alone. */
export function Workers({ of: worker }: { readonly of: WorkerNote | undefined }): JSX.Element | null {
  if (worker === undefined) return null;
  const { number, of } = worker;
  const all = Array.from({ length: of }, (_, i) => [String(i + 1), String(i + 1)] as const);
  return (
    <section class="banner info" aria-label="Workers">
      <span>
        {of} processes serve here, and each counts for itself. Traffic, health, requests and callers are those
        of worker {number} alone; limits with Redis, orders and the configuration are of all.
      </span>
      <Choice
        label="Worker"
        options={all}
        current={String(number)}
        hrefOf={(key) => hrefWith({ [WORKER]: key })}
      />
    </section>
  );
}
