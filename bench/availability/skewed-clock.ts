import type { GatewayStart } from '../chaos/world.ts';

/** Has the clock of a gateway be ahead by so many ms, or behind where that is below nothing. Time passes as it does. */
export function skewedBy(ms: number): GatewayStart {
  const code = `const by = ${ms};
globalThis.Date = new Proxy(Date, {
  construct: (real, given, as) => Reflect.construct(real, given.length === 0 ? [real.now() + by] : given, as),
  apply: (real) => new real(real.now() + by).toString(),
  get: (real, name) => (name === 'now' ? () => real.now() + by : real[name]),
});`;
  return { flags: ['--import', `data:text/javascript,${encodeURIComponent(code)}`] };
}
