import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../src/telemetry/logger.ts';
import { accessLine } from '../../src/pipeline/access-line.ts';
import { compileAccessLog } from '../../src/pipeline/access-log.ts';
import { call, speak } from '../support/client.ts';
import { createExchange, createPrincipal } from '../support/exchange.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

/** Begins an escape sequence in 8 bits, ends lines, turns them around, is not seen. */
const HOSTILE = 'a\u001b[2J\u0085\u009b31m\u007f\u2028\u202eevil\u2066\u200b" \\ \n\r\tz';
/** What a line may have: what is seen, of any script. */
const SEEN = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+\n$/u;

let folder: string;
let gateway: TestGateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-terminals-'));
  const config = {
    version: 1,
    audit: { file: join(folder, 'audit.jsonl') },
    routes: [
      {
        id: 'closed',
        match: { path: '/closed/*' },
        respond: { status: 204 },
        policies: { authentication: 'public', authorization: { when: 'false' } },
      },
    ],
  };
  gateway = await startGateway({ config: JSON.stringify(config) });
});

afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

it('is text alone in the audit and on the pages of operators, whatever bytes a client sends', async () => {
  const agent = Buffer.from('curl \x85\x9b31m\xad', 'latin1');
  const head = 'GET /closed/%C2%9B31m HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: ';
  await speak(gateway.url, Buffer.concat([Buffer.from(head), agent, Buffer.from('\r\n\r\n')]));
  const [line] = await gateway.linesWhere(({ msg }) => msg === 'exchange');
  const pages = ['/exchanges', `/exchanges/${String(line?.['id'])}`, '/changes', '/support-bundle'];
  for (const page of pages) {
    const { status, text } = await call(gateway.adminUrl + page);
    expect([page, status, text.replaceAll('\n', '').match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)]).toEqual([page, 200, null]);
  }
  await gateway.stop();
  const audit = readFileSync(join(folder, 'audit.jsonl'), 'utf8');
  expect(audit.split('\n')).toHaveLength(2);
  expect(audit).toMatch(SEEN);
  expect(audit).toContain(String.raw`"userAgent":"curl \u0085\u009b31m\u00ad"`);
}); // prettier-ignore

it('is one line of text for each exchange in every format, whoever calls', () => {
  const exchange = createExchange({
    target: '/a',
    headers: ['user-agent', HOSTILE, 'referer', `http://x/${HOSTILE}`, 'x-note', HOSTILE],
    principal: createPrincipal(HOSTILE),
  });
  const lines = (['json', 'ecs', 'combined'] as const).map((format) =>
    compileAccessLog({ format, fields: { note: "{header.x-note}" } } as never)?.(exchange, 1, true),
  );
  for (const line of [accessLine(exchange, 1, true), ...lines]) expect(line).toMatch(SEEN);
  for (const line of lines.slice(0, 2)) expect(JSON.stringify(JSON.parse(line ?? ''))).toContain('31m');
}); // prettier-ignore

it('is text alone in the lines of the log', () => {
  let said = '';
  const logger = createLogger('info', { write: (line) => (said += line) });
  logger.info({ reason: HOSTILE, err: new Error(HOSTILE) }, HOSTILE);
  expect(said).toMatch(SEEN);
  expect(JSON.parse(said)).toMatchObject({ reason: HOSTILE, msg: HOSTILE });
});
