import { connect } from 'node:net';
import type { GatewaySource } from '../routing/table-builder.ts';

type Upstream = GatewaySource['value']['upstreams'][string];

const WAIT_MS = 500;
const PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'grpcs:': 443 };
const USUAL_PORT = 80;

/**
 * The upstreams of which no target lets anybody connect. One that is discovered is not among them: only its registry knows
 * where it is.
 */
export async function missingUpstreams(
  upstreams: Readonly<Record<string, Upstream>>,
): Promise<ReadonlySet<string>> {
  const listed = Object.entries(upstreams).filter(([, { discovery }]) => discovery === undefined);
  const asked = await Promise.all(
    listed.map(async ([name, { targets }]) => {
      const found = await Promise.all(targets.map(({ url }) => listens(url)));
      return { name, isMissing: !found.includes(true) };
    }),
  );
  return new Set(asked.filter(({ isMissing }) => isMissing).map(({ name }) => name));
}

/** Whether somebody listens at the host and port of a URL. Never rejects. */
async function listens(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: port === '' ? (PORTS[protocol] ?? USUAL_PORT) : Number(port) });
  try {
    return await new Promise<boolean>((told) => {
      socket.once('connect', () => told(true)).once('error', () => told(false));
      socket.setTimeout(WAIT_MS, () => told(false));
    });
  } finally {
    socket.destroy();
  }
}
