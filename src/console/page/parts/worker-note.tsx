import type { JSX } from 'preact';
import type { WorkerNote as Note } from '../data/traffic.ts';

/** Whose numbers they are, where several processes serve. */
export function WorkerNote({ of }: { readonly of: Note | undefined }): JSX.Element | null {
  if (of === undefined) return null;
  return (
    <span class="chip">
      worker {of.number} of {of.of}: numbers are of this one
    </span>
  );
}
