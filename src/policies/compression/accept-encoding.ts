/** Content codings that the gateway can make (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;

/** One of them. */
export type Coding = (typeof CODINGS)[number];

const ELEMENT = /^[\t ]*([!#$%&'*+.^_`|~0-9a-z-]+)[\t ]*(?:;[\t ]*q=([0-9.]+)[\t ]*)?$/;
const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * Chooses the coding of an answer by `Accept-Encoding` (RFC 9110 section 12.5.3): the one with the highest weight, of equal
 * ones the first that we offer. Undefined for none: nothing is asked for, or the answer is wanted as it is.
 *
 * @param offered in the order of our own liking.
 */
export function chooseCoding(field: string | undefined, offered: readonly Coding[]): Coding | undefined {
  if (field === undefined || field === '') return undefined;
  const weights = weightsOf(field);
  // Who says nothing of it takes the answer as it is, but likes any other that is named better. Where not even that is
  // wanted, it is sent all the same: a refusal would come too late for what the request has done (section 12.1).
  const plain = weights.get('identity') ?? weights.get('*') ?? 0;
  let chosen: Coding | undefined = undefined;
  let best = 0;
  for (const coding of offered) {
    const alias = coding === 'gzip' ? weights.get('x-gzip') : undefined;
    const weight = weights.get(coding) ?? alias ?? weights.get('*') ?? 0;
    if (weight <= best || weight < plain) continue;
    chosen = coding;
    best = weight;
  }
  return chosen;
}

/** Whether a client does not want an answer as it is, so that even a small one is compressed. */
export function refusesPlain(field: string | undefined): boolean {
  if (field === undefined || !field.includes('=')) return false;
  const weights = weightsOf(field);
  return (weights.get('identity') ?? weights.get('*')) === 0;
}

// What cannot be read is not wanted.
function weightsOf(field: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const element of field.toLowerCase().split(',')) {
    const [, name, weight = '1'] = ELEMENT.exec(element) ?? [];
    if (name !== undefined) weights.set(name, WEIGHT.test(weight) ? Number(weight) : 0);
  }
  return weights;
}
