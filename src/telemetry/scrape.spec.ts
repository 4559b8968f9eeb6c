import { afterEach, expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';

const metrics = new Metrics();

afterEach(() => metrics.stop());

it('gives the event loop back while a page of many routes is written, and writes it once for all who ask', async () => {
  const many = new Metrics(1_000_000);
  for (let i = 0; i < 10_000; i += 1) many.forRoute(`route-${i}`).observe('GET', 200, 3);
  let turns = 0;
  let isWriting = true;
  const count = (): void => {
    turns += 1;
    if (isWriting) setImmediate(count);
  };
  setImmediate(count);
  const [one, other] = await Promise.all([many.page('text'), many.page('text')]);
  isWriting = false;
  expect(other).toBe(one);
  expect(turns).toBeGreaterThan(3);
  const lines = one.toString().split('\n');
  expect(lines.filter((line) => line.startsWith('gatehouse_request_duration_seconds_count'))).toHaveLength(
    10_000,
  );
  many.stop();
});

it('keeps the lines of one histogram of one moment, whatever is counted meanwhile', async () => {
  const many = new Metrics(1_000_000);
  const routes = Array.from({ length: 5000 }, (_, i) => many.forRoute(`r${i}`));
  let isWriting = true;
  const observe = (): void => {
    for (const route of routes) route.observe('GET', 200, 1);
    if (isWriting) setImmediate(observe);
  };
  observe();
  const text = (await many.page('text')).toString();
  isWriting = false;
  const value = (start: string): string[] =>
    text
      .split('\n')
      .flatMap((line) => (line.startsWith(start) ? [line.slice(line.lastIndexOf(' ') + 1)] : []));
  const counts = value('gatehouse_request_duration_seconds_count');
  expect(value('gatehouse_request_duration_seconds_bucket{le="+Inf"')).toEqual(counts);
  expect(new Set(counts).size).toBeGreaterThan(1);
  many.stop();
});

it('writes the page anew for who asks after it, in the format that is asked for', async () => {
  const before = await metrics.page('text');
  metrics.forRoute('r').observe('GET', 200, 1);
  expect((await metrics.page('text')).toString()).toContain(
    'gatehouse_requests_total{route="r",method="GET",code="200"} 1',
  );
  expect(before.toString()).not.toContain('route="r"');
  const open = (await metrics.page('openmetrics')).toString();
  expect(open).toContain('# TYPE gatehouse_requests counter\ngatehouse_requests_total{route="r",');
  expect(open.endsWith('# EOF\n')).toBe(true);
});
