/** Why an object cannot be served as it says: a reason of the specification, and words that name the field. */
export class ObjectFault extends Error {
  override readonly name = 'ObjectFault';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What we do not do is said, and nothing else is done in its place. */
export function unsupported(field: string, why = 'is not supported'): ObjectFault {
  return new ObjectFault('UnsupportedValue', `${field}: ${why}`);
}
