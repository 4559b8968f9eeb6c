/** Header fields that say a trace, besides those that are the gateway's whatever the configuration says. */
export const TRACE_FIELDS: readonly string[] = [
  'b3', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags', 'baggage',
]; // prettier-ignore
