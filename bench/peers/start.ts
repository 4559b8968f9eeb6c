import { createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/listeners/free-port.ts';
import type { Stand, Subject } from '../stand.ts';
import type { Entrant } from './cases.ts';
import type { Found } from './find.ts';
import { SERVERS, type Program, type Script } from './servers.ts';
import { fill } from './template.ts';

/** The keys of the issuer as files: a set of keys for who reads one, and the RSA key alone for who does not. */
export interface KeyFiles {
  readonly JWKS: string;
  readonly PEM: string;
}

/** Writes the keys of the issuer into the folder of this run. */
export async function writeKeys({ folder, env }: Stand): Promise<KeyFiles> {
  const files = { JWKS: join(folder, 'jwks.json'), PEM: join(folder, 'issuer.pem') };
  const text = await (await fetch(`${env['ISSUER'] ?? ''}/jwks`)).text();
  const { keys } = JSON.parse(text) as { keys: { kty: string }[] };
  const rsa = keys.find(({ kty }) => kty === 'RSA');
  if (rsa === undefined) throw new Error('the issuer has no RSA key');
  writeFileSync(files.JWKS, text);
  writeFileSync(
    files.PEM,
    createPublicKey({ key: rsa, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
  );
  return files;
}

/** Starts somebody for one case, pinned as the gateway. */
export async function startEntrant(
  { server: name, config }: Entrant,
  found: Exclude<Found, { skipped: string }>,
  stand: Stand,
  keys: KeyFiles,
): Promise<Subject> {
  const server: Program | Script = SERVERS[name];
  if ('script' in server) {
    // The bare pipe calls its target by the name of the sample service that it stands before elsewhere.
    const env = name === 'bare-pipe' ? { USERS: stand.env['BACKEND'] ?? '' } : {};
    return stand.startNode(join(import.meta.dirname, '..', server.script), server.title, { env });
  }
  const port = await freePort();
  const folder = mkdtempSync(join(stand.folder, `${name}-`));

  const [file, logFile] = [join(folder, config ?? ''), join(folder, 'access.log')];
  const values = {
    ...stand.env,
    ...keys,
    PORT: String(port),
    BACKEND_PORT: new URL(stand.env['BACKEND'] ?? '').port,
    FOLDER: folder,
    LOG: logFile,
  };
  writeFileSync(file, fill(readFileSync(join(import.meta.dirname, 'config', config ?? ''), 'utf8'), values));
  // Caddy keeps what it remembers in the home of its user.
  const env = { ...found.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const { command } = found;
  return stand.startServer({ name: server.title, command, args: server.args(file), env, port, logFile });
}
