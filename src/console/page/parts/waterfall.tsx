import type { JSX } from 'preact';
import type { WaterfallBar } from '../data/traffic.ts';
import { duration } from '../data/format.ts';

/** What a run has done and when: bars under one clock, each below what it is a part of. */
export function Waterfall({ bars }: { readonly bars: readonly WaterfallBar[] }): JSX.Element {
  const whole = Math.max(1, ...bars.map(({ startMs, durationMs }) => startMs + durationMs));
  return (
    <div class="scroll" role="region" aria-label="What the run has done" tabIndex={0}>
      <table class="waterfall">
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">
              <span class="hidden">When</span>
              <span class="scale" aria-hidden="true">
                <span>0</span>
                <span>{duration(whole / 2)}</span>
                <span>{duration(whole)}</span>
              </span>
            </th>
            <th scope="col" class="numeric">
              Took
            </th>
            <th scope="col" class="secondary">
              Outcome
            </th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar, i) => (
            <tr key={i}>
              <th scope="row">
                <span class="name" style={{ paddingLeft: `${depthOf(bars, bar) * 14}px` }}>
                  {bar.name} <span class="chip">{bar.sort}</span>
                </span>
              </th>
              <td class="when">
                <span class="track">
                  <i class={bar.failed ? 'bad' : bar.sort} style={placeOf(bar, whole)} />
                </span>
                <span class="hidden">from {duration(bar.startMs)} on</span>
              </td>
              <td class="numeric">{duration(bar.durationMs)}</td>
              <td class={bar.failed ? 'secondary bad-text' : 'secondary quiet'}>{bar.outcome}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function placeOf({ startMs, durationMs }: WaterfallBar, whole: number): { left: string; width: string } {
  const share = (ms: number): string => `${((ms / whole) * 100).toFixed(2)}%`;
  return { left: share(startMs), width: share(durationMs) };
}

/** How deep a bar lies; a chain longer than there are bars would be a circle. */
export function depthOf(bars: readonly WaterfallBar[], bar: WaterfallBar): number {
  let depth = 0;
  let { parent } = bar;
  while (parent !== null && depth < bars.length) {
    parent = bars[parent]?.parent ?? null;
    depth += 1;
  }
  return depth;
}
