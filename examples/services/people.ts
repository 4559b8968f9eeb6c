/** One person of the sample data: the user record, and what the issuer says about them. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** The plan that rate limits go by. */
  readonly tier: 'free' | 'pro';
  /** The marketing segment. */
  readonly segment: string;
  /** Not for clients: a gateway is expected to mask it. */
  readonly internal: { readonly riskScore: number; readonly note: string };
}

/** The users that every start begins with; 1 to 3 are those that the issuer makes tokens for. */
export const PEOPLE: readonly User[] = [
  person('1', 'Ada Admin', ['admin'], 'pro', 'staff', 0.01),
  person('2', 'Bob User', ['user'], 'pro', 'early-adopter', 0.12),
  person('3', 'Eve Guest', ['guest'], 'free', 'visitor', 0.74),
  person('4', 'Grace Writer', ['user'], 'pro', 'creator', 0.05),
  person('5', 'Linus Writer', ['user'], 'free', 'creator', 0.2),
  person('6', 'Mary Reader', ['user'], 'free', 'early-adopter', 0.33),
];

function person(
  ...[id, name, roles, tier, segment, riskScore]: [string, string, string[], User['tier'], string, number]
): User {
  const email = `${name.split(' ')[0]?.toLowerCase()}@example.com`;
  return {
    id,
    name,
    email,
    roles,
    tier,
    segment,
    internal: { riskScore, note: `reviewed by risk team (${id})` },
  };
}
