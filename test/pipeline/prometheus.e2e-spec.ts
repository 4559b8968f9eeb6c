import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/listeners/free-port.ts';
import { call } from '../support/client.ts';
import { promtool } from '../support/promtool.ts';
import { useShop } from '../support/shop.ts';

jest.setTimeout(60_000);

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const holder = useShop({
  upstreams: () => ({
    gone: {
      targets: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      circuitBreaker: { consecutiveFailures: 1, openFor: '1h' },
      retry: { attempts: 2, on: ['connect'] },
    },
  }),
  routes: [
    { id: 'echo', match: { path: '/echo/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    { id: 'gone', match: { path: '/gone' }, upstream: 'gone', policies: { authentication: 'public' } },
    {
      id: 'odd',
      match: { path: '/odd' },
      upstream: 'echo',
      policies: { authentication: 'public' },
    },
  ],
});

const scrape = (headers: Readonly<Record<string, string>> = {}) =>
  call(`${holder.shop.gateway.adminUrl}/metrics`, { headers });

const names = (text: string): string[] =>
  text.split('\n').flatMap((line) => (/^[a-z]/.test(line) ? [line.replace(/ [^ ]*$/, '')] : []));

describe('the page of metrics', () => {
  beforeAll(async () => {
    for (const path of ['/echo/a', '/odd', '/gone', '/nowhere', '/api/v2/feed'])
      await holder.shop.call(path, { as: 'user' });
    await holder.shop.call('/graphql', {
      method: 'POST',
      as: 'user',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'query Home { homepage { user { name } } }' }),
    });
  });

  it('is clean to promtool, and has every series once', async () => {
    const { text, headers } = await scrape();
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, said: '' });
    expect(new Set(names(text)).size).toBe(names(text).length);
  });

  it('has something of each kind that there is', async () => {
    const { text } = await scrape();
    const missing = [
      'gatehouse_requests_total{route="echo",method="GET",code="200"} 1',
      'gatehouse_problems_total{route="gone",stage=',
      'gatehouse_problems_total{route="(none)",stage="',
      'gatehouse_response_bytes_total{route="echo"}',
      'gatehouse_requests_in_flight 0',
      'gatehouse_upstream_attempt_duration_seconds_count{upstream="echo"} 2',
      'gatehouse_upstream_retries_total{upstream="gone",reason="connect"} 1',
      'gatehouse_breaker_transitions_total{upstream="gone",to="open"} 2',
      'gatehouse_target_weight{upstream="echo"',
      'gatehouse_view_section_duration_seconds_count{view="',
      'gatehouse_calls_total{call=',
      'gatehouse_call_duration_seconds_count{call=',
      'gatehouse_config_last_reload_successful 1',
      'gatehouse_config_info{digest="',
      'process_cpu_seconds_total ',
      'gatehouse_event_loop_utilization_ratio ',
      'gatehouse_metrics_folded_total{metric="gatehouse_requests_total"} 0',
    ].filter((series) => !text.includes(series));
    expect(missing).toEqual([]);
  });

  it('has no metric that its documentation does not have', async () => {
    const { text } = await scrape();
    const documented = readFileSync('docs/metrics.md', 'utf8');
    const types = [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)];
    const missing = types.filter(
      ([, name = '', type = '']) => !new RegExp(`^\\| \`${name}\`\\s*\\| ${type} `, 'm').test(documented),
    );
    expect(missing.map(([line]) => line)).toEqual([]);
  });

  it('is OpenMetrics for who asks for that, with the same series', async () => {
    const open = await scrape({ accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' });
    expect(open.headers['content-type']).toBe(OPENMETRICS);
    expect(open.headers['vary']).toBe('Accept');
    expect(open.text.endsWith('\n# EOF\n')).toBe(true);
    expect(new Set(names(open.text))).toEqual(new Set(names((await scrape()).text)));
  });
});

describe('a Prometheus', () => {
  let folder: string;
  let prometheus: ChildProcess | undefined;
  let origin: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-prometheus-'));
    const target = new URL(holder.shop.gateway.adminUrl).host;
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    writeFileSync(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
        scrape_configs: [{ job_name: 'gatehouse', static_configs: [{ targets: [target] }] }],
      }),
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
      ],
      { stdio: 'ignore' },
    );
  });

  afterAll(async () => {
    if (prometheus === undefined) return;
    const ended = once(prometheus, 'exit');
    prometheus.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });

  async function query(
    expression: string,
  ): Promise<readonly { metric: Record<string, string>; value: string }[]> {
    const answer = await call(`${origin}/api/v1/query?query=${encodeURIComponent(expression)}`).catch(
      () => undefined,
    );
    if (answer?.status !== 200) return [];
    const { data } = JSON.parse(answer.text) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => ({ metric, value: value[1] }));
  }

  it('scrapes it', async () => {
    let seen: Awaited<ReturnType<typeof query>> = [];
    while (seen.length === 0) {
      await sleep(200);
      seen = await query('gatehouse_requests_total{route=~"odd.*"}');
    }
    expect(seen[0]?.metric['route']).toBe('odd');
    expect((await query('up')).map(({ value }) => value)).toEqual(['1']);
  });
});
