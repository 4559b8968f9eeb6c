/** Conditions that cost about as much as one may, each in another way; bench/conditions.ts measures them. */
export const dearest: readonly string[] = [
  "principal.claims.objects.exists(o, o.a == 'x' && o.b == 'y')",
  "principal.claims.objects.exists(o, o.missing == 'x' || o.other == 'y')",
  "principal.claims.objects.exists_one(o, o.a == 'x' || o.b == 'y')",
  "principal.roles.all(r, r.startsWith('r') && r != 'a' && r != 'b')",
  "principal.roles.filter(r, r in ['a', 'b', 'c', 'd', 'e']).size() == 0",
  "principal.claims.objects.map(o, o.a + 'x').size() > 3000",
  'request.path.contains(principal.id) || request.path.contains(principal.email) || request.host.contains(principal.id)',
  "principal.email.matches('(a?){40}a{40}') || principal.email.matches('(?:a|b)*a(?:a|b){60}c')",
  "principal.claims == {'a': 1} || principal.claims.objects == principal.claims.others",
  "request.headers['x-a'] == 'a' || request.headers['x-b'] == 'b' || request.headers['x-c'] == 'c' || request.headers['x-d'] == 'd'",
  "now.getHours('Europe/Berlin') > 30 || now.getHours('Asia/Tokyo') > 30 || now.getDayOfWeek('America/New_York') > 9",
];
