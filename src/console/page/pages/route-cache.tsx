import type { JSX } from 'preact';
import type { CacheCounts } from '../data/traffic.ts';
import { grouped, percent } from '../data/format.ts';
import { Figures } from '../parts/small.tsx';

/** How many answers of a route came from its cache. */
export function CacheHits({ of }: { readonly of: CacheCounts | undefined }): JSX.Element {
  if (of === undefined) return <p class="quiet">No request has met the cache of this route yet.</p>;
  const { hit, shared, stale, collapsed, miss, validated, bypass } = of;
  const found = hit + shared + stale + collapsed;
  const looked = found + miss + validated;
  return (
    <Figures
      figures={[
        {
          title: 'From the cache',
          value: percent(looked === 0 ? 0 : found / looked),
          note: 'of those looked up',
        },
        { title: 'Hits', value: grouped(hit + shared), note: `${grouped(shared)} of them in Redis` },
        { title: 'Stale', value: grouped(stale), note: 'served meanwhile' },
        { title: 'Collapsed', value: grouped(collapsed), note: 'into another request' },
        { title: 'Misses', value: grouped(miss), note: 'fetched' },
        { title: 'Validated', value: grouped(validated), note: 'not modified' },
        { title: 'Bypassed', value: grouped(bypass), note: 'not looked up' },
      ]}
    />
  );
}
