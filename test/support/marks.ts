/** What every planted secret has in it. */
export const MARK = 's3cretMARK9';

/** How the mark could look in an output: as it is, and in base64 at each of its three offsets. */
export const TRACES = [
  MARK,
  ...[0, 1, 2].map((lead) =>
    Buffer.from('x'.repeat(lead) + MARK)
      .toString('base64url')
      .slice(Math.ceil((lead * 8) / 6), -2),
  ),
];
