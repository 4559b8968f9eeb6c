/** What the gateway holds while nobody asks. */
export interface Held {
  /** After a full collection, in bytes. */
  readonly rss: number;
  readonly heapUsed: number;
  /** What is held outside the heap of JavaScript. */
  readonly external: number;
  /** Of the process. */
  readonly listeners: number;
  /** What keeps the loop running, by kind: sockets, timers. */
  readonly resources: Readonly<Record<string, number>>;
  /** Configurations that somebody still holds. */
  readonly held: number;
  readonly descriptors: number;
}

/** What clients saw. */
export interface Seen {
  readonly requests: number;
  readonly messages: number;
  readonly faults: ReadonlyMap<string, number>;
}

/** How much the memory may grow. */
const MOST_GROWTH = 0.03;

/** How many more connections to services may rest there: which do depends on what was asked last, and a leak has hundreds. */
const MOST_IDLE = 4;

/** Says of each promise whether it was kept. */
export function judge(
  before: Held,
  after: Held,
  seen: readonly Seen[],
  reloads: number,
): readonly { readonly kept: boolean; readonly line: string }[] {
  const sum = (of: (one: Seen) => number): number => seen.reduce((all, one) => all + of(one), 0);
  const faults = seen.flatMap(({ faults: one }) => [...one].map(([what, times]) => `${what} (${times})`));
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const same = (what: string, from: number, to: number, spare = 0) => ({
    kept: to <= from + spare,
    line: `${what}: ${from} before, ${to} after`,
  });
  const kinds = new Set([...Object.keys(before.resources), ...Object.keys(after.resources)]);
  return [
    {
      kept: faults.length === 0,
      line: `${reloads} reloads, ${sum(({ requests }) => requests)} requests and ${sum(({ messages }) => messages)} messages of sockets, failed: ${faults.join(', ') || 'none'}`,
    },
    {
      kept: after.rss <= before.rss * (1 + MOST_GROWTH),
      line: `resident memory: ${mebibytes(before.rss)} before, ${mebibytes(after.rss)} after`,
    },
    {
      kept: after.heapUsed <= before.heapUsed * (1 + MOST_GROWTH),
      line: `heap after a full collection: ${mebibytes(before.heapUsed)} before, ${mebibytes(after.heapUsed)} after (outside it ${mebibytes(before.external)}, ${mebibytes(after.external)})`,
    },
    { kept: after.held === 1, line: `configurations that are held: ${after.held}` },
    same('descriptors', before.descriptors, after.descriptors, MOST_IDLE),
    same('listeners of the process', before.listeners, after.listeners),
    ...[...kinds].map((kind) =>
      same(
        kind,
        before.resources[kind] ?? 0,
        after.resources[kind] ?? 0,
        // Those that are kept for the next request, to targets and of whoever looks, come and go.
        kind === 'TCPSocketWrap' ? MOST_IDLE : 0,
      ),
    ),
  ];
}
