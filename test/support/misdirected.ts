import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate } from './certificates.ts';
import type { Answer } from './client.ts';
import { startGateway } from './gateway.ts';

/** What a gateway with two certificates says to a request that came over the connection of the other one's host. */
export async function askMisdirected(): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-misdirected-'));
  const certificates = ['a.test', 'b.test'].map((host) => {
    const files = { cert: join(folder, `${host}.pem`), key: join(folder, `${host}.key`) };
    const { cert, key } = certificate({ name: host, hosts: [host] });
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
    return files;
  });
  const config = JSON.stringify({ version: 1, listeners: [{ port: 0, tls: { certificates } }] });
  const { gateway, stop } = await startGateway({ config });
  const session = connect(gateway.urls[0] as string, { servername: 'a.test', rejectUnauthorized: false });
  try {
    const stream = session.request({ ':path': '/', ':authority': 'b.test' });
    const [fields] = (await once(stream, 'response')) as [Answer['headers'] & { ':status': number }];
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    const json = <Body>(): Body => JSON.parse(text) as Body;
    const { ':status': status, ...headers } = fields;
    return { status, headers, rawHeaders: [], body: Buffer.from(text), text, json };
  } finally {
    session.destroy();
    await stop();
    rmSync(folder, { recursive: true });
  }
}
