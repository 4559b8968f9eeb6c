/**
 * Measures what conditions in CEL take: a usual one, and the dearest that load, each about the most that it can be asked
 * about. `node bench/conditions.ts`.
 *
 * @module
 */
import { compileRule, type Rule } from '../src/conditions/condition.ts';
import { dearest } from '../src/conditions/dearest.fixture.ts';
import type { Exchange } from '../src/exchange/exchange.ts';

const ROUNDS = 5;
const USUAL_TARGET_NS = 1000;
const DEAREST_TARGET_NS = 1_000_000;
const USUAL = [
  'params.owner == principal.id',
  "principal.tenant == request.headers['x-tenant']",
  "'editor' in principal.roles && request.method == 'GET'",
  "client.ip.inCidr('10.0.0.0/8')",
];

const names = (count: number, letter: string) => Array.from({ length: count }, (_, at) => `${letter}${at}`);
const objects = names(64, 'a').map((a) => ({ a, b: `b${a}` }));
const usual = exchangeOf({
  id: 'ada',
  roles: ['viewer', 'editor'],
  email: 'ada@example.com',
  tenant: 'acme',
  claims: {},
});
const most = exchangeOf({
  id: `b${'a'.repeat(63)}`,
  roles: names(256, 'role'),
  email: 'ab'.repeat(128),
  tenant: 'acme',
  claims: { objects, others: structuredClone(objects) },
});

console.log('| condition | steps | ns | target |\n| :- | -: | -: | -: |');
for (const expression of USUAL) console.log(rowOf(expression, usual, 200_000, USUAL_TARGET_NS));
for (const expression of dearest) console.log(rowOf(expression, most, 200, DEAREST_TARGET_NS));

function rowOf(expression: string, exchange: Exchange, runs: number, targetNs: number): string {
  const rule = compileRule(expression, { params: ['owner'] });
  const rounds = Array.from({ length: ROUNDS }, () => timeOf(rule, exchange, runs)).sort((a, b) => a - b);
  const took = rounds[Math.floor(ROUNDS / 2)] ?? 0;
  const verdict = `< ${targetNs} ${took < targetNs ? 'met' : 'above'}`;
  return `| \`${expression.replaceAll('|', '\\|')}\` | ${rule.steps} | ${took.toFixed(0)} | ${verdict} |`;
}

function timeOf(rule: Rule, exchange: Exchange, runs: number): number {
  const start = process.hrtime.bigint();
  for (let run = 0; run < runs; run += 1) {
    try {
      rule.holds(exchange);
    } catch {
      // An error is what some of them end with.
    }
  }
  return Number(process.hrtime.bigint() - start) / runs;
}

/** As much of an exchange as conditions look at. */
function exchangeOf(principal: object): Exchange {
  return {
    principal: { scheme: 'jwt', permissions: [], scopes: [], ...principal },
    method: 'GET',
    host: 'api.example.com',
    path: `/orders/${'a'.repeat(15_000)}`,
    query: '',
    scheme: 'https',
    clientAddress: '10.1.2.3',
    params: ['ada'],
    route: {
      id: 'orders',
      door: 'proxy',
      pattern: { source: '/orders/{owner}', parameters: ['owner'], segments: [] },
    },
    request: { headers: { 'x-tenant': 'acme' }, rawHeaders: ['X-Tenant', 'acme'] },
  } as unknown as Exchange;
}
